"""One look tells everything that is wrong: nobody mends a file error by error.

A consequence of a fault is no fault: what cannot be read for the lack of something is left out.
"""

from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import document, inline, read, slo

from seakeeping.config import check_files, objectives_of

MANY = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: bad, lables: {}}
spec:
  service: chat
  indicatorRef: nothing
  timeWindow: [{duration: 30x, isRolling: true}]
  budgetingMethod: Ocurrences
  objectives: [{target: 1.0}, {targetPercent: 100, goal: 3}]
  alertPolicies: [nosuch, neither]
---
apiVersion: openslo/v1
kind: SL0
metadata: {name: x}
"""


def errors(folder: Path, *texts: str) -> list[str]:
    """Return the errors of texts as ``line: key: message``, in the order of their lines."""
    _, findings = read(folder, *texts)
    found = [f for f in findings if not f.is_warning]
    told = [f"{f.place.split('.yaml:')[1]}: {f.message}" for f in found]
    return sorted(told, key=lambda line: int(line.split(":")[0]))


def test_every_fault_of_an_slo_is_told_and_no_consequence(tmp_path: Path) -> None:
    assert errors(tmp_path, MANY) == [
        "3: metadata.lables: unknown key lables",
        "6: spec.indicatorRef: there is no SLI 'nothing'",
        "7: spec.timeWindow[0].duration: unknown window '30x'",
        "8: spec.budgetingMethod: 'Ocurrences' is none of Occurrences, Timeslices, RatioTimeslices",
        "9: spec.objectives[0].target: a target of 1.0 leaves no budget: nothing could ever go "
        "wrong",
        "9: spec.objectives[1].goal: unknown key goal",
        "9: spec.objectives[1].targetPercent: a target of 100 leaves no budget: nothing could "
        "ever go wrong",
        "10: spec.alertPolicies[0]: there is no AlertPolicy 'nosuch'",
        "10: spec.alertPolicies[1]: there is no AlertPolicy 'neither'",
        "13: kind: 'SL0' is none of DataSource, Service, SLI, SLO, AlertPolicy, AlertCondition, "
        "AlertNotificationTarget",
    ]


def test_a_document_with_a_fault_around_its_spec_is_read_and_not_in_force(tmp_path: Path) -> None:
    linked, findings = read(tmp_path, slo().replace("name: chat-works", "name: chat-works\n  x: 1"))
    assert [f.message for f in findings] == ["unknown key x"]
    assert linked.written == ()


def test_a_document_without_a_name_is_read_all_the_same(tmp_path: Path) -> None:
    text = slo().replace("name: chat-works", "displayName: it")
    found = errors(tmp_path, text.replace("target: 0.99", "target: 9"), text)
    assert [line.split(": ", 1)[1] for line in found] == [
        "metadata: has no name", "metadata: has no name",
        "spec.objectives[0].target: 9 is not within 0 and 1",
    ]  # fmt: skip


def test_all_odd_parts_of_a_source_are_told(tmp_path: Path) -> None:
    more = ", filter: {modle: a, regoin: b}, isEstimate: perhaps, threshold: x"
    found = errors(tmp_path, slo(f"indicator: {inline('latency', more)}"))
    assert [line.split("spec.metricSource", 1)[-1].rsplit(": ", 1)[1] for line in found] == [
        "unknown dimension modle", "unknown dimension regoin",
        "isEstimate belongs to evaluations only", "'x' is not a number",
    ]  # fmt: skip


def test_all_odd_parts_of_a_policy_and_its_condition_are_told(tmp_path: Path) -> None:
    condition = (
        "{severity: alarm, condition: {kind: burn, threshold: -1, lookbackWindow: 30s, x: 1}}"
    )
    policy = document(
        "AlertPolicy",
        "p",
        "{alertWhenNoData: 3, notificationTargets: [{targetRef: a}, {targetRef: b}]}",
        "{seakeeping.dev/severity: loud}",
    )
    text = policy + document("AlertCondition", "c", condition)  # fmt: skip
    told = [line.rsplit(": ", 1)[1] for line in errors(tmp_path, text)]
    assert len(told) == 9
    for words in (
        "3 is not true or false", "there is no AlertNotificationTarget 'a'",
        "there is no AlertNotificationTarget 'b'", "unknown key x",
        "a burn rate above 0 is always there",
    ):  # fmt: skip
        assert words in told


def test_both_sides_of_a_ratio_are_told(tmp_path: Path) -> None:
    good = "{metricSource: {type: Prometheus, spec: {query: 'avg(x)'}}}"
    total = "{metricSource: {type: Datadog, spec: {query: x}}}"
    ratio = f"{{spec: {{ratioMetric: {{counter: true, good: {good}, total: {total}}}}}}}"
    found = errors(tmp_path, slo(f"indicator: {ratio}"))
    assert len(found) == 2
    assert "sources of type Datadog are not read" in found[0] + found[1]


SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: raw
    objective: 99.9
    sli: {raw: {error_ratio_query: a}}
    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
  - name: queries
    objective: 100
    sli: {events: {error_query: 'avg(x)', total_query: 'max(y)'}}
    alerting: {}
  - name: odd
    objective: 99
    extra: 1
    sli: {plugin: {id: x}}
"""


