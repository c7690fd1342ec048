"""The shipped objectives: budgets for everybody at once, and out of the way of written ones."""

from dataclasses import replace

import pytest

from seakeeping.observe.objectives import (
    EVERY_SERVICE,
    SELF,
    default_objectives,
    expand,
)
from seakeeping.observe.testing import standard_objectives
from seakeeping.records import (
    EVALUATION_KINDS,
    Indicator,
    IndicatorSignal,
    Match,
    Objective,
)
from seakeeping.stats.burn import alerts_in_force, is_reachable

DEFAULTS = default_objectives()
OF_ALL = [o.name for o in DEFAULTS if o.service == EVERY_SERVICE]


def written(name: str, service: str, like: str = "latency") -> Objective:
    (shipped,) = (o for o in DEFAULTS if o.name == like)
    return replace(shipped, name=name, service=service, source="a.yaml", target_ratio=0.9)


def names(*objectives: Objective, services: tuple[str, ...] = ("chat",)) -> set[str]:
    return {o.name for o in expand([*DEFAULTS, *objectives], services)}


def test_the_pack_holds_what_the_page_promises() -> None:
    assert OF_ALL == [
        "availability", "latency", "time-to-first-token", "faithfulness", "response-validity",
        "coverage", "scoring-lag",
    ]  # fmt: skip
    ours = [o for o in DEFAULTS if o.service == SELF]
    assert [o.name for o in ours] == [
        "seakeeping/spool", "seakeeping/store", "seakeeping/pipeline-lag",
        "seakeeping/controller-lag",
    ]  # fmt: skip
    assert {o.indicator.signal for o in ours} == {IndicatorSignal.METRIC}
    assert len({o.indicator.key for o in DEFAULTS}) == len(DEFAULTS)
    assert {o.source for o in DEFAULTS} == {"default"}


@pytest.mark.parametrize("shipped", DEFAULTS, ids=lambda o: o.name)
def test_every_shipped_objective_can_alert_and_says_what_it_counts(shipped: Objective) -> None:
    assert all(is_reachable(alert, shipped.target_ratio) for alert in alerts_in_force(shipped))
    assert shipped.description.endswith(".")
    assert shipped.indicator.valid
    assert shipped.indicator.good


def test_only_a_detectors_verdicts_are_estimates() -> None:
    assert [o.name for o in DEFAULTS if o.indicator.is_estimate] == ["faithfulness"]


def test_judgements_use_the_labels_of_the_fields_table() -> None:
    judged = [o.indicator for o in DEFAULTS if o.indicator.signal is IndicatorSignal.EVALUATION]
    for indicator in judged:
        kind = EVALUATION_KINDS[indicator.subject or ""]
        assert indicator.bad_labels == (kind.bad_label,)
        assert indicator.higher_is_better is kind.higher_is_better


def test_every_service_gets_its_own() -> None:
    found = expand(DEFAULTS, ["search", "chat", "chat"])
    assert len(found) == 2 * len(OF_ALL) + 4
    assert found[0].name == "chat/availability"
    assert found[0].service == "chat"
    assert len({o.name for o in found}) == len(found)


def test_ourselves_are_held_to_our_own_promises_only() -> None:
    assert names(services=("seakeeping",)) == {o.name for o in DEFAULTS if o.service == SELF}


def test_no_services_no_objectives_but_our_own() -> None:
    assert names(services=()) == names(services=("seakeeping",))


def test_a_written_one_takes_the_place_of_the_shipped_one() -> None:
    found = names(written("chat-speed", "chat"), services=("chat", "search"))
    assert {"chat-speed", "search/latency"} <= found
    assert "chat/latency" not in found


def test_a_written_one_of_every_service_takes_the_place_everywhere() -> None:
    found = names(written("speed", "*"), services=("chat", "search"))
    assert {"chat/speed", "search/speed"} <= found
    assert not {"chat/latency", "search/latency"} & found


def test_another_question_takes_nobodys_place() -> None:
    indicator = Indicator("tone", "answers", "kind ones", IndicatorSignal.EVALUATION, subject="t")
    tone = Objective("tone", "chat", indicator, 0.9, source="api")
    assert {"tone", "chat/faithfulness"} <= names(tone)


def test_one_on_a_part_of_the_traffic_leaves_the_whole_to_the_shipped_one() -> None:
    part = written("acme", "chat")
    where = (Match("tenant", ("acme",)),)
    narrowed = replace(part, indicator=replace(part.indicator, where=where))
    assert {"acme", "chat/latency"} <= names(narrowed)
    assert {"acme", "chat/latency"} <= names(replace(part, slice_by=("tenant",)))


def test_a_name_that_is_taken_is_not_taken_twice() -> None:
    found = expand([*DEFAULTS, written("chat/latency", "chat", like="coverage")], ["chat"])
    assert len([o for o in found if o.name == "chat/latency"]) == 1


def test_our_own_promise_can_be_rewritten() -> None:
    stricter = replace(DEFAULTS[-2], name="lag", source="a.yaml", target_ratio=0.999)
    found = names(stricter)
    assert "lag" in found
    assert "seakeeping/pipeline-lag" not in found


def test_the_two_on_every_call() -> None:
    availability, latency = standard_objectives("shop")
    assert (availability.name, availability.target_ratio) == ("shop/availability", 0.995)
    assert (latency.name, latency.indicator.threshold_s) == ("shop/latency", 10.0)
