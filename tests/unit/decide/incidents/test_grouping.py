"""Alerts of one service and time are one incident; so are two with one cause."""

from dataclasses import replace

from tests.unit.decide.by_hand import NOW, alert
from tests.unit.decide.incidents.made import cause, diagnosis

from seakeeping.decide.incidents import grouping, machine
from seakeeping.decide.incidents.grouping import JOIN_S, REOPEN_S, Group
from seakeeping.records import Alert, Diagnosis, Incident, IncidentState


def of(service: str, name: str = "a", at: float = NOW) -> Alert:
    made = alert(name)
    return replace(made, labels={**made.labels, "service": service}, starts_at=at)


def incident(incident_id: str, *alerts: Alert, at: float = NOW, service: str = "chat") -> Incident:
    return replace(machine.opened(incident_id, alerts, service, at).incident, version=1)


def resolved(it: Incident, at: float) -> Incident:
    return replace(it, state=IncidentState.RESOLVED, resolved_at=at)


def groups(alerts: list[Alert], incidents: list[Incident], now: float = NOW) -> list[Group]:
    starts = {it.fingerprint: it.starts_at for it in alerts}
    return grouping.grouped(alerts, incidents, now, starts=starts)


def test_alerts_of_one_service_are_one_incident() -> None:
    (group,) = groups([of("chat", "a"), of("chat", "b")], [])
    assert (group.service, len(group.alerts), group.incident) == ("chat", 2, None)
    step = grouping.step_of(group, "inc-7", NOW)
    assert (step.action, step.incident.id, step.incident.service) == ("opened", "inc-7", "chat")


def test_alerts_of_two_services_are_two() -> None:
    assert [it.service for it in groups([of("shop"), of("chat")], [])] == ["chat", "shop"]


def test_an_alert_joins_the_open_incident_of_its_service() -> None:
    first = incident("inc-1", of("chat", "a"))
    (group,) = groups([of("chat", "a"), of("chat", "b")], [first])
    assert grouping.step_of(group, "new", NOW).action == "joined"
    assert [it.objective for it in group.alerts] == ["b"]


def test_an_alert_that_an_incident_holds_asks_for_nothing() -> None:
    assert groups([of("chat", "a")], [incident("inc-1", of("chat", "a"))]) == []


def test_long_after_another_alert_is_another_incident() -> None:
    first = incident("inc-1", of("chat", "a"))
    late = NOW + JOIN_S + 1
    (group,) = groups([of("chat", "a"), of("chat", "b", late)], [first], late)
    assert group.incident is None


def test_what_comes_back_soon_opens_the_same_incident_again() -> None:
    ended = resolved(incident("inc-1", of("chat", "a")), NOW)
    (group,) = groups([of("chat", "a", NOW + 60)], [ended], NOW + 60)
    assert grouping.step_of(group, "new", NOW + 60).action == "reopened"
    (other,) = groups([of("chat", "b", NOW + 60)], [ended], NOW + 60)
    assert other.incident is None
    later = NOW + REOPEN_S + 1
    assert groups([of("chat", "a", later)], [ended], later)[0].incident is None


def test_what_somebody_closed_stays_closed_while_it_goes_on_firing() -> None:
    closed = resolved(incident("inc-1", of("chat", "a")), NOW)
    going_on = replace(of("chat", "a"), incident_id="inc-1")
    assert groups([going_on], [closed], NOW + 5) == []


def foreign(name: str, at: float = NOW, **labels: str) -> Alert:
    return Alert({"alertname": name, "severity": "page", **labels}, {}, at)


def test_a_foreign_alert_is_grouped_by_the_service_it_is_about() -> None:
    told = [foreign("HighLoad", job="node"), foreign("HighLoad", service_name="chat")]
    assert [grouping.service_of(it) for it in told] == ["node", "chat"]
    (group,) = groups([told[1]], [incident("inc-1", of("chat"))])
    assert group.incident is not None


def test_alerts_without_a_service_are_one_incident_by_their_name_and_name_no_service() -> None:
    one, same, other = (
        foreign("Watchdog", cluster="a"), foreign("Watchdog", cluster="b"), foreign("DiskFull")
    )  # fmt: skip
    disk, watchdog = groups([one, same, other], [])
    assert (watchdog.service, disk.service) == ("", "")
    opened = grouping.step_of(watchdog, "inc-1", NOW).incident
    assert (opened.service, opened.title, len(opened.alerts)) == ("", "Watchdog", 2)
    assert grouping.step_of(disk, "inc-2", NOW).incident.title == "DiskFull"


def test_a_later_alert_without_a_service_joins_the_incident_of_its_name_alone() -> None:
    standing = foreign("Watchdog", cluster="a")
    opened = incident("inc-1", standing, service="")
    later, other = foreign("Watchdog", NOW + 60, cluster="b"), foreign("DiskFull", NOW + 60)
    disk, watchdog = groups([standing, later, other], [opened], NOW + 60)
    assert watchdog.incident is opened
    assert grouping.step_of(watchdog, "new", NOW + 60).reason == "the same alert"
    assert disk.incident is None


def diagnosed(it: Incident, made: Diagnosis) -> Incident:
    return replace(it, diagnosis=made, state=IncidentState.DIAGNOSED)


def test_incidents_that_name_the_same_release_are_one() -> None:
    older = diagnosed(incident("inc-1", of("chat")), diagnosis(cause(release="v2")))
    younger = diagnosed(
        incident("inc-2", of("shop"), at=NOW + 60, service="shop"),
        diagnosis(cause(release="v2", tenant="acme")),
    )
    ((whole, part),) = grouping.same_cause([younger, older])
    assert (whole.id, part.id) == ("inc-1", "inc-2")
    joined, ended = grouping.merged(whole, part, [of("shop")], NOW + 90)
    assert set(joined.incident.alerts) == {*older.alerts, *younger.alerts}
    assert ended.incident.state is IncidentState.RESOLVED
    assert ended.evidence == {"part_of": "inc-1"}
    assert "release=v2" in ended.reason


def test_incidents_with_other_causes_or_times_are_two() -> None:
    one = diagnosed(incident("inc-1", of("chat")), diagnosis(cause(release="v2")))
    tenant = diagnosed(incident("inc-2", of("shop")), diagnosis(cause(tenant="acme")))
    late = diagnosed(
        incident("inc-3", of("shop"), at=NOW + 9_000, service="shop"),
        diagnosis(cause(release="v2")),
    )
    moved = diagnosed(incident("inc-4", of("shop")), diagnosis(cause("mix", release="v2")))
    for other in (tenant, late, moved):
        assert grouping.same_cause([one, other]) == []
