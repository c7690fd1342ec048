"""A draft tells what is recorded and asks for the rest; nothing in it can break its form."""

from dataclasses import replace

from tests.unit.decide.by_hand import NOW, alert, ended, objective
from tests.unit.decide.incidents.made import cause, change, diagnosis

from seakeeping.decide.incidents import machine
from seakeeping.decide.postmortem import draft
from seakeeping.records import Budget, BudgetState, Incident, JsonObject, TimelineEntry

ENTRY = TimelineEntry(1, NOW, "controller", "opened", "it burns", None, "open", {}, "", "ab" * 32)


def incident(**more: object) -> Incident:
    opened = machine.opened("inc-1", [alert()], "chat", NOW).incident
    made = replace(opened, diagnosis=diagnosis(cause(release="v2")), timeline=(ENTRY,))
    return replace(made, **more)  # type: ignore[arg-type]  # handed on


def test_a_draft_has_the_facts_the_cause_and_the_questions() -> None:
    budget = Budget(objective(), NOW, 1_000, 90, 0.91, 0.9, 0.92, -0.5, BudgetState.BREACH)
    text = draft(incident(), alerts=[alert()], changes=[change()], budgets=[budget])
    for told in (
        "# Postmortem: ErrorBudgetBurn: chat/availability", "| Service | chat |",
        "1. a slice rose", "deploy v1 to v2 of chat", "-50 % of the budget left, BREACH",
        "still firing", "## Impact", "_Who noticed", "`/interactions/t1/s1`",
        "**opened** by controller: it burns", "ab" * 32,
    ):  # fmt: skip
        assert told in text


def test_times_are_told_from_the_onset() -> None:
    over = incident(
        acknowledged_by="ann", acknowledged_at=NOW + 60, mitigated_at=None, resolved_at=NOW + 7_200
    )
    text = draft(over, alerts=[ended(alert(), NOW + 7_100)])
    assert "(5 min later)" in text  # noticed, after an onset five minutes before
    assert "by ann" in text
    assert "(2.1 h after it began)" in text
    assert "| Mitigated | not yet |" in text
    assert "until 2026" in text


def test_what_is_not_known_is_left_out_or_said() -> None:
    bare = replace(incident(), diagnosis=None, timeline=())
    text = draft(bare)
    assert "No diagnosis was made." in text
    assert "## Causes" not in text
    assert "## Examples" not in text
    assert "_No timeline._" in text
    assert "by nobody" in text


def test_texts_from_outside_cannot_break_the_form() -> None:
    hostile = "<script>x</script>\n# Heading | `code` [link](x)"
    text = draft(
        incident(title=hostile, service=hostile, timeline=(replace(ENTRY, reason=hostile),))
    )
    assert "<script>" not in text
    assert sum(line.startswith("# ") for line in text.splitlines()) == 1
    rows = [line for line in text.splitlines() if line.startswith("| Service")]
    assert rows == [rows[0]]
    assert rows[0].replace("\\|", "").count("|") == 3


def test_the_text_of_answers_stays_in_the_store() -> None:
    told = diagnosis(cause(release="v2"))
    secret: JsonObject = {
        "trace_id": "t`1",
        "span_id": "s1",
        "explanation": "the secret text",
        "score": 0.1,
    }
    text = draft(incident(diagnosis=replace(told, examples=(secret,))))
    assert "the secret text" not in text
    assert "`/interactions/t1/s1` score 0.1" in text


def test_an_incident_without_a_service_says_so() -> None:
    assert "| Service | none: no alert names one |" in draft(incident(service=""))
