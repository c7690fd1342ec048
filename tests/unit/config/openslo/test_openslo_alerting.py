"""Alert policies, conditions and targets: tables by default, and no secret in plain sight."""

from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import complaint, document, objective, read, slo

from seakeeping.records import Alerting, BurnAlert, NotificationTarget, Severity, TargetKind
from seakeeping.records.burn import standard_alerts

PAGE, TICKET = Severity.PAGE, Severity.TICKET
DAY = 86_400
BURN = "{severity: page, condition: {kind: burnrate, op: gt, threshold: 2, lookbackWindow: 1h, " \
    "alertAfter: 5m}}"  # fmt: skip
BURNS = document("AlertCondition", "burns", BURN)


def policy(name: str, spec: str, severity: str | None = None) -> str:
    annotations = f"{{seakeeping.dev/severity: {severity}}}" if severity else "{}"
    return document("AlertPolicy", name, spec, annotations)


def target(name: str, kind: str = "slack", annotations: str | None = None) -> str:
    own = annotations or f"seakeeping.dev/secret-env: {name.upper()}_SECRET"
    return document("AlertNotificationTarget", name, f"{{target: {kind}}}", f"{{{own}}}")


def alerting(folder: Path, policies: str, *texts: str) -> Alerting:
    return objective(folder, slo(f"alertPolicies: {policies}"), *texts).alerting


def test_a_policy_without_a_condition_is_the_standard_table(tmp_path: Path) -> None:
    made = alerting(tmp_path, "[all]", policy("all", "{conditions: []}"))
    assert made.burn is None
    assert made.severities == (PAGE, TICKET)
    assert made.absent_after_s is None


def test_of_one_severity(tmp_path: Path) -> None:
    made = alerting(tmp_path, "[{alertPolicyRef: p}]", policy("p", "{}", "critical"))
    assert (made.burn, made.severities) == (None, (PAGE,))


def test_a_condition_watches_a_twelfth_too(tmp_path: Path) -> None:
    text = policy("p", "{conditions: [{conditionRef: burns}]}")
    assert alerting(tmp_path, "[p]", text, BURNS).burn == (BurnAlert(PAGE, 3600, 300, 2.0, 300.0),)


def test_a_condition_within_a_policy_within_an_slo(tmp_path: Path) -> None:
    condition = (
        "{kind: AlertCondition, metadata: {name: c, annotations: {seakeeping.dev/severity: "
        "ticket, seakeeping.dev/short-window: 90s}}, spec: "
        + BURN.replace("page", "whatever")
        + "}"
    )
    policies = (
        f"[{{kind: AlertPolicy, metadata: {{name: p}}, spec: {{conditions: [{condition}]}}}}]"
    )
    assert alerting(tmp_path, policies).burn == (BurnAlert(TICKET, 3600, 90, 2.0, 300.0),)


def test_the_place_of_a_threshold_is_known(tmp_path: Path) -> None:
    text = policy("p", "{conditions: [{conditionRef: burns}]}")
    linked, _ = read(tmp_path, slo("alertPolicies: [p]"), text, BURNS)
    (place,) = linked.written[0].alert_places.values()
    assert place == f"{tmp_path / '2.yaml'}:4: spec.condition.threshold"


def test_a_table_and_a_condition_stand_side_by_side(tmp_path: Path) -> None:
    own = policy("own", "{conditions: [{conditionRef: burns}]}")
    made = alerting(tmp_path, "[table, own]", policy("table", "{}", "ticket"), own, BURNS)
    tickets = [row for row in standard_alerts(30 * DAY) if row.severity is TICKET]
    assert made.burn == (*tickets, BurnAlert(PAGE, 3600, 300, 2.0, 300.0))


def test_each_severity_has_its_targets(tmp_path: Path) -> None:
    made = alerting(
        tmp_path,
        "[wake, tell]",
        policy("wake", "{notificationTargets: [{targetRef: pager}]}", "page"),
        policy("tell", "{notificationTargets: [{targetRef: chat}]}", "ticket"),
        target("pager", "pagerduty"),
        target("chat"),
    )
    assert made.targets == ("pager", "chat")
    assert made.severity_targets == {PAGE: ("pager",), TICKET: ("chat",)}


def test_without_targets_all_are_told(tmp_path: Path) -> None:
    made = alerting(tmp_path, "[p]", policy("p", "{}"), target("chat"))
    assert (made.targets, made.severity_targets) == ((), {})


def test_no_data_and_resolved(tmp_path: Path) -> None:
    spec = "{alertWhenNoData: true, alertWhenResolved: false, alertWhenBreaching: false}"
    made = alerting(tmp_path, "[p]", policy("p", spec))
    assert (made.absent_after_s, made.when_resolved, made.burn) == (600.0, False, ())


def test_annotations_of_the_slo(tmp_path: Path) -> None:
    made = objective(
        tmp_path,
        slo(
            metadata="annotations: {seakeeping.dev/min-events: '50', seakeeping.dev/evidence: "
            "'false', seakeeping.dev/absent-after: 1h, seakeeping.dev/alert-name: Burns, "
            """seakeeping.dev/alert-labels: '{"page": {"team": "a"}}'}"""
        ),
    ).alerting
    assert (made.min_events, made.evidence, made.absent_after_s) == (50, False, 3600.0)
    assert (made.alert_name, made.alert_labels) == ("Burns", {PAGE: {"team": "a"}})
    assert made.burn is None


