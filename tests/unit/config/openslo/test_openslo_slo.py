"""SLOs of OpenSLO v1: windows, targets, services, names; each complaint with its place."""

from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import complaint, document, inline, objective, read, slo

from seakeeping.records import Alerting, Budgeting, Calendar, IndicatorSignal


def test_the_least_that_is_an_objective(tmp_path: Path) -> None:
    made = objective(tmp_path, slo())
    assert (made.name, made.service, made.target_ratio) == ("chat-works", "chat", 0.99)
    assert made.indicator.signal is IndicatorSignal.AVAILABILITY
    assert made.window == "30d"
    assert made.budgeting is Budgeting.OCCURRENCES
    assert made.alerting == Alerting()
    assert made.source == str(tmp_path / "0.yaml")


def test_everything_around_the_target(tmp_path: Path) -> None:
    made = objective(
        tmp_path,
        slo(
            "description: It works.",
            metadata="displayName: Chat works\nlabels: {team: core, tier: 1, tags: [a, b]}\n"
            "annotations: {seakeeping.dev/owner: me, seakeeping.dev/slice-by: 'model, group.plan',"
            " example.com/x: y}",
        ),
    )
    assert made.description == "It works."
    assert (made.display_name, made.owner) == ("Chat works", "me")
    assert made.labels == {"team": "core", "tier": "1", "tags": "a,b"}
    assert made.slice_by == ("model", "group.plan")


def test_the_label_owner_owns(tmp_path: Path) -> None:
    assert objective(tmp_path, slo(metadata="labels: {owner: core}")).owner == "core"


@pytest.mark.parametrize(
    ("target", "ratio"),
    [
        ("target: 0.999", 0.999), ("targetPercent: 99.9", 0.999), ("targetPercent: 99.99", 0.9999),
        ("target: 0.5", 0.5), ("targetPercent: 95", 0.95), ("targetPercent: 9.5e+1", 0.95),
    ],
)  # fmt: skip
def test_targets_are_exactly_what_is_written(tmp_path: Path, target: str, ratio: float) -> None:
    assert objective(tmp_path, slo(objectives=f"[{{{target}}}]")).target_ratio == ratio


def test_a_calendar_window(tmp_path: Path) -> None:
    window = (
        "timeWindow: [{duration: 1M, isRolling: false, calendar: "
        "{startTime: 2024-01-01 00:00:00, timeZone: Europe/Berlin}}]"
    )
    made = objective(tmp_path, slo(window))
    assert made.calendar == Calendar("2024-01-01 00:00:00", "Europe/Berlin")
    assert made.window == "1M"


def test_a_window_with_a_calendar_need_not_say_that_it_does_not_roll(tmp_path: Path) -> None:
    window = "timeWindow: [{duration: 1Q, calendar: {startTime: 2024-01-01 00:00:00}}]"
    assert objective(tmp_path, slo(window)).calendar == Calendar("2024-01-01 00:00:00", "UTC")


def test_time_slices(tmp_path: Path) -> None:
    text = slo(objectives="[{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5}]")
    made = objective(tmp_path, text.replace("Occurrences", "Timeslices"))
    assert (made.budgeting, made.slice_target_ratio) == (Budgeting.TIMESLICES, 0.95)
    assert made.slice_window_s == 300
    text = slo(objectives="[{target: 0.99, timeSliceWindow: 1h}]")
    made = objective(tmp_path, text.replace("Occurrences", "RatioTimeslices"))
    assert (made.slice_target_ratio, made.slice_window_s) == (None, 3600)


def test_several_objectives_are_one_each(tmp_path: Path) -> None:
    linked, findings = read(
        tmp_path, slo(objectives="[{target: 0.99}, {displayName: Very Good!, target: 0.999}]")
    )
    assert findings == []
    assert [one.objective.name for one in linked.written] == [
        "chat-works-1",
        "chat-works-very-good",
    ]
    assert [one.objective.target_ratio for one in linked.written] == [0.99, 0.999]


def test_each_objective_may_bring_its_indicator(tmp_path: Path) -> None:
    coverage = inline("coverage")
    text = slo(
        objectives=f"[{{target: 0.9, compositeWeight: 2, indicator: {coverage}}}, "
        "{target: 0.8, indicatorRef: works}]"
    )
    sli = document("SLI", "works", inline("availability").removeprefix("{spec: ").removesuffix("}"))
    linked, findings = read(tmp_path, text, sli)
    signals = [one.objective.indicator.signal.value for one in linked.written]
    assert signals == ["coverage", "availability"]
    (note,) = findings
    assert note.is_warning
    assert "every objective has its own budget" in note.message


def test_a_service_may_be_called_otherwise_by_telemetry(tmp_path: Path) -> None:
    service = document("Service", "chat", "{}", "{seakeeping.dev/service-name: Chat Bot}")
    assert objective(tmp_path, slo(), service).service == "Chat Bot"
    own = slo(metadata="annotations: {seakeeping.dev/service-name: other}")
    assert objective(tmp_path, own, service).service == "other"


def test_every_service(tmp_path: Path) -> None:
    assert objective(tmp_path, slo().replace("service: chat", "service: '*'")).service == "*"


def test_a_service_that_nobody_wrote_is_doubtful(tmp_path: Path) -> None:
    text = complaint(tmp_path, slo(), document("Service", "chats", "{}"))
    assert text == (
        "0.yaml:7: spec.service: warning: there is no Service 'chat' (did you mean chats?)"
    )


