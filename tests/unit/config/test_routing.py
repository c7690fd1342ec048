"""Routing as a resource: Alertmanager's keys and defaults, complaints with their place."""

from pathlib import Path

import pytest
import yaml

from seakeeping.config import check_files, load_resources
from seakeeping.config.routing import LONGEST_S
from seakeeping.records import PAGE_INHIBITS_TICKET, InhibitRule, Matcher, Routing

HEAD = "kind: AlertRouting\nversion: 1\n"
ALERTMANAGERS = """
route:
  receiver: team
  group_by: [service, region]
  group_wait: 10s
  group_interval: 1m30s
  repeat_interval: 1d
inhibit_rules:
- source_matchers: [severity="page", 'env=~"prod|stage"']
  target_matchers: [severity = ticket]
  equal: [service]
- source_matchers: ['alertname="SLOMetricAbsent"']
  target_matchers: ['alertname!="SLOMetricAbsent"']
"""


def routing(tmp_path: Path, text: str) -> Routing:
    (tmp_path / "routing.yaml").write_text(HEAD + text)
    resources, findings = load_resources(tmp_path)
    assert [finding for finding in findings if not finding.is_warning] == []
    return resources.routing


def findings(tmp_path: Path, text: str, more: str = "") -> list[str]:
    """Return what is wrong, with the line and the key but without the folder."""
    path = tmp_path / "routing.yaml"
    path.write_text(HEAD + text + more)
    return [str(finding).removeprefix(f"{path}:") for finding in check_files([path])]


def test_without_a_document_alertmanagers_defaults_hold() -> None:
    found = load_resources(None)[0].routing
    assert found == Routing(("service", "slo"), 30.0, 300.0, 14_400.0, (PAGE_INHIBITS_TICKET,))


def test_an_empty_document_changes_nothing(tmp_path: Path) -> None:
    assert routing(tmp_path, "") == Routing()


def test_the_keys_are_those_of_alertmanagers_own_file(tmp_path: Path) -> None:
    theirs = yaml.safe_load(ALERTMANAGERS)
    del theirs["route"]["receiver"]
    ours = {**theirs["route"], "inhibit_rules": theirs["inhibit_rules"]}
    assert routing(tmp_path, yaml.safe_dump(ours)) == Routing(
        group_by=("service", "region"),
        group_wait_s=10.0,
        group_interval_s=90.0,
        repeat_interval_s=86_400.0,
        inhibit=(
            InhibitRule(
                (Matcher("severity", "page"), Matcher("env", "prod|stage", is_regex=True)),
                (Matcher("severity", "ticket"),),
                ("service",),
            ),
            InhibitRule(
                (Matcher("alertname", "SLOMetricAbsent"),),
                (Matcher("alertname", "SLOMetricAbsent", is_equal=False),),
            ),
        ),
    )


def test_the_resolve_timeout_is_longer_than_an_alertmanager_waits_to_tell_again(
    tmp_path: Path,
) -> None:
    usual = Routing()
    assert usual.resolve_timeout_s >= usual.repeat_interval_s + usual.group_interval_s
    assert routing(tmp_path, "resolve_timeout: 25h\n").resolve_timeout_s == 90_000.0
    assert "resolve_timeout" in findings(tmp_path, "resolve_timeout: soon\n")[0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), ("0s", 0.0), ("500ms", 0.5), ("45s", 45.0), ("2h45m", 9900.0), ("1w", 604_800.0),
     ("1d12h", 129_600.0), ("1y", 31_536_000.0)],
)  # fmt: skip
def test_durations_are_prometheus(tmp_path: Path, text: str, seconds: float) -> None:
    assert routing(tmp_path, f"group_wait: {text}").group_wait_s == seconds


def test_no_rule_at_all_can_be_asked_for(tmp_path: Path) -> None:
    assert routing(tmp_path, "inhibit_rules: []").inhibit == ()


def test_all_labels_can_be_asked_for(tmp_path: Path) -> None:
    assert routing(tmp_path, "group_by: ['...']").group_by == ("...",)
    assert findings(tmp_path, "group_by: ['...']") == []