def test_no_alerts_at_all(tmp_path: Path) -> None:
    made = objective(tmp_path, slo(metadata="annotations: {seakeeping.dev/alerts: none}")).alerting
    assert (made.burn, made.evidence) == ((), False)


@pytest.mark.parametrize(
    ("kind", "annotations", "made"),
    [
        ("slack", "seakeeping.dev/secret-env: BOT, seakeeping.dev/options: 'channel=#a, x=y'",
         NotificationTarget("t", TargetKind.SLACK, None, "BOT", {"channel": "#a", "x": "y"})),
        ("Web-Hook", "seakeeping.dev/url: 'https://a/b'",
         NotificationTarget("t", TargetKind.WEBHOOK, "https://a/b")),
        ("email", "seakeeping.dev/url: 'mailto:a@b.c'",
         NotificationTarget("t", TargetKind.EMAIL, "mailto:a@b.c")),
        ("alertmanager", "seakeeping.dev/url: 'http://am:9093'",
         NotificationTarget("t", TargetKind.ALERTMANAGER, "http://am:9093")),
    ],
)  # fmt: skip
def test_targets(tmp_path: Path, kind: str, annotations: str, made: NotificationTarget) -> None:
    linked, findings = read(tmp_path, target("t", kind, annotations))
    assert findings == []
    assert linked.targets == (made,)


def test_targets_within_policies_count(tmp_path: Path) -> None:
    inner = (
        "{kind: AlertNotificationTarget, metadata: {name: t, annotations: "
        "{seakeeping.dev/secret-env: T}}, spec: {target: slack}}"
    )
    linked, findings = read(tmp_path, policy("p", f"{{notificationTargets: [{inner}]}}"))
    assert findings == []
    assert [one.name for one in linked.targets] == ["t"]
    within = f"[{{kind: AlertPolicy, spec: {{notificationTargets: [{inner}]}}}}]"
    linked, findings = read(tmp_path, slo(f"alertPolicies: {within}"))
    assert findings == []
    assert linked.written[0].objective.alerting.targets == ("t",)
    assert [one.name for one in linked.targets] == ["t"]


URL, SECRET = "seakeeping.dev/url: ", "seakeeping.dev/secret-env: A, "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (slo("alertPolicies: [none]"), "there is no AlertPolicy 'none'"),
        (policy("p", "{conditions: [{conditionRef: burn}]}") + BURNS, "did you mean burns?"),
        (policy("p", "{conditions: [{conditionRef: burns}, {conditionRef: burns}]}") + BURNS,
         "conditions[1]: a policy has one condition"),
        (policy("p", "{notificationTargets: [{targetRef: x}]}"), "no AlertNotificationTarget 'x'"),
        (policy("p", "{alertWhenNoData: often}"), "'often' is not true or false"),
        (policy("p", "{}", "loud"), "'loud' is none of page, critical"),
        (BURNS.replace("severity: page", "severity: loud"), "'loud' is none of"),
        (BURNS.replace("op: gt", "op: lt"), "a burn alert fires above its threshold"),
        (BURNS.replace("burnrate", "burn-rate"), "did you mean burnrate?"),
        (BURNS.replace("threshold: 2", "threshold: 0"), "a burn rate above 0 is always there"),
        (BURNS.replace("lookbackWindow: 1h", "lookbackWindow: 10s"), "10s is less than 60 s"),
        (BURNS.replace("lookbackWindow: 1h, ", ""), "has no lookbackWindow"),
        (BURNS.replace("annotations: {}", "annotations: {seakeeping.dev/short-window: 2h}"),
         "is longer than the lookbackWindow"),
        (target("t", "pigeon"), "'pigeon' is none of"),
        (target("t", "webhook", "a: b"), "nothing says where t is"),
        (target("t", "slack", URL + "'https://slack.example/api'"), "slack needs a secret"),
        (target("t", "apprise", URL + "'ntfy://a/b', seakeeping.dev/secret-env: A"),
         "addresses of Apprise hold secrets"),
        (target("t", "slack", SECRET + URL + "'https://hooks.slack.com/services/a/b'"),
         "holds a secret"),
        (target("t", "webhook", URL + "'https://u:p@a/b'"), "holds a secret"),
        (target("t", "webhook", URL + "'https://a/b?token=x'"), "holds a secret"),
        (target("t", "webhook", URL + "ftp://a"), "is not an http address"),
        (target("t", "slack", "seakeeping.dev/secret-env: 'xoxb-1'"), "is no name of an env"),
        (target("t", "slack", "seakeeping.dev/secret-env: A, seakeeping.dev/options: x"),
         "'x' is no option"),
        (slo(metadata="annotations: {seakeeping.dev/alerts: some}"), "'some' is none of none"),
        (slo(metadata="annotations: {seakeeping.dev/min-events: few}"), "'few' is not a number"),
        (slo(metadata="annotations: {seakeeping.dev/evidence: maybe}"), "none of true, false"),
        (slo(metadata="annotations: {seakeeping.dev/alert-labels: 'page: 1'}"),
         "holds no texts by severity"),
        (slo(metadata="annotations: {seakeeping.dev/alert-labels: 'pagee: {}'}"), "unknown key"),
    ],
)  # fmt: skip
def test_complaints(tmp_path: Path, text: str, told: str) -> None:
    assert told in complaint(tmp_path, text)


def test_a_secret_is_never_in_a_complaint(tmp_path: Path) -> None:
    text = target("t", "webhook", URL + "'https://u:hunter2@a/b'")
    assert "hunter2" not in complaint(tmp_path, text)
