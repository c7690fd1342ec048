"""The list of objectives: what is searched is found, what is chosen stays chosen."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from seakeeping.errors import BadInput
from seakeeping.records import Alert, AlertState, Reading
from seakeeping.web import objective_list
from seakeeping.web.objective_list import Choice, ObjectiveList, build, read_choice
from seakeeping.web.testing import MemoryDecided, StillClock, fill_decided
from seakeeping.web.testing.sample import HOSTILE_NAME

CLOCK = StillClock()
DECIDED = fill_decided(MemoryDecided(CLOCK), CLOCK.now())


EVERYTHING = Choice()


def listed(choice: Choice = EVERYTHING) -> ObjectiveList:
    return build(DECIDED.measured, DECIDED.alerts(), choice, CLOCK.now())


def names(**asked: Any) -> list[str]:
    return [row.budget.objective.name for row in listed(Choice(**asked)).rows]


def test_the_least_budget_comes_first_and_what_has_no_data_last() -> None:
    rows = listed(Choice(shows_all=True)).rows
    left = [row.budget.remaining_ratio for row in rows]
    known = [x for x in left if x is not None]
    assert known == sorted(known)
    assert set(left[len(known) :]) == {None}
    assert rows[0].budget.objective.name == "cargo-search/availability"


def test_the_pack_is_not_shown_where_it_never_saw_an_event() -> None:
    shown, everything = listed(), listed(Choice(shows_all=True))
    assert everything.hidden == 0
    assert shown.hidden == everything.total - shown.total > 0
    assert all(row.budget.last_event_at for row in shown.rows)
    assert read_choice(_pairs(shown.all_url)).shows_all


def test_every_word_must_be_found_somewhere() -> None:
    assert names(words="CARGO faithfulness") == ["cargo-search/faithfulness"]
    assert names(words="platform") == ["cargo-search-cost"]  # an owner
    assert names(words="team=harbour") == ["harbour-refusals"]  # a label
    assert names(words="cent") == ["cargo-search-cost"]  # a description
    assert names(words="nothing-like-it") == []


def test_labels_and_states_narrow_the_list() -> None:
    assert set(names(labels=("service=cargo-search", "tier=1"))) == {"cargo-search-cost"}
    assert names(labels=("service=cargo",)) == []
    assert {row.budget.state for row in listed(Choice(states=("BREACH", "OK"))).rows} == {
        "BREACH", "OK",
    }  # fmt: skip


@pytest.mark.parametrize("sort", objective_list.SORTS)
def test_every_order_shows_the_same_objectives(sort: str) -> None:
    assert sorted(names(sort=sort)) == sorted(names())


def test_orders_do_what_they_are_named_for() -> None:
    assert names(sort="name") == sorted(names())
    burns = [row.budget.burn_rates["1h"] or 0 for row in listed(Choice(sort="burn")).rows]
    assert burns == sorted(burns, reverse=True)
    assert listed(Choice(sort="state")).rows[0].budget.state == "BREACH"
    assert listed(Choice(sort="owner")).rows[0].budget.objective.owner is not None


def _pairs(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


CHOICES = [
    Choice(),
    Choice("cargo search", ("service=a&b=c", "team=ü"), ("OK", "BREACH"), "burn", True),
    Choice(labels=(f"service={HOSTILE_NAME}",)),
]


@pytest.mark.parametrize("choice", CHOICES)
def test_a_choice_comes_back_from_its_address(choice: Choice) -> None:
    assert read_choice(_pairs(choice.url)) == choice


@pytest.mark.parametrize("choice", CHOICES)
def test_every_link_keeps_what_was_chosen_before(choice: Choice) -> None:
    page = listed(choice)
    for chip in page.states:
        assert read_choice(_pairs(chip.url)) == choice.toggled(state=chip.word)
    for sort, url in page.sorts.items():
        assert read_choice(_pairs(url)).sort == sort
        assert read_choice(_pairs(url)).labels == choice.labels


def test_a_chip_is_taken_away_by_a_second_click() -> None:
    once = Choice().toggled(label="a=b")
    assert once.labels == ("a=b",)
    assert once.toggled(label="a=b") == Choice()


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("srot", "name")], "unknown parameter 'srot'"),
        ([("sort", "budgets")], "unknown order 'budgets'"),
        ([("state", "BROKEN")], "unknown state 'BROKEN'"),
    ],
)
def test_a_wrong_choice_is_named(pairs: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        read_choice(pairs)
    assert error.value.hint


def test_states_are_counted_before_they_narrow_the_list() -> None:
    for choice in (Choice(), Choice(states=("OK",))):
        counts = {chip.word: chip.count for chip in listed(choice).states}
        assert sum(counts.values()) == listed().total
        assert counts["BREACH"] == 2


def test_a_row_names_its_alerts_and_asks_for_labels_only_where_they_help() -> None:
    rows = {row.budget.objective.name: row for row in listed().rows}
    assert rows["cargo-search/availability"].has_alarm
    assert not rows["customs-forms/latency"].has_alarm  # pending is not firing
    asking = {name for name, row in rows.items() if row.labels_href}
    assert asking == {"crew-chat/faithfulness", "harbour-refusals"}
    assert rows["harbour-refusals"].labels_href == "/review?service=harbour-assistant&name=refusal"


def test_alerts_of_others_make_no_objective_fire() -> None:
    stranger = Alert({"alertname": "x"}, {}, 0.0, objective=None, state=AlertState.FIRING)
    page = build(DECIDED.measured, [stranger], Choice(), None)
    assert not any(row.has_alarm for row in page.rows)


def test_an_address_leads_back_to_names_of_any_kind() -> None:
    assert objective_list.href("a/b c") == "/objectives/a/b%20c"
    assert "<" not in objective_list.href(f"{HOSTILE_NAME}/availability")


def test_nothing_measured_is_an_empty_list() -> None:
    empty: list[Reading] = []
    page = build(empty, (), Choice(), None)
    assert (page.rows, page.total, page.hidden) == ((), 0, 0)
