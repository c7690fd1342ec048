"""Measurements: figures over windows, replaced by newer ones of the same window and slice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seakeeping.records import Measurement
from seakeeping.store import native
from seakeeping.store.client import StoreClient
from seakeeping.store.filters import Mark, Page, read_cursor
from seakeeping.store.native import Block, micros
from seakeeping.store.rows import Row, from_json, to_json


@dataclass(frozen=True, slots=True)
class MeasurementFilter:
    """Which measurements; None asks for any.

    ``start`` and ``end`` bound the end of the window, the moment from which it can be known.
    """

    start: float | None = None
    end: float | None = None
    service_name: str | None = None
    name: str | None = None
    slice: Mapping[str, str] | None = None


def _slice(of: Mapping[str, str]) -> str:
    return to_json(dict(sorted(of.items()))).decode() if of else ""


def measurements_block(found: Sequence[Measurement]) -> Block:
    """Return measurements as a block of the table ``measurements``."""
    return native.block(
        len(found),
        [
            native.strings("service_name", [m.service_name for m in found]),
            native.strings("name", [m.name for m in found]),
            native.times("window_start", [m.window_start for m in found]),
            native.floats("window_s", [m.window_s for m in found]),
            native.strings("slice", [_slice(m.slice) for m in found]),
            native.optional_floats("value", [m.value for m in found]),
            native.optional_floats("low", [m.low for m in found]),
            native.optional_floats("high", [m.high for m in found]),
            native.integers("n", [m.n for m in found]),
            native.optional_floats("effect", [m.effect for m in found]),
            native.strings("reference", [m.reference for m in found]),
            native.strings("method", [m.method for m in found]),
            native.strings("verdict", [m.verdict for m in found]),
        ],
    )


_SELECT = (
    "service_name, name, toUnixTimestamp64Micro(window_start), window_s, value, low, high, n, "
    "effect, reference, method, verdict, slice, toUnixTimestamp64Micro(window_end)"
)
_KEY = ("service_name", "name", "slice", "window_s")


def measurement(row: Row) -> Measurement:
    """Return the measurement of a row."""
    service, name, start, window_s, value, low, high, n, effect, reference, method, verdict = row[
        :12
    ]
    return Measurement(
        service, name, start / 1e6, float(window_s), _number(value), _number(low), _number(high), n,
        _number(effect), reference, method, verdict, from_json(row[12]) if row[12] else {},
    )  # fmt: skip


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def measurements(
    client: StoreClient, where: MeasurementFilter, limit: int, cursor: str | None
) -> Page[Measurement]:
    """Return measurements, the newest window first. Raises BadInput for a strange cursor."""
    params: dict[str, object] = {}
    conditions = list(_conditions(where, params))
    if cursor is not None:
        mark = read_cursor(cursor, len(_KEY))
        params |= {"mark_at": mark.at, **{f"mark_{n}": part for n, part in enumerate(mark.key)}}
        marks = ", ".join(f"{{mark_{n}:String}}" for n in range(len(_KEY)))
        at = "fromUnixTimestamp64Micro({mark_at:Int64}, 'UTC')"
        conditions.append(f"({_ORDER}) < ({at}, {marks})")
    order = ", ".join(f"{column} DESC" for column in _ORDER.split(", "))
    rows = client.read(
        f"SELECT {_SELECT}, toString(window_s) FROM measurements FINAL "
        f"WHERE {' AND '.join(conditions) or '1'} ORDER BY {order} LIMIT {limit + 1:d}",
        params,
    )
    found = [measurement(row) for row in rows]
    if len(rows) <= limit:
        return Page(found, None)
    last = rows[limit - 1]
    return Page(found[:limit], Mark(last[13], (last[0], last[1], last[12], last[14])).spell())


_ORDER = "window_end, service_name, name, slice, toString(window_s)"


def _conditions(where: MeasurementFilter, params: dict[str, object]) -> Iterator[str]:
    for name, operator in (("start", ">="), ("end", "<")):
        value = getattr(where, name)
        if value is not None:
            params[name] = micros(value)
            yield f"window_end {operator} fromUnixTimestamp64Micro({{{name}:Int64}}, 'UTC')"
    of = None if where.slice is None else _slice(where.slice)
    for name, text in (("service_name", where.service_name), ("name", where.name), ("slice", of)):
        if text is not None:
            params[name] = text
            yield f"{name} = {{{name}:String}}"
