"""What was found becomes causes in order, each with its figures and its words."""

from dataclasses import replace

import pytest
from tests.unit.decide.diagnose.by_hand import facts
from tests.unit.decide.incidents.made import AT, change

from seakeeping.decide.diagnose.causes import causes_of
from seakeeping.decide.diagnose.correlate import suspects
from seakeeping.decide.diagnose.scan import scan
from seakeeping.decide.diagnose.signals import Signal
from seakeeping.decide.diagnose.words import of_diagnosis
from seakeeping.records import ChangeKind

TENANTS = ("acme", "bolt", "crab")
BEFORE = facts([({"release": "v1", "tenant": t}, 2_000, 80) for t in TENANTS])
STAGED = facts([
    *(({"release": "v1", "tenant": t}, 1_000, 40) for t in TENANTS),
    *(({"release": "v2", "tenant": t}, 1_000, 150) for t in TENANTS),
])  # fmt: skip
WORSE = facts(
    [({"release": "v1", "tenant": t}, 2_000, 400 if t == "acme" else 80) for t in TENANTS]
)
DEPLOY = change("deploy", AT - 360)
FLAG = replace(
    change("flag", AT - 60), kind=ChangeKind.CONFIG, dimension=None, before=None, after="on"
)
QUEUE = Signal("queue", (("node", "a"),), 30.0, 4.0, 60.0, "1", 60, 0.03)


def test_a_new_slice_comes_with_the_change_that_made_it() -> None:
    (cause,) = causes_of(scan(BEFORE, STAGED), suspects([FLAG, DEPLOY], BEFORE, STAGED, AT), [])
    assert (cause.kind, dict(cause.slice)) == ("new", {"release": "v2"})
    assert cause.change is not None
    assert cause.change.id == "deploy"
    assert cause.low < cause.lift < cause.high
    assert cause.lift == pytest.approx(0.11, abs=0.01)
    assert cause.share_explained == pytest.approx(1.0, abs=0.02)
    assert "release=v2" in cause.summary
    assert "deploy v1 to v2 of chat" in cause.summary


def test_a_worse_slice_without_a_change_of_its_own_names_none() -> None:
    (cause,) = causes_of(scan(BEFORE, WORSE), suspects([FLAG], BEFORE, WORSE, AT), [])
    assert (cause.kind, dict(cause.slice)) == ("worse", {"tenant": "acme"})
    assert cause.change is None
    assert cause.before_ratio == pytest.approx(0.04, abs=0.003)


def test_a_rise_of_all_calls_names_the_change_of_the_whole_service() -> None:
    every = facts([({"release": "v1", "tenant": t}, 2_000, 300) for t in TENANTS])
    (cause,) = causes_of(scan(BEFORE, every), suspects([FLAG], BEFORE, every, AT), [])
    assert dict(cause.slice) == {}
    assert cause.change is not None
    assert cause.change.id == "flag"
    assert "all calls alike" in cause.summary


def test_moved_traffic_is_a_cause_of_its_own_kind() -> None:
    before = facts([({"model": "good"}, 9_000, 180), ({"model": "poor"}, 1_000, 200)])
    now = facts([({"model": "good"}, 5_000, 100), ({"model": "poor"}, 5_000, 1_000)])
    (cause,) = causes_of(scan(before, now), [], [])
    assert (cause.kind, dict(cause.slice)) == ("mix", {"model": "poor"})
    assert cause.share_explained > 0.9
    assert "10 % of it before, 50 % now" in cause.summary


def test_a_change_that_few_calls_show_is_not_blamed() -> None:
    now = facts([
        *(({"release": "v1", "tenant": t}, 2_000, 80) for t in TENANTS),
        *(({"release": "v2", "tenant": t}, 9, 4) for t in TENANTS),
    ])  # fmt: skip
    contrast = replace(scan(BEFORE, now), findings=())
    assert causes_of(contrast, suspects([DEPLOY], BEFORE, now, AT), []) == ()


def test_a_change_that_no_slice_has_stands_for_itself() -> None:
    contrast = replace(scan(BEFORE, STAGED), findings=())
    (cause,) = causes_of(contrast, suspects([DEPLOY], BEFORE, STAGED, AT), [])
    assert cause.change is not None
    assert dict(cause.slice) == {"release": "v2"}
    assert "at the same time" in cause.summary


def test_signals_come_last_and_claim_nothing() -> None:
    *_, last = causes_of(scan(BEFORE, WORSE), [], [QUEUE])
    assert last.kind == "metric"
    assert dict(last.slice) == {"metric": "queue", "node": "a"}
    assert "no more is known" in last.summary


def test_nothing_found_is_said() -> None:
    contrast = scan(BEFORE, BEFORE)
    assert causes_of(contrast, [], []) == ()
    told = of_diagnosis("chat/availability", contrast, AT, ())
    assert "No cause found among" in told
    assert "4 % bad before" in told


def test_a_diagnosis_begins_with_what_rose_and_ends_with_the_first_cause() -> None:
    contrast = scan(BEFORE, STAGED)
    causes = causes_of(contrast, suspects([DEPLOY], BEFORE, STAGED, AT), [])
    told = of_diagnosis("chat/availability", contrast, AT, causes)
    assert told.startswith("chat/availability: 4 % bad before, 9.5 % since 2026-09-21")
    assert told.endswith(causes[0].summary)
