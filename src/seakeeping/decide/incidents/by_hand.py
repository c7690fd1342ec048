"""What people do about incidents, from a page, the API or a shell."""

from collections.abc import Callable

from seakeeping.decide.incidents import machine
from seakeeping.decide.incidents.grouping import is_open
from seakeeping.errors import BadInput, NotFound
from seakeeping.records import Incident
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.incidents import Incidents, Step


def acknowledge(ledger: Ledger, incident_id: str, by: str) -> Incident:
    """Note that somebody works on an incident; the first stays the one. Raises NotFound."""

    def decide(incident: Incident) -> Step | None:
        if incident.acknowledged_by or not is_open(incident):
            return None
        return machine.acknowledged(incident, by, ledger.clock.now())

    return _done(ledger, incident_id, decide)


def resolve(ledger: Ledger, incident_id: str, by: str, reason: str) -> Incident:
    """Close an incident; alerts that still fire do not open it again. Twice is once.

    Raises NotFound, BadInput without a reason.
    """
    if not reason.strip():
        raise BadInput("closing an incident needs a reason", place="reason")
    return _done(
        ledger,
        incident_id,
        lambda it: machine.resolved(it, by, reason, ledger.clock.now()) if is_open(it) else None,
    )


def _done(ledger: Ledger, incident_id: str, decide: Callable[[Incident], Step | None]) -> Incident:
    """Decide again until nobody was faster."""
    incidents = Incidents(ledger)
    while (incident := incidents.get(incident_id)) is not None:
        step = decide(incident)
        if step is None or incidents.take(step) is not None:
            return incidents.get(incident_id) or incident
    raise NotFound(f"no incident {incident_id!r}", hint="`seakeeping incident list` shows them")
