"""Which answers were drawn for labelling, with which chance, and what judges have spent."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite

from seakeeping.records import LabelKind
from seakeeping.store.ledger.ledger import Ledger
from seakeeping.store.ledger.tables import JUDGE_SPEND, LABEL_EPOCHS, LABEL_REQUESTS

OPEN, DONE, SKIPPED = "open", "done", "skipped"


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """One answer drawn for labelling.

    ``score`` is the detector's badness then, ``probability`` the chance it was drawn with, ``rank``
    its place: the least is to be labelled first.
    """

    trace_id: str
    span_id: str
    name: str
    service: str
    started_at: float
    score: float
    probability: float
    rank: float


@dataclass(frozen=True, slots=True)
class Spend:
    """What a judge has used so far: calls of this ``hour``, US dollars of this ``day`` (UTC)."""

    day: str
    hour: int
    calls_this_hour: int
    usd_today: float


class LabelRequests:
    """Requests for labels in the ledger; a request is made once and answered once a kind."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def epochs(self, service: str, name: str, since: float) -> frozenset[float]:
        """Return the starts of the quarters of an hour that have been drawn."""
        table = LABEL_EPOCHS
        wanted = select(table.c.start).where(
            table.c.service == service, table.c.name == name, table.c.start >= since
        )
        with self._ledger.reading() as connection:
            return frozenset(connection.scalars(wanted))

    def add_epochs(
        self, service: str, name: str, drawn: Mapping[float, tuple[int, Sequence[LabelRequest]]]
    ) -> None:
        """Record what was drawn of quarters of an hour; a second time changes nothing.

        ``drawn`` says by start of how many answers, and which.
        """
        epochs = [
            {"service": service, "name": name, "start": start, "answers": count, "drawn": len(some)}
            for start, (count, some) in drawn.items()
        ]
        state = {"drawn_at": self._ledger.clock.now(), "human": OPEN, "judge": OPEN}
        rows = [{**asdict(one), **state} for _, some in drawn.values() for one in some]
        with self._ledger.transaction() as connection:
            _insert_new(connection, LABEL_EPOCHS, epochs)
            _insert_new(connection, LABEL_REQUESTS, rows)

    def waiting(
        self,
        kind: LabelKind,
        *,
        service: str | None = None,
        name: str | None = None,
        limit: int = 20,
    ) -> list[LabelRequest]:
        """Return what waits for a label of that kind, least rank first."""
        table = LABEL_REQUESTS
        wanted = select(*_COLUMNS).where(_state_of(kind) == OPEN)
        if service is not None:
            wanted = wanted.where(table.c.service == service)
        if name is not None:
            wanted = wanted.where(table.c.name == name)
        with self._ledger.reading() as connection:
            found = connection.execute(wanted.order_by(table.c.rank).limit(limit))
            return [LabelRequest(*row) for row in found]

    def of(
        self, keys: Sequence[tuple[str, str, str]]
    ) -> Mapping[tuple[str, str, str], LabelRequest]:
        """Return the requests of some (trace_id, span_id, name), as far as there are any."""
        found: dict[tuple[str, str, str], LabelRequest] = {}
        with self._ledger.reading() as connection:
            for key in dict.fromkeys(keys):
                row = connection.execute(select(*_COLUMNS).where(_is(key))).first()
                if row is not None:
                    found[key] = LabelRequest(*row)
        return found

    def answered(self, keys: Sequence[tuple[str, str, str, LabelKind]]) -> None:
        """Take requests off the queues of the kinds that answered them."""
        with self._ledger.transaction() as connection:
            for trace_id, span_id, name, kind in keys:
                if kind is not LabelKind.USER:
                    _mark(connection, (trace_id, span_id, name), kind, DONE)

    def skip(self, trace_id: str, span_id: str, name: str, kind: LabelKind) -> bool:
        """Take a request off a queue without a label; return whether it was open."""
        with self._ledger.transaction() as connection:
            return _mark(connection, (trace_id, span_id, name), kind, SKIPPED)

    def reserve(
        self, judge: str, *, calls_per_hour: int, usd_per_day: float, usd: float
    ) -> Spend | None:
        """Book one call of a judge and what it may cost, before it is made; None over budget.

        A call that is booked and then lost with the process has been paid for, so it stays booked.
        """
        at = datetime.fromtimestamp(self._ledger.clock.now(), UTC)
        day, hour = at.strftime("%Y-%m-%d"), at.hour
        table = JUDGE_SPEND
        row = {"judge": judge, "day": day, "hour": hour, "calls": 0, "cost_usd": 0.0}
        with self._ledger.transaction() as connection:
            spend = _spend(connection, judge, day, hour)
            if spend.calls_this_hour >= calls_per_hour or spend.usd_today + usd > usd_per_day:
                return None
            _insert_new(connection, table, [row])
            _add(connection, judge, day, hour, calls=1, usd=usd)
            return Spend(day, hour, spend.calls_this_hour + 1, spend.usd_today + usd)

    def settle(self, judge: str, booked: Spend, usd: float) -> None:
        """Correct what was booked by ``usd`` (negative: it cost less)."""
        with self._ledger.transaction() as connection:
            _add(connection, judge, booked.day, booked.hour, calls=0, usd=usd)


_COLUMNS = tuple(
    LABEL_REQUESTS.c[name]
    for name in (
        "trace_id", "span_id", "name", "service", "started_at", "score", "probability", "rank",
    )
)  # fmt: skip


def _state_of(kind: LabelKind) -> Any:
    return LABEL_REQUESTS.c.judge if kind is LabelKind.JUDGE else LABEL_REQUESTS.c.human


def _is(key: tuple[str, str, str]) -> Any:
    table = LABEL_REQUESTS
    return and_(table.c.trace_id == key[0], table.c.span_id == key[1], table.c.name == key[2])


def _mark(connection: Connection, key: tuple[str, str, str], kind: LabelKind, state: str) -> bool:
    column = _state_of(kind)
    done = connection.execute(
        LABEL_REQUESTS.update().where(_is(key), column == OPEN).values({column.name: state})
    )
    return bool(done.rowcount)


def _insert_new(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), [dict(r) for r in rows])


def _spend(connection: Connection, judge: str, day: str, hour: int) -> Spend:
    table = JUDGE_SPEND
    calls = connection.scalar(
        select(func.sum(table.c.calls)).where(
            table.c.judge == judge, table.c.day == day, table.c.hour == hour
        )
    )
    usd = connection.scalar(
        select(func.sum(table.c.cost_usd)).where(table.c.judge == judge, table.c.day == day)
    )
    return Spend(day, hour, int(calls or 0), float(usd or 0.0))


def _add(
    connection: Connection, judge: str, day: str, hour: int, *, calls: int, usd: float
) -> None:
    table = JUDGE_SPEND
    connection.execute(
        table.update()
        .where(table.c.judge == judge, table.c.day == day, table.c.hour == hour)
        .values(calls=table.c.calls + calls, cost_usd=table.c.cost_usd + usd)
    )
