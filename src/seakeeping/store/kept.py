"""Kept cells: five-minute counts by indicator that outlive the rows they were counted from.

After a restart a budget over 30 days is read, not counted; after retention dropped the rows it is
still known. A cell that is counted again replaces the one before. What is read may be millions of
numbers, so they come as columns of bytes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seakeeping.store import native
from seakeeping.store.cells import COUNTED, Cells, no_cells
from seakeeping.store.client import StoreClient
from seakeeping.store.native import Block, Column
from seakeeping.store.places import BUCKET_S

_WIDTHS = {"Int32": np.int32, "UInt32": np.uint32, "Float64": np.float64}


def kept_block(keys: Sequence[str], cells: Cells) -> Block:
    """Return cells as a block of the table ``sli_cells``."""
    columns = [
        native.strings("indicator", [keys[n] for n in cells.indicator]),
        native.strings("service_name", [cells.services[n] for n in cells.service]),
        Column("bucket", "DateTime('UTC')", cells.start.astype(np.uint32).tobytes()),
    ]
    for n, name in enumerate(COUNTED):
        data = np.ascontiguousarray(cells.counts[:, n]).tobytes()
        columns.append(Column(name, "Float64", data))
    return native.block(len(cells), columns)


def kept_cells(
    client: StoreClient, keys: Sequence[str], start: float, end: float, step_s: int
) -> Cells:
    """Return kept cells, added up by ``step_s``; ``indicator`` is an index into ``keys``."""
    if not keys:
        return no_cells()
    params = {
        "keys": list(keys), "step": step_s,
        "first": int(start // BUCKET_S) * BUCKET_S, "last": min(int(end), 2**32 - 1),
    }  # fmt: skip
    names = client.read(
        f"SELECT DISTINCT toString(service_name) FROM sli_cells WHERE {_IN}", params
    )
    services = tuple(sorted(row[0] for row in names))
    sums = ", ".join(f"sum({name})" for name in COUNTED)
    body = client.read_bytes(
        "SELECT toInt32(indexOf({keys:Array(String)}, indicator) - 1) AS i, "
        "toInt32(indexOf({services:Array(String)}, toString(service_name)) - 1) AS s, "
        "toUInt32(intDiv(toUInt32(bucket), {step:UInt32}) * {step:UInt32}) AS t, "
        f"{sums} FROM sli_cells FINAL WHERE {_IN} GROUP BY i, s, t",
        "Native",
        {**params, "services": list(services)},
    )
    columns = numbers_in(body, 3 + len(COUNTED))
    return Cells(
        services,
        columns[0].astype(np.int32),
        columns[1].astype(np.int32),
        columns[2].astype(np.int64),
        np.stack(columns[3:], axis=1),
    )


_IN = (
    "indicator IN {keys:Array(String)} AND bucket >= toDateTime({first:UInt32}, 'UTC') "
    "AND bucket < toDateTime({last:UInt32}, 'UTC')"
)


def numbers_in(body: bytes, width: int) -> list[NDArray[np.float64]]:
    """Return the columns of numbers of a ``Native`` body that has ``width`` of them."""
    parts: list[list[NDArray[np.float64]]] = [[] for _ in range(width)]
    at = 0
    while at < len(body):
        _, at = _varint(body, at)
        rows, at = _varint(body, at)
        for part in parts:
            _, at = _text(body, at)
            kind, at = _text(body, at)
            size = rows * np.dtype(_WIDTHS[kind]).itemsize
            part.append(np.frombuffer(body[at : at + size], _WIDTHS[kind]).astype(np.float64))
            at += size
    return [np.concatenate(part) if part else np.zeros(0) for part in parts]


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _text(body: bytes, at: int) -> tuple[str, int]:
    size, at = _varint(body, at)
    return body[at : at + size].decode(), at + size
