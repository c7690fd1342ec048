from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.receivers.samples import a_change, a_message, a_resolution, an_alert, an_incident
from tests.receivers.slack import message_fault, utf16

from seakeeping.decide.notify.blocks import escape, fallback, message_blocks
from seakeeping.decide.notify.wording import (
    LONGEST_TEXT,
    MOST_ALERTS,
    body,
    bounded,
    clean,
    clip,
    headline,
    length,
    page_of,
    summary,
)
from seakeeping.records import Severity

ANY_TEXT = st.text(st.characters(codec=None), max_size=300) | st.sampled_from(
    ["<" * 3000, "&" * 3000, "\U0001f6a8" * 3000, "\ud800", "\0", "\u202e", ""]
)


@given(ANY_TEXT)
def test_clean_text_can_be_encoded_and_holds_no_control_characters(text: str) -> None:
    found = clean(text)
    found.encode()
    assert not [c for c in found if (c < " " and c not in "\n\t") or "\x7f" <= c < "\xa0"]
    assert clean(found) == found


@given(ANY_TEXT, st.integers(1, 400))
def test_clipped_text_fits_and_ends_in_an_ellipsis_where_it_was_cut(text: str, limit: int) -> None:
    for escaping in (str, escape):
        found = clip(text, limit, escaping)
        assert length(found) <= limit
        assert found == escaping(text) or found.endswith("…")


@given(ANY_TEXT)
def test_an_entity_is_never_cut_in_two(text: str) -> None:
    found = clip(text, 30, escape)
    for part in found.split("&")[1:]:
        assert part.startswith(("amp;", "lt;", "gt;"))


@given(st.text(max_size=50))
def test_length_is_that_of_utf_16(text: str) -> None:
    assert length(text) == utf16(text)


@given(ANY_TEXT, ANY_TEXT)
def test_slack_takes_any_message(text: str, name: str) -> None:
    alert = an_alert(annotations={"summary": text, name: text}, labels={name: text})
    message = bounded(
        a_message([alert] * 30, group_key=text, incident=an_incident(title=text, id=name or "x"))
    )
    blocks = message_blocks(message, "https://sea.example.org")
    assert message_fault({"text": fallback(message), "blocks": blocks}) is None


@given(ANY_TEXT)
def test_a_bounded_message_is_clean(text: str) -> None:
    odd = an_alert(annotations={f"{i}{text}": text for i in range(80)}, objective=text)
    found = bounded(a_message([odd], group_key=text, common_annotations={"summary": text}))
    assert len(found.alerts[0].annotations) <= 64
    body(found, "https://sea.example.org").encode()


def test_many_alerts_are_cut_to_a_hundred() -> None:
    found = bounded(a_message([an_alert()] * 300, truncated=3))
    assert (len(found.alerts), found.truncated) == (MOST_ALERTS, 203)


def test_large_alerts_are_cut_to_what_fits_and_the_rest_counted() -> None:
    huge = an_alert(annotations={f"{i}": "x" * 100_000 for i in range(30)})
    found = bounded(a_message([huge] * 50))
    assert {len(text) for text in found.alerts[0].annotations.values()} == {LONGEST_TEXT}
    assert (len(found.alerts), found.truncated) == (9, 41)


def test_a_headline_says_what_where_and_how_bad() -> None:
    assert headline(a_message()) == "[FIRING 1] ErrorBudgetBurn: bot / availability (page)"
    assert headline(a_resolution()).startswith("[RESOLVED] ErrorBudgetBurn")
    assert headline(a_message(reason="acknowledged")).startswith("[ACKNOWLEDGED 1]")
    assert headline(a_message(truncated=4)).startswith("[FIRING 5]")
    assert headline(a_change()) == "[CHANGE] deploy of bot: v6 -> v7 by ci"


def test_a_headline_without_labels_names_the_group() -> None:
    bare = a_message(group_labels={}, common_labels={}, group_key="{}:{a=b}")
    assert headline(bare) == "[FIRING 1] Alerts: {}:{a=b}"


def test_the_summary_is_the_common_one_or_that_of_the_first_alert_that_has_one() -> None:
    silent = replace(an_alert("x"), annotations={})
    assert summary(a_message([silent, an_alert()])) == "Every third answer fails."
    common = a_message([silent], common_annotations={"summary": "All\nfail."})
    assert summary(common) == "All fail."
    assert summary(a_message([silent])) == ""


def test_the_body_says_all_and_where_to_look() -> None:
    ticket = replace(an_alert("latency"), severity=Severity.TICKET)
    text = body(a_message([an_alert(), ticket], truncated=2), "https://sea.example.org/")
    assert text.splitlines() == [
        "[FIRING 4] ErrorBudgetBurn: bot / availability (page)",
        "",
        "Every third answer fails.",
        "",
        "ErrorBudgetBurn (page) since 2026-09-21 14:12:20 UTC",
        "  summary: Every third answer fails.",
        "  budget_left: -12 %",
        "",
        "ErrorBudgetBurn (ticket) since 2026-09-21 14:12:20 UTC",
        "  summary: Every third answer fails.",
        "  budget_left: -12 %",
        "",
        "and 2 more",
        "",
        "https://sea.example.org/objectives/bot/availability",
    ]


def test_the_page_is_the_incidents_the_objectives_or_that_of_all_alerts() -> None:
    base = "https://sea.example.org"
    assert page_of(a_message(incident=an_incident(id="a/b")), base) == f"{base}/incidents/a%2Fb"
    assert page_of(a_message(), base) == f"{base}/objectives/bot/availability"
    assert page_of(a_message([replace(an_alert(), objective=None)]), base) == f"{base}/alerts"
    assert page_of(a_message(), "") == ""
