"""Late and early events, broken files, contradictory labels, objectives that change under fire."""

import json
import random
import subprocess
import sys
import time
from typing import Any

import pytest
from tests.e2e import watching
from tests.e2e.conftest import Server
from tests.e2e.test_server_survives import ANSWER, retrieval, scored


def slo(
    name: str, service: str, target: float, spec: dict[str, Any], *, within: float | None = None
) -> dict[str, Any]:
    """Return an OpenSLO document; ``within`` is a threshold that events must keep, in seconds."""
    source = {"metricSource": {"type": "seakeeping", "spec": spec}}
    ratio = {"ratioMetric": {"rawType": "success", "raw": source}}
    limit = {} if within is None else {"op": "lte", "value": within}
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": name},
        "spec": {
            "service": service,
            "indicator": {"spec": ratio if within is None else {"thresholdMetric": source}},
            "timeWindow": [{"duration": "30d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"target": target, **limit}],
        },
    }


AVAILABILITY, INSTANT = {"signal": "availability"}, {"signal": "latency"}


# -- time -----------------------------------------------------------------------------------------


def test_events_two_days_late_and_out_of_order_are_counted_and_page_nobody(server: Server) -> None:
    name, now = "late/availability", time.time()
    watching.send(server, watching.calls(range(1, 201), service="late"))
    server.until(lambda: watching.counted(server, name) == (200, 0))
    late = [
        watching.calls([number], at=now - 2 * watching.DAY - number * 7, bad=True, service="late")
        for number in range(201, 501)
    ]
    random.Random(7).shuffle(late)
    for part in range(0, len(late), 100):
        watching.send(server, [span for one in late[part : part + 100] for span in one])
    server.until(lambda: watching.counted(server, name) == (500, 300))
    found = watching.budget(server, name)
    assert found is not None
    assert found["state"] == "BREACH"
    assert found["burn_rates"]["3d"] == pytest.approx(0.6 / 0.005)
    recent = ("5m", "30m", "1h", "2h", "6h", "1d")
    assert {found["burn_rates"][look] for look in recent} == {0.0}
    watching.pause(3.0)
    fired = [
        one for one in server.get("/api/alerts")["items"] if one["labels"]["service"] == "late"
    ]
    assert fired == [], "what is two days old wakes nobody"


def test_the_same_failures_of_now_page_at_once(server: Server) -> None:
    watching.send(server, watching.calls(range(601, 801), service="now"))
    watching.send(server, watching.calls(range(801, 1101), bad=True, service="now"))
    server.until(lambda: watching.alerts(server, "now/availability") == {"page", "ticket"})


def test_events_of_a_clock_that_runs_ahead_wait_for_their_time(server: Server) -> None:
    name, now = "early/availability", time.time()
    watching.send(server, watching.calls(range(1201, 1221), service="early"))
    soon = watching.calls(range(1221, 1321), at=now + 7200, bad=True, service="early")
    watching.send(server, [*soon, *watching.calls([1321], at=now - 90_000, service="early")])
    server.until(lambda: scored(server, soon[0]))
    server.until(lambda: watching.counted(server, name) == (21, 0))
    watching.pause(2.0)
    assert watching.counted(server, name) == (21, 0)
    assert watching.alerts(server, name) == set()


# -- labels ---------------------------------------------------------------------------------------


def test_people_who_disagree_are_both_kept_and_the_budget_says_so(server: Server) -> None:
    answers = watching.calls(range(1401, 1411), service="torn")
    found = [
        retrieval(1420 + n, one.trace_id, one.started_at - 1, ANSWER)
        for n, one in enumerate(answers)
    ]
    watching.send(server, [*found, *answers])
    name = "torn/faithfulness"
    server.until(lambda: watching.counted(server, name)[0] == 10)
    torn = {"trace_id": answers[0].trace_id, "span_id": answers[0].span_id, "name": "faithfulness"}
    for author, value in (("ann", 1.0), ("ben", 0.0)):
        body = {"labels": [{**torn, "author": author, "value": value}]}
        watching.ask(server, "POST", "/api/labels", body)
    kept = server.get(f"/api/labels?trace_id={torn['trace_id']}")["items"]
    assert {(one["author"], one["value"]) for one in kept} == {("ann", 1.0), ("ben", 0.0)}
    server.until(lambda: "Labels of 1 answers contradict each other." in note_of(server, name))


def note_of(server: Server, name: str) -> str:
    found = watching.budget(server, name)
    return str(found["note"]) if found else ""


# -- files ----------------------------------------------------------------------------------------


def test_an_objective_on_an_evaluation_that_nobody_makes_is_warned_of_and_never_green(
    server: Server,
) -> None:
    spec = {"signal": "evaluation", "evaluation": "faithfulnes", "badLabels": ["unsupported"]}
    document = slo("odd", "odd", 0.9, spec)
    watching.resource(server, json.dumps(document, indent=2), "odd.yaml")
    done = check(server, "odd.yaml")
    assert done.returncode == 0, "a warning: somebody else's evaluator may make it"
    assert "odd.yaml:" in done.stdout
    assert "no evaluator here makes faithfulnes" in done.stdout
    assert "did you mean faithfulness?" in done.stdout
    answers = watching.calls(range(1501, 1521), service="odd")
    watching.send(server, answers)
    server.until(lambda: watching.counted(server, "odd/availability") == (20, 0))
    found = server.until(lambda: watching.budget(server, "odd"))
    assert found["state"] == "NO_DATA"
    assert found["remaining_ratio"] is None


def check(server: Server, name: str) -> "subprocess.CompletedProcess[str]":
    return seakeeping("check", str(server.data / "resources" / name))


def seakeeping(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "seakeeping", *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_broken_file_changes_nothing_and_is_said_until_it_is_mended(server: Server) -> None:
    good = json.dumps(slo("kept", "kept", 0.9, AVAILABILITY), indent=2)
    watching.resource(server, good, "kept.yaml")
    watching.send(server, watching.calls(range(1601, 1621), service="kept"))
    server.until(lambda: watching.counted(server, "kept") == (20, 0))
    assert server.get("/api/findings")["items"] == []

    watching.resource(server, good.replace('"target"', '"targte"'), "kept.yaml")
    finding, needed = server.until(lambda: server.get("/api/findings")["items"])
    assert "needs a target" in needed["message"]
    assert "kept.yaml:" in finding["place"]
    assert "target" in finding["hint"]
    assert "last good version" in server.get("/objectives", raw=True)
    told = seakeeping("slo", "list", "--endpoint", server.url)
    assert "kept" in told.stdout
    assert "resources stay as they were" in told.stderr
    watching.send(server, watching.calls(range(1621, 1641), service="kept"))
    server.until(lambda: watching.counted(server, "kept") == (40, 0))

    watching.resource(server, good.replace("0.9", "0.8"), "kept.yaml")
    server.until(lambda: target_of(server, "kept") == 0.8)
    server.until(lambda: not server.get("/api/findings")["items"])
    assert "last good version" not in server.get("/objectives", raw=True)


def target_of(server: Server, name: str) -> float | None:
    found = watching.budget(server, name)
    return found["objective"]["target_ratio"] if found else None


def test_an_objective_that_changes_and_goes_while_it_burns_ends_its_alerts_and_says_why(
    server: Server,
) -> None:
    path = "/api/objectives/promise"
    watching.ask(server, "PUT", path, slo("promise", "swap", 0.99, INSTANT, within=0.5))
    watching.send(server, watching.calls(range(1701, 1901), service="swap"))
    server.until(lambda: watching.alerts(server, "promise") == {"page", "ticket"})

    watching.ask(server, "PUT", path, slo("promise", "swap", 0.999, INSTANT, within=0.5))
    server.until(lambda: "the objective was changed" in told_of(server, "swap"))
    server.until(lambda: "came back" in told_of(server, "swap"))
    assert watching.alerts(server, "promise") == {"page", "ticket"}
    server.until(lambda: target_of(server, "promise") == 0.999)

    watching.ask(server, "DELETE", path)
    server.until(lambda: "the objective was deleted" in told_of(server, "swap"))
    assert watching.alerts(server, "promise") == set()
    (incident,) = of_service(server, "swap")
    assert incident["state"] == "resolved"
    assert steps_of(incident) == ["opened", "resolved", "reopened", "resolved"]


def test_an_objective_that_goes_while_others_burn_is_told_in_the_incident(server: Server) -> None:
    path = "/api/objectives/extra"
    watching.ask(server, "PUT", path, slo("extra", "part", 0.99, INSTANT, within=0.5))
    watching.send(server, watching.calls(range(1901, 2101), bad=True, service="part"))
    watching.send(server, watching.calls(range(2101, 2301), service="part"))
    server.until(lambda: watching.alerts(server, "part/availability") == {"page", "ticket"})
    server.until(lambda: watching.alerts(server, "extra") == {"page", "ticket"})

    watching.ask(server, "DELETE", path)
    server.until(lambda: "extra: the objective was deleted" in told_of(server, "part"))
    (incident,) = of_service(server, "part")
    assert incident["state"] != "resolved"
    assert steps_of(incident)[-1] == "withdrawn"
    assert watching.alerts(server, "part/availability") == {"page", "ticket"}


def of_service(server: Server, service: str) -> list[dict[str, Any]]:
    return [one for one in watching.incidents(server) if one["service"] == service]


def steps_of(incident: dict[str, Any]) -> list[str]:
    """Return what was done about an incident, but for what was found out."""
    actions = [step["action"] for step in incident["timeline"]]
    return [action for action in actions if action != "diagnosed"]


def told_of(server: Server, service: str) -> str:
    """Return what the timelines of a service's incidents say."""
    return "\n".join(
        step["reason"] for one in of_service(server, service) for step in one["timeline"]
    )
