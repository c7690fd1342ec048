"""Lists, newest first, at a bounded price whatever the filter.

``FINAL`` over everything that a filter might match would read ids and versions of millions of rows.
So candidates are found without it, on the filter's own columns, in stretches of time that grow;
then the few candidates are read with ``FINAL`` and the filter is applied again to their latest
version. Every match is among the candidates, because its latest version matches too.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from seakeeping.store.client import StoreClient
from seakeeping.store.filters import (
    Clause,
    EvaluationFilter,
    InteractionFilter,
    Mark,
    Page,
    clause_of,
    read_cursor,
)
from seakeeping.store.native import micros
from seakeeping.store.places import Places, places_of

Item = TypeVar("Item")

_REACHES = (86_400_000_000,)
"""How far back, in microseconds, a list looks before it looks at everything."""
_LOW = "fromUnixTimestamp64Micro({low:Int64}, 'UTC')"
_MOST = 4000
_SPARE = 16
"""Candidates asked for beyond the page, for versions that are superseded."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that may belong to the list: its place in it, and where it lies."""

    mark: Mark
    service_name: str


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """How one table is listed.

    ``key`` are the columns that identify an item, ``kept`` says which rows are not tombstones,
    ``fetch`` returns the latest versions at some places that match the clause, by key.
    """

    table: str
    key: tuple[str, ...]
    kept: str
    fetch: Callable[[Places, Sequence[Candidate], Clause], dict[tuple[str, ...], Item]]


def page(
    client: StoreClient,
    listing: Listing[Item],
    where: InteractionFilter | EvaluationFilter,
    limit: int,
    cursor: str | None,
) -> Page[Item]:
    """Return up to ``limit`` items and the cursor of the next page. Raises BadInput."""
    mark = read_cursor(cursor, len(listing.key)) if cursor else None
    items: list[Item] = []
    last = mark
    for candidates in _stretches(client, listing, where, mark, limit):
        for candidate, item in _latest(listing, candidates, where):
            if len(items) == limit:
                assert last is not None
                return Page(items, last.spell())
            items.append(item)
            last = candidate.mark
    return Page(items, None)


def _latest(
    listing: Listing[Item],
    candidates: Sequence[Candidate],
    where: InteractionFilter | EvaluationFilter,
) -> Iterator[tuple[Candidate, Item]]:
    if not candidates:
        return
    places = places_of([(c.service_name, c.mark.at / 1e6) for c in candidates])
    clause = clause_of(where)
    latest = judged(where, places.condition, "FINAL")
    clause = Clause((*clause.conditions, latest), clause.params)
    found = listing.fetch(places, candidates, clause)
    for candidate in candidates:
        item = found.pop(candidate.mark.key, None)
        if item is not None:
            yield candidate, item


def _stretches(
    client: StoreClient,
    listing: Listing[Item],
    where: InteractionFilter | EvaluationFilter,
    mark: Mark | None,
    limit: int,
) -> Iterator[list[Candidate]]:
    """Yield candidates, newest first, until none are left; a page's worth at once if there is."""
    bottom = micros(where.start) if where.start is not None else None
    wanted = limit + _SPARE
    waiting: list[Candidate] = []
    for low in _horizons(client, listing.table, where, mark):
        is_last = low is None or (bottom is not None and low <= bottom)
        while True:
            found = _candidates(client, listing, where, mark, bottom if is_last else low, wanted)
            waiting += found
            if len(found) < wanted:
                break
            mark = found[-1].mark
            yield _distinct(waiting)
            waiting = []
            wanted = min(2 * wanted, _MOST)  # many were superseded: look further at once
        if is_last or len(waiting) > limit:
            yield _distinct(waiting)
            waiting = []
        if is_last:
            return
        mark = _end_of(low, listing)


def _end_of(low: int | None, listing: Listing[Item]) -> Mark:
    assert low is not None
    return Mark(low, ("",) * len(listing.key))


def _horizons(
    client: StoreClient, table: str, where: InteractionFilter | EvaluationFilter, mark: Mark | None
) -> Iterator[int | None]:
    newest = client.read(f"SELECT toUnixTimestamp64Micro(max(started_at)) FROM {table}")
    top = int(newest[0][0])
    if where.end is not None:
        top = min(top, micros(where.end))
    if mark is not None:
        top = min(top, mark.at)
    for reach in _REACHES:
        yield top - reach
    yield None


def _candidates(
    client: StoreClient,
    listing: Listing[Item],
    where: InteractionFilter | EvaluationFilter,
    mark: Mark | None,
    low: int | None,
    limit: int,
) -> list[Candidate]:
    columns = ("started_at", *listing.key)
    clause = clause_of(where)
    params = dict(clause.params)
    bounds = ["1"]
    conditions = [listing.kept, clause.sql]
    if low is not None:
        bounds.append(f"started_at >= {_LOW} AND bucket >= toStartOfFiveMinutes({_LOW})")
        params["low"] = low
    if mark is not None:
        marks = ", ".join(f"{{mark_{n}:String}}" for n in range(len(mark.key)))
        at = "fromUnixTimestamp64Micro({mark_at:Int64}, 'UTC')"
        bounds.append(f"started_at <= {at} AND bucket <= {at}")
        conditions.append(f"({', '.join(columns)}) < ({at}, {marks})")
        params |= {f"mark_{n}": part for n, part in enumerate(mark.key)} | {"mark_at": mark.at}
    within = " AND ".join(bounds)
    conditions += [within, judged(where, within, "")]
    order = ", ".join(f"{column} DESC" for column in columns)
    rows = client.read(
        f"SELECT toUnixTimestamp64Micro(started_at), service_name, {', '.join(listing.key)} "
        f"FROM {listing.table} WHERE {' AND '.join(conditions)} "
        f"ORDER BY {order} LIMIT {limit:d}",
        params,
    )
    return [Candidate(Mark(row[0], tuple(row[2:])), row[1]) for row in rows]


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    return list({c.mark.key: c for c in candidates}.values())


def judged(where: InteractionFilter | EvaluationFilter, bounds: str, final: str) -> str:
    """Return the condition that an evaluation gave the asked label; ``1`` where none is asked."""
    if not isinstance(where, InteractionFilter) or where.label is None:
        return "1"
    named = "name = {evaluation:String}" if where.evaluation is not None else "1"
    return (
        f"(trace_id, span_id) IN (SELECT trace_id, span_id FROM evaluations {final} "
        f"WHERE {bounds} AND {named} AND score_label = {{label:String}})"
    )
