"""Inserts whose data follow the statement: the engine is handed the data apart.

chDB looks for the end of an insert's inline data and takes an empty line for it, so a text with two
newlines in a row would cut a Native block short (CANNOT_READ_ALL_DATA). The data go into an
anonymous file in memory instead, which the statement names: nothing is searched, and it costs less.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

_INSERT = re.compile(
    rb"\A(?P<target>\s*INSERT\s+INTO\s.*?)(?P<settings>\sSETTINGS\s.*?)?"
    rb"\s+FORMAT\s+(?P<format>\w+)[ \t]*(?:\r?\n|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_HEAD_BYTES = 16_384


def split_insert(sql: bytes) -> tuple[bytes, bytes, bytes] | None:
    r"""Return what stands before and after the file's name, and the data; None: no data follow.

    >>> split_insert(b"INSERT INTO t (a) FORMAT TSV\n1\n")
    (b'INSERT INTO t (a)', b' FORMAT TSV', b'1\n')
    """
    found = _INSERT.match(sql[:_HEAD_BYTES])
    if found is None or b"INFILE" in found["target"].upper():
        return None
    data = sql[found.end() :]
    if not data:
        return None
    return found["target"], (found["settings"] or b"") + b" FORMAT " + found["format"], data


@contextmanager
def with_data_apart(sql: bytes) -> Iterator[bytes]:
    """Yield the statement to run, which for an insert with data reads them from memory."""
    parts = split_insert(sql)
    if parts is None:
        yield sql
        return
    target, rest, data = parts
    with os.fdopen(os.memfd_create("insert"), "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        place = f"/proc/self/fd/{file.fileno()}".encode()
        yield target + b" FROM INFILE '" + place + b"' COMPRESSION 'none'" + rest