def test_the_last_document_decides(tmp_path: Path) -> None:
    two = f"group_wait: 1s\n---\n{HEAD}group_wait: 2s\n"
    assert routing(tmp_path, two).group_wait_s == 2.0


WRONG = [
    ("group_wiat: 1s", "3: group_wiat: unknown key group_wiat (did you mean group_wait?)"),
    ("group_wait: soon", "3: group_wait: 'soon' is no duration (a number and s, m, h or d, e.g. "
     "30s, 5m, 1h30m)"),
    ("group_wait: 30", "3: group_wait: '30' is no duration (a number and s, m, h or d, e.g. 30s, "
     "5m, 1h30m)"),
    ("group_wait: 5m1h", "3: group_wait: '5m1h' is no duration (a number and s, m, h or d, e.g. "
     "30s, 5m, 1h30m)"),
    ("group_interval: 0s", "3: group_interval: 0s is not within 1 s and a year"),
    ("repeat_interval: 2y", "3: repeat_interval: 2y is not within 1 s and a year"),
    ("group_by: [slo, slo]", "3: group_by: names a label twice"),
    ("group_by: ['...', slo]", "3: group_by: ... stands for all labels (write it alone)"),
    ("inhibit_rules:\n- source_match: [a=b]", "4: inhibit_rules[0].source_match: unknown key "
     "source_match (did you mean source_matchers?)"),
    ("inhibit_rules:\n- source_matchers: [severity=page]", "4: inhibit_rules[0]: has no "
     "target_matchers"),
    ("inhibit_rules:\n- source_matchers: []\n  target_matchers: [severity=ticket]",
     "4: inhibit_rules[0].source_matchers: has no matcher (every alert would meet it; name at "
     "least one label)"),
    ("inhibit_rules:\n- source_matchers: [severity]\n  target_matchers: [severity=ticket]",
     "4: inhibit_rules[0].source_matchers[0]: 'severity' is no matcher (e.g. service=\"shop\" or "
     'severity!~"ticket")'),
    ("inhibit_rules:\n- source_matchers: ['slo=~\"(\"']\n  target_matchers: [severity=ticket]",
     "4: inhibit_rules[0].source_matchers[0]: '(' is no regular expression: missing ): "
     "( (the syntax is RE2's: without look-around and references back)"),
    ("inhibit_rules:\n- source_matchers: ['slo=\"a\", service=\"b\"']\n"
     "  target_matchers: [severity=ticket]",
     "4: inhibit_rules[0].source_matchers[0]: 'slo=\"a\", service=\"b\"' is no single matcher "
     '(one by one, e.g. service="shop")'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), WRONG, ids=[told[:40] for _, told in WRONG])
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    assert findings(tmp_path, text) == [told]


SLO = """
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability, labels: {team: search}}
spec:
  service: shop
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource:
    {type: seakeeping, spec: {signal: availability}}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


@pytest.mark.parametrize("text", ["group_by: [team]", "group_by: [service, region]"])
def test_labels_of_objectives_and_dimensions_are_known(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, text, SLO) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("group_by: [slo, tema]", "3: group_by[1]"),
        ("inhibit_rules:\n- source_matchers: [tema=a]\n  target_matchers: [severity=ticket]",
         "4: inhibit_rules[0].source_matchers[0]"),
        ("inhibit_rules:\n- source_matchers: [severity=page]\n"
         "  target_matchers: [severity=ticket]\n  equal: [tema]", "6: inhibit_rules[0].equal[0]"),
    ],
)  # fmt: skip
def test_a_label_that_no_alert_has_is_doubtful_and_in_force(
    tmp_path: Path, text: str, place: str
) -> None:
    (told,) = findings(tmp_path, text, SLO)
    assert told == (
        f"{place}: warning: no alert of these files has the label tema (did you mean team?)"
    )


def test_the_longest_interval_is_a_year(tmp_path: Path) -> None:
    assert routing(tmp_path, "repeat_interval: 366d").repeat_interval_s == LONGEST_S
