"""The incidents of the ledger, and the chain of what was done about each.

Every step of an incident is one transaction: the incident as it is now, if it still has the version
that the step was decided from (otherwise somebody else was faster, and nothing happens), and one
entry of its timeline. Entries are only ever added. Each holds the SHA-256 of its own canonical
JSON, of the incident as the step left it, and of the hash before it; so ``verify`` finds an entry
that was changed, left out, added or reordered later, and an incident that was changed beside its
timeline. It cannot find a chain made anew from its first entry on: ``seakeeping incident verify``
prints the last hash, to be kept elsewhere by whom that matters.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from seakeeping.errors import BadInput
from seakeeping.metrics import ERRORS
from seakeeping.records import Incident, IncidentState, JsonObject, TimelineEntry
from seakeeping.records.codec import from_json, to_json
from seakeeping.store.ledger.ledger import Ledger
from seakeeping.store.ledger.tables import INCIDENT_EVENTS, INCIDENTS

INCIDENT_HASH = "incident_sha256"
"""Where an entry's evidence holds the hash of the incident as the step left it."""

OPEN_STATES = tuple(state for state in IncidentState if state is not IncidentState.RESOLVED)


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was decided: the incident after it, and why.

    ``incident.version`` is that before the step (0: it is opened). ``before`` is the state before,
    None where it is opened.
    """

    incident: Incident
    action: str
    actor: str
    reason: str
    at: float
    before: IncidentState | None
    evidence: JsonObject


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a timeline holds; ``flaws`` say what does not and where, ``hash`` is the last one."""

    incident_id: str
    entries: int
    flaws: tuple[str, ...]
    hash: str

    @property
    def is_intact(self) -> bool:
        """Whether nothing was changed since it was written."""
        return not self.flaws


class Incidents:
    """The incidents of one ledger; may be used from many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # steps

    def take(self, step: Step) -> Incident | None:
        """Take a step in a transaction of its own; None where somebody else was faster."""
        with self._ledger.transaction() as connection:
            return self.take_within(connection, step)

    def take_within(self, connection: Connection, step: Step) -> Incident | None:
        """Take a step as part of a transaction; None where somebody else was faster."""
        expected = step.incident.version
        after = replace(step.incident, version=expected + 1, timeline=())
        if not _put(connection, after, expected):
            return None
        previous = connection.scalar(
            select(INCIDENT_EVENTS.c.hash).where(
                INCIDENT_EVENTS.c.incident_id == after.id, INCIDENT_EVENTS.c.sequence == expected
            )
        )
        entry = _entry(step, after, previous or "")
        connection.execute(INCIDENT_EVENTS.insert().values(incident_id=after.id, **_columns(entry)))
        detail: JsonObject = {"sequence": entry.sequence, "hash": entry.hash}
        self._ledger.record(connection, entry.actor, f"incident.{entry.action}", after.id, detail)
        return after

    # looking

    def get(self, incident_id: str) -> Incident | None:
        """Return one incident with its timeline; None where there is none of that id."""
        with self._ledger.reading() as connection:
            found = self._read(connection, INCIDENTS.c.id == incident_id, limit=1)
            return replace(found[0], timeline=_timeline(connection, incident_id)) if found else None

    def find(
        self,
        *,
        states: Collection[IncidentState] = tuple(IncidentState),
        service: str | None = None,
        resolved_since: float | None = None,
        limit: int = 1000,
    ) -> list[Incident]:
        """Return incidents without their timelines, the newest first."""
        conditions: list[ColumnElement[bool]] = [
            INCIDENTS.c.state.in_([state.value for state in states])
        ]
        if service is not None:
            conditions.append(INCIDENTS.c.service == _text(service))
        if resolved_since is not None:
            conditions.append(INCIDENTS.c.resolved_at >= resolved_since)
        with self._ledger.reading() as connection:
            return self._read(connection, *conditions, limit=limit)

    def current(self, connection: Connection, resolved_since: float) -> list[Incident]:
        """Return what is open, and what was resolved since then, locked until the end."""
        is_open = INCIDENTS.c.state.in_([state.value for state in OPEN_STATES])
        recent = INCIDENTS.c.resolved_at >= resolved_since
        return self._read(connection, is_open | recent, limit=100_000, is_locked=True)

    def verify(self, incident_id: str) -> Verdict | None:
        """Check the chain of an incident; None where there is none of that id."""
        with self._ledger.reading() as connection:
            row = connection.execute(select(INCIDENTS).where(INCIDENTS.c.id == incident_id)).first()
            entries = _timeline(connection, incident_id)
        if row is None and not entries:
            return None
        flaws = [*_flaws(entries), *_flaws_of_incident(row, entries)]
        last = entries[-1].hash if entries else ""
        return Verdict(incident_id, len(entries), tuple(flaws), last)

    def ids(self) -> list[str]:
        """Return the ids of all incidents and timelines, for verification."""
        with self._ledger.reading() as connection:
            known = set(connection.scalars(select(INCIDENTS.c.id)))
            return sorted(known | set(connection.scalars(select(INCIDENT_EVENTS.c.incident_id))))

    def _read(
        self, connection: Connection, *conditions: Any, limit: int, is_locked: bool = False
    ) -> list[Incident]:
        wanted = select(INCIDENTS).where(*conditions)
        wanted = wanted.order_by(INCIDENTS.c.opened_at.desc(), INCIDENTS.c.id).limit(limit)
        rows = connection.execute(wanted.with_for_update() if is_locked else wanted).all()
        return [incident for row in rows if (incident := _incident(row)) is not None]


def _put(connection: Connection, incident: Incident, expected: int) -> bool:
    """Write an incident if it still has that version; return whether it had."""
    values = {
        "state": incident.state.value,
        "service": _text(incident.service),
        "opened_at": incident.opened_at,
        "resolved_at": incident.resolved_at,
        "version": incident.version,
        "document": _document(incident),
    }
    if expected == 0:
        known = select(INCIDENTS.c.id).where(INCIDENTS.c.id == incident.id)
        if connection.scalar(known) is not None:
            return False
        connection.execute(INCIDENTS.insert().values(id=incident.id, **values))
        return True
    done = connection.execute(
        INCIDENTS.update()
        .where(INCIDENTS.c.id == incident.id, INCIDENTS.c.version == expected)
        .values(**values)
    )
    return bool(done.rowcount)


def _document(incident: Incident) -> dict[str, Any]:
    """Return an incident as it is kept: its timeline is kept beside it."""
    return {name: value for name, value in to_json(incident).items() if name != "timeline"}


def _entry(step: Step, after: Incident, previous_hash: str) -> TimelineEntry:
    entry = TimelineEntry(
        sequence=after.version,
        at=step.at,
        actor=_text(step.actor),
        action=step.action,
        reason=_text(step.reason),
        before=None if step.before is None else step.before.value,
        after=after.state.value,
        evidence={**step.evidence, INCIDENT_HASH: _hash(_document(after))},
        previous_hash=previous_hash,
    )
    return replace(entry, hash=_hash_of_entry(after.id, entry))


def _hash_of_entry(incident_id: str, entry: TimelineEntry) -> str:
    spelt = {name: value for name, value in to_json(entry).items() if name != "hash"}
    return _hash({**spelt, "incident_id": incident_id})


def _hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of canonical JSON: keys in order, no spaces, UTF-8."""
    spelt = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(spelt.encode("utf-8", "surrogatepass")).hexdigest()