def test_a_reference_over_files(tmp_path: Path) -> None:
    spec = "{ratioMetric: {rawType: success, raw: {metricSource: {metricSourceRef: us, spec: " \
        "{signal: coverage}}}}}"  # fmt: skip
    made = objective(
        tmp_path,
        slo("indicatorRef: covered"),
        document("SLI", "covered", spec),
        document("DataSource", "us", "{type: seakeeping}"),
    )
    assert (made.indicator.name, made.indicator.signal.value) == ("covered", "coverage")


OFTEN = "{op: gt, value: 1, target: 0.9}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (slo().replace("SLO", "SLA"), "0.yaml:2: kind: 'SLA' is none of"),
        (slo().replace("kind: SLO", "kinds: SLO"), "0.yaml:2: kinds: unknown key kinds"),
        (slo().replace("openslo/v1", "openslo/v1alpha"), "openslo/v1alpha is not read (write it"),
        (slo().replace("openslo/v1", "openslo/v11"), "is not read (did you mean openslo/v1"),
        (slo().replace("name: chat-works", "name: '-a'"), "metadata.name: '-a' is not a name"),
        (slo().replace("  name: chat-works", "  displayName: x"), "metadata: has no name"),
        (slo("descripton: x"), "spec.descripton: unknown key descripton (did you mean desc"),
        (slo(f"description: {'x' * 1051}"), "has 1051 characters (OpenSLO allows 1050)"),
        (slo(metadata="annotations: {seakeeping.dev/ownr: x}"),
         "unknown annotation seakeeping.dev/ownr of SLO (did you mean seakeeping.dev/owner?)"),
        (slo(metadata="annotations: {seakeeping.dev/slice-by: modle}"),
         "unknown dimension modle (did you mean model?)"),
        (slo(objectives="[]"), "spec.objectives: promises nothing"),
        (slo(objectives="[{}]"), "needs a target or a targetPercent"),
        (slo(objectives="[{target: 0.9, targetPercent: 90}]"), "stands beside a target"),
        (slo(objectives="[{target: 1}]"), "nothing could ever go wrong"),
        (slo(objectives="[{target: 0}]"), "leaves nothing to keep"),
        (slo(objectives="[{target: 99.9}]"), "99.9 is not within 0 and 1"),
        (slo(objectives="[{targetPercent: 100}]"), "a target of 100 leaves no budget"),
        (slo(objectives="[{target: high}]"), "'high' is not a number"),
        (slo(objectives="[{target: .nan}]"), "nan is not within"),
        (slo(objectives=f"[{OFTEN}]"), "objectives[0].op: belongs to a thresholdMetric only"),
        (slo(objectives="[{target: 0.9, timeSliceTarget: 0.9}]"), "Timeslices methods only"),
        (slo(objectives="[{target: 0.9}]").replace("Occurrences", "Timeslices"),
         "spec.objectives[0]: has no timeSliceWindow"),
        (slo(objectives="[{target: 0.9, timeSliceTarget: 0, timeSliceWindow: 5m}]")
         .replace("Occurrences", "Timeslices"), "a slice that needs nothing is always good"),
        (slo().replace("Occurrences", "Occurences"), "did you mean Occurrences?"),
        (slo("timeWindow: []"), "has 0 items (one window (OpenSLO))"),
        (slo("timeWindow: [{duration: 30x}]"), "unknown window '30x'"),
        (slo("timeWindow: [{duration: 30d, isRolling: false}]"), "needs a calendar"),
        (slo("timeWindow: [{duration: 1M, isRolling: true, calendar: {startTime: x}}]"),
         "a rolling window has no calendar"),
        (slo("timeWindow: [{duration: 1M, calendar: {startTime: yesterday}}]"), "is no moment"),
        (slo("timeWindow: [{duration: 1M, calendar: {startTime: 2024-01-01 00:00:00, "
             "timeZone: Mars/Base}}]"), "unknown time zone 'Mars/Base'"),
        (slo("indicatorRef: nothing"), "there is no SLI 'nothing'"),
        (slo(f"indicatorRef: a\nindicator: {inline('coverage')}"), "stands beside an indicator"),
        (slo("indicator:"), "needs an indicator or an indicatorRef"),
        (slo(objectives="[{target: 0.9, displayName: A}, {target: 0.8, displayName: a}]"),
         "is called 'chat-works-a', as another one"),
        (slo() + slo(objectives="[{target: 0.9, displayName: A}, {target: 0.8}]"),
         "SLO 'chat-works' is written twice (first at 0.yaml:4: metadata.name)"),
    ],
)  # fmt: skip
def test_every_complaint_has_its_place(tmp_path: Path, text: str, told: str) -> None:
    found = [str(f).replace(f"{tmp_path}/", "") for f in read(tmp_path, text)[1]]
    assert any(told in one for one in found), found
    assert all(one.startswith("0.yaml:") for one in found)


def test_two_documents_may_not_make_one_name(tmp_path: Path) -> None:
    second = slo(metadata="annotations: {seakeeping.dev/name: chat-works}").replace(
        "name: chat-works\n", "name: chat-more\n"
    )
    text = complaint(tmp_path, slo(), second)
    assert text.startswith("1.yaml:9: spec.objectives[0].target: an objective 'chat-works' is")
    assert text.endswith("(first at 0.yaml:9: spec.objectives[0].target)")


def test_a_broken_document_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    linked, findings = read(tmp_path, slo().replace("0.99", "2"), slo().replace("works", "answers"))
    assert [one.objective.name for one in linked.written] == ["chat-answers"]
    assert len(findings) == 1


def test_documents_nobody_refers_to_are_checked_too(tmp_path: Path) -> None:
    assert "1.yaml:4: spec.discription" in complaint(
        tmp_path, slo(), document("Service", "chat", "{discription: x}")
    )
