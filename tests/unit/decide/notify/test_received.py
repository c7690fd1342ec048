import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.decide.incidents.foreign import is_expired
from seakeeping.decide.notify.received import (
    LONGEST_TEXT,
    MOST_ALERTS,
    TOLD_UNTIL,
    alerts_from_webhook,
)
from seakeeping.errors import BadInput
from seakeeping.records import AlertState, Severity

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)


def an_alert(**changed: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "HighLatency", "service": "bot", "severity": "critical"},
        "annotations": {"summary": "slow"},
        "startsAt": "2026-09-21T14:12:20.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": "7f2a",
        **changed,
    }


def a_body(*alerts: Any, **changed: Any) -> dict[str, Any]:
    return {
        "version": "4", "groupKey": "{}:{}", "status": "firing", "receiver": "sea",
        "truncatedAlerts": 0, "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://am", "alerts": list(alerts), **changed,
    }  # fmt: skip


def test_alerts_are_read_with_their_times() -> None:
    (alert,) = alerts_from_webhook(json.dumps(a_body(an_alert())).encode())
    assert alert.starts_at == 1_789_999_940.123456
    assert (alert.state, alert.ends_at) == (AlertState.FIRING, None)
    assert alert.annotations == {"summary": "slow"}
    assert alert.objective is None
    assert alert.evidence["generator_url"] == "http://prometheus/graph"


def test_an_alert_that_is_over_has_an_end_after_its_start() -> None:
    over = an_alert(status="resolved", endsAt="2026-09-21T14:13:20+02:00")
    (alert,) = alerts_from_webhook(a_body(over))
    assert alert.state is AlertState.RESOLVED
    assert alert.ends_at == alert.starts_at
    (bare,) = alerts_from_webhook(a_body(an_alert(status="resolved")))
    assert bare.ends_at == bare.starts_at


def test_the_end_that_a_firing_alert_was_told_with_is_kept_as_such() -> None:
    (alert,) = alerts_from_webhook(a_body(an_alert(endsAt="2026-09-21T14:20:00Z")))
    assert (alert.ends_at, alert.evidence[TOLD_UNTIL]) == (None, "2026-09-21T14:20:00.000000Z")
    assert is_expired(alert, 1_790_000_400.0, 60.0)
    assert not is_expired(alert, 1_790_000_399.0, 60.0)
    (bare,) = alerts_from_webhook(a_body(an_alert()))
    assert bare.evidence[TOLD_UNTIL] is None


def test_the_end_that_a_firing_alert_would_have_is_none() -> None:
    (alert,) = alerts_from_webhook(a_body(an_alert(endsAt="2030-01-01T00:00:00Z")))
    assert alert.ends_at is None


@pytest.mark.parametrize(
    ("label", "severity"),
    [("page", Severity.PAGE), ("critical", Severity.PAGE), ("CRITICAL", Severity.PAGE),
     ("warning", Severity.TICKET), ("info", Severity.TICKET), ("ticket", Severity.TICKET),
     (None, Severity.PAGE), ("", Severity.PAGE)],
)  # fmt: skip
def test_the_severity_is_the_labels(label: str | None, severity: Severity) -> None:
    labels = {"alertname": "A"} | ({} if label is None else {"severity": label})
    (alert,) = alerts_from_webhook(a_body(an_alert(labels=labels)))
    assert alert.severity is severity


def test_an_empty_label_is_none() -> None:
    with_empty = an_alert(labels={"alertname": "A", "team": ""})
    without = an_alert(labels={"alertname": "A"})
    one, other = alerts_from_webhook(a_body(with_empty, without))
    assert one.fingerprint == other.fingerprint


def test_keys_of_a_newer_alertmanager_are_passed_over() -> None:
    assert alerts_from_webhook(a_body(an_alert(new=1), notification_reason="repeat"))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no JSON"), (b"[]", "must be a JSON object"), (b'"\xff"', "no JSON"),
        ({}, "version: is missing"), (a_body(version=4), "version: must be a string"),
        (a_body(version="3"), "version '3'"), ({"version": "4"}, "alerts: must be a list"),
        (a_body(None), r"alerts\[0\]: must be a JSON object"),
        (a_body(an_alert(), an_alert(labels={})), r"alerts\[1\].labels: an alert has at least"),
        (a_body(an_alert(labels=[])), r"alerts\[0\].labels: must be"),
        (a_body(an_alert(labels={"a": 1})), r"alerts\[0\].labels.a: must be a string"),
        (a_body(an_alert(labels={"a": "x" * (LONGEST_TEXT + 1)})), "bounded length"),
        (a_body(an_alert(annotations="x")), r"alerts\[0\].annotations: must be"),
        (a_body(an_alert(status="silenced")), r"alerts\[0\].status: must be firing or resolved"),
        (a_body(an_alert(startsAt="yesterday")), r"alerts\[0\].startsAt: must be an ISO-8601"),
        (a_body(an_alert(startsAt="2026-09-21T14:12:20")), "no time zone"),
        (a_body(an_alert(startsAt="0001-01-01T00:00:00Z")), "startsAt is missing"),
        (a_body(an_alert(startsAt=5)), r"alerts\[0\].startsAt: must be a string"),
        (a_body(*[an_alert()] * (MOST_ALERTS + 1)), "more than 10000 alerts"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(body: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        alerts_from_webhook(body)


@given(ANY_JSON)
def test_no_json_raises_anything_but_bad_input(given_json: Any) -> None:
    for body in (given_json, a_body(given_json), a_body(an_alert(labels=given_json)),
                 a_body(an_alert(startsAt=given_json)), a_body(alerts=given_json)):  # fmt: skip
        if isinstance(body, dict):
            try:
                alerts_from_webhook(body)
            except BadInput:
                continue


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        alerts_from_webhook(body)
