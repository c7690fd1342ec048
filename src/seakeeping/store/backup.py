"""One file with everything that is kept: the tables of the store and the ledger.

A tar of pieces, each a part of one table's day in ClickHouse's Native format under zstd, so that it
can be read and written with bounded memory, and restored into the embedded store or a server alike.
The manifest is the last member: a file without one is not a whole backup. Pieces carry the latest
version of each row; on restoring, a piece that is sent twice is stored once.
"""

import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import zstandard

from seakeeping.clock import Clock, SystemClock
from seakeeping.errors import BadInput, StoreTooNew
from seakeeping.store.client import StoreClient
from seakeeping.store.ledger import Ledger
from seakeeping.store.native import Block
from seakeeping.store.schema import TABLES, VERSION, Table
from seakeeping.store.telemetry import Store

FORMAT = 1
_MANIFEST = "manifest.json"
_LEDGER = "ledger.json.zst"
_PIECE_BYTES = 48_000_000


def backup(store: Store, ledger: Ledger, path: Path, clock: Clock | None = None) -> int:
    """Write store and ledger into one file, owner-only, whole or not at all; return its rows.

    It may run beside a working server. Evaluations are read before the calls they judge, so each
    has its call; what is still in the spool is not part of it.

    Raises:
        StoreUnavailable, LedgerUnavailable: one of them does not answer.
        OSError: the file cannot be written.
    """
    unfinished = path.with_name(path.name + ".part")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        with tarfile.open(fileobj=out, mode="w") as tar:
            pieces = [_add_piece(tar, *piece) for piece in _pieces(store.client)]
            _add(tar, _LEDGER, _packed(json.dumps(ledger.dump()).encode()))
            made_at = (clock or SystemClock()).now()
            manifest = {
                "format": FORMAT,
                "made_at": made_at,
                "schema": VERSION,
                "pieces": pieces,
            }
            _add(tar, _MANIFEST, json.dumps(manifest).encode())
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(path)
    return _rows(pieces)


def restore(path: Path, store: Store, ledger: Ledger) -> int:
    """Fill an empty store and an empty ledger from a backup; return the store's rows.

    Raises:
        BadInput: the file is no whole backup, or store or ledger hold something already.
        StoreTooNew: a newer Seakeeping made it.
        StoreUnavailable, LedgerUnavailable: one of them does not answer; run it again.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            manifest = _manifest(tar, path)
            store.migrate()
            _require_empty(store.client, ledger, manifest)
            for piece in manifest["pieces"]:
                block = Block(piece["rows"], tuple(piece["columns"]), _member(tar, piece["name"]))
                store.client.insert(piece["table"], block, f"restore-{piece['name']}")
            ledger.load(json.loads(_member(tar, _LEDGER)))
    except (tarfile.TarError, KeyError, ValueError, zstandard.ZstdError, EOFError) as error:
        raise BadInput(f"not a whole backup: {error}", place=str(path)) from error
    return _rows(manifest["pieces"])


def _pieces(client: StoreClient) -> Iterator[tuple[Table, str, int, bytes]]:
    """Yield (table, name, rows, Native bytes), evaluations before what they judge."""
    for table in reversed(TABLES):
        if table.name == "meta":
            continue
        for partition, size in _partitions(client, table):
            parts = max(1, -(-size // _PIECE_BYTES))
            for part in range(parts):
                rows, data = _piece(client, table, partition, part, parts)
                if rows:
                    yield table, f"store/{table.name}/{partition}-{part}.native.zst", rows, data


def _partitions(client: StoreClient, table: Table) -> list[tuple[str, int]]:
    found = client.read(
        "SELECT partition_id, sum(data_uncompressed_bytes) FROM system.parts WHERE active AND "
        "database = currentDatabase() AND table = {table:String} GROUP BY partition_id "
        "ORDER BY partition_id",
        {"table": table.name},
    )
    return [(row[0], row[1]) for row in found]


def _piece(
    client: StoreClient, table: Table, partition: str, part: int, parts: int
) -> tuple[int, bytes]:
    final = " FINAL" if table.engine.startswith("Replacing") else ""
    split = f"cityHash64({table.order_by[-1]}) % {parts} = {part}"
    if "trace_id" in table.columns:
        split = f"cityHash64(trace_id) % {parts} = {part}"
    where = f"_partition_id = '{partition}' AND {split}"
    source = f"FROM {table.name}{final} WHERE {where}"
    columns = ", ".join(_insertable(table))
    data = client.read_bytes(f"SELECT {columns} {source}", "Native")
    return (client.read(f"SELECT count() {source}")[0][0] if data else 0), data


def _insertable(table: Table) -> Sequence[str]:
    return [name for name, kind in table.columns.items() if " MATERIALIZED " not in kind]


def _add_piece(
    tar: tarfile.TarFile, table: Table, name: str, rows: int, data: bytes
) -> dict[str, Any]:
    _add(tar, name, _packed(data))
    return {"table": table.name, "name": name, "rows": rows, "columns": list(_insertable(table))}


def _packed(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(data)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o600
    tar.addfile(member, io.BytesIO(data))


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    source = tar.extractfile(name)
    if source is None:
        raise KeyError(name)
    data = source.read()
    return zstandard.ZstdDecompressor().decompress(data) if name.endswith(".zst") else data


def _manifest(tar: tarfile.TarFile, path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(_member(tar, _MANIFEST))
    if manifest["format"] > FORMAT or manifest["schema"] > VERSION:
        raise StoreTooNew(
            f"{path} has schema {manifest['schema']}, this Seakeeping knows {VERSION}",
            hint="restore it with the Seakeeping that made it, or a newer one",
        )
    return manifest


def _require_empty(client: StoreClient, ledger: Ledger, manifest: Mapping[str, Any]) -> None:
    """Refuse to mix; a restore that broke off may go on, its pieces are known by their tokens."""
    names = ", ".join(f"'{table.name}'" for table in TABLES if table.name != "meta")
    rows = client.read(
        "SELECT sum(rows) FROM system.parts WHERE active AND database = currentDatabase() "
        f"AND table IN ({names})"
    )[0][0]
    begun = client.read("SELECT value FROM meta FINAL WHERE key = 'restoring'")
    mark = f"{manifest['made_at']}"
    if rows and (not begun or begun[0][0] != mark):
        raise BadInput("the store is not empty", place="restore", hint="use an empty data folder")
    if any(rows for name, rows in ledger.dump().items() if name != "meta"):
        raise BadInput("the ledger is not empty", place="restore", hint="use an empty data folder")
    client.command(f"INSERT INTO meta (key, value) VALUES ('restoring', '{mark}')")


def _rows(pieces: Sequence[Mapping[str, Any]]) -> int:
    return sum(piece["rows"] for piece in pieces)