def _columns(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "reason": entry.reason,
        "before": entry.before,
        "after": entry.after,
        "evidence": to_json(entry)["evidence"],
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def _timeline(connection: Connection, incident_id: str) -> tuple[TimelineEntry, ...]:
    wanted = (
        select(INCIDENT_EVENTS)
        .where(INCIDENT_EVENTS.c.incident_id == incident_id)
        .order_by(INCIDENT_EVENTS.c.sequence)
    )
    return tuple(TimelineEntry(*row[1:]) for row in connection.execute(wanted))


def _incident(row: Row[Any]) -> Incident | None:
    try:
        return from_json(Incident, row.document, f"incident {row.id}")
    except BadInput as error:
        # a newer Seakeeping wrote it; it must not hold up the incidents that can be read
        ERRORS.labels("incidents", type(error).__name__).inc()
        return None


def _flaws(entries: tuple[TimelineEntry, ...]) -> list[str]:
    """Return what does not hold between the entries of a timeline."""
    flaws, previous, state = [], "", None
    for place, entry in enumerate(entries, start=1):
        if entry.sequence != place:
            flaws.append(f"entry {place} is missing")
            break
        if entry.previous_hash != previous:
            flaws.append(f"entry {place} does not follow the entry before it")
        if entry.before != state:
            flaws.append(f"entry {place} begins in another state than the one before it ended in")
        previous, state = entry.hash, entry.after
    return flaws


def _flaws_of_incident(row: Row[Any] | None, entries: tuple[TimelineEntry, ...]) -> list[str]:
    """Return what does not hold between an incident and its timeline."""
    if row is None:
        return ["the incident is gone, its timeline is not"]
    flaws = [
        f"entry {entry.sequence} was changed"
        for entry in entries
        if entry.hash != _hash_of_entry(row.id, entry)
    ]
    if row.version != len(entries):
        flaws.append(f"the incident is at version {row.version}, its timeline at {len(entries)}")
    elif entries and entries[-1].evidence.get(INCIDENT_HASH) != _hash(row.document):
        flaws.append("the incident was changed beside its timeline")
    elif entries and not _agree(row):
        flaws.append("the incident's columns differ from its document")
    return flaws


def _agree(row: Row[Any]) -> bool:
    """Tell whether the columns that are searched hold what the document does."""
    incident = from_json(Incident, row.document)
    ends = [at if at is None else round(at, 4) for at in (row.resolved_at, incident.resolved_at)]
    return bool(row.state == incident.state.value and ends[0] == ends[1])


def _text(text: str) -> str:
    return text.replace("\0", "")  # PostgreSQL holds none in a text