def test_every_slo_of_a_sloth_file_is_told(tmp_path: Path) -> None:
    found = errors(tmp_path, SLOTH)
    assert [line.split(":")[0] for line in found] == ["6", "9", "10", "10", "12", "14", "15"]


PYRRA = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: none}
spec: {target: "101", window: soon, indicator: {}, alerting: {brunrates: true}, x: 1}
"""


def test_every_part_of_a_pyrra_file_is_told(tmp_path: Path) -> None:
    told = " | ".join(errors(tmp_path, PYRRA))
    for words in ("unknown key x", "101 % leaves no budget", "'soon' is no duration",
                  "has 0 indicators", "unknown key brunrates"):  # fmt: skip
        assert words in told


def test_every_item_of_our_own_kinds_is_told(tmp_path: Path) -> None:
    path = tmp_path / "scrape.yaml"
    path.write_text(
        "kind: Scrape\nversion: 1\ntargets:\n  - {url: nowhere}\n  - {uri: x}\n  - {url: ftp://a}\n"
    )
    assert len(check_files([path])) == 3


def test_every_rule_of_a_content_policy_is_told(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "kind: ContentPolicy\nversion: 1\ndefault: keep\nextra: 1\nredact: [secret, pi]\n"
        "services:\n  - {match: a, policy: b}\n  - {match: c}\n"
        "patterns:\n  - {name: a, pattern: '('}\n  - {name: b, pattern: 'x*'}\n"
    )
    assert len(check_files([path])) == 8


def test_an_objective_of_the_api_is_refused_with_all_its_faults() -> None:
    owned = objectives_of([
        {"apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": "a", "nmae": "b"},
         "spec": {"service": "chat", "budgetingMethod": "x", "objectives": [{"target": 2}]}},
    ])  # fmt: skip
    assert len(owned.findings) == 4
    assert owned.objectives == ()


@pytest.mark.parametrize(
    ("name", "plain"), [("Odd_2", "odd-2"), ("a" * 64, "a" * 63), ("chat.Works", "chat-works")]
)
def test_a_name_that_other_readers_may_refuse_is_a_warning(
    tmp_path: Path, name: str, plain: str
) -> None:
    linked, findings = read(tmp_path, slo().replace("chat-works", name))
    (finding,) = findings
    assert finding.is_warning
    assert "no name by RFC 1123" in finding.message
    assert f"e.g. {plain}, and {name} as the annotation seakeeping.dev/name" in finding.hint
    assert linked.written[0].objective.name == name


def test_so_is_the_name_of_a_service_unless_it_is_an_annotation(tmp_path: Path) -> None:
    odd = slo().replace("service: chat", "service: Chat Service")
    (finding,) = read(tmp_path, odd)[1]
    assert "annotation seakeeping.dev/service-name" in finding.hint
    annotated = odd.replace("Chat Service", "chat-service").replace(
        "name: chat-works", "name: chat-works\n  annotations: {seakeeping.dev/service-name: Chat S}"
    )
    linked, findings = read(tmp_path, annotated)
    assert findings == []
    assert linked.written[0].objective.service == "Chat S"


@pytest.mark.parametrize("name", ["chat-works", "shop/availability", "a.b-c", "x"])
def test_names_that_the_schema_of_openslo_takes_are_fine(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, slo().replace("chat-works", name))[1] == []
