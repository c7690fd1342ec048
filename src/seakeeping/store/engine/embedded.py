"""The door to chDB: load its extension module alone, open connections, tell its errors apart.

``import chdb`` imports pandas and pyarrow, opens a first in-memory engine and installs process-wide
signal handlers. The extension inside is all that is needed: loaded by itself it costs half the
memory, and its handlers can be switched off before the first connection.
"""

import importlib
import importlib.util
import re
import sys
from collections.abc import Generator, Mapping
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

_CODE = re.compile(r"^Code: (\d+)\. ")
_STD_EXCEPTION = 1001


class EngineError(Exception):
    """The engine refused or failed a statement; ``code`` is ClickHouse's error code."""

    def __init__(self, message: str) -> None:
        start = message.find("Code: ")
        super().__init__(message[start:] if start > 0 else message)
        found = _CODE.match(self.args[0])
        self.code = int(found.group(1)) if found else _STD_EXCEPTION


class _Result(Protocol):
    def bytes(self) -> bytes: ...
    def rows_read(self) -> int: ...
    def bytes_read(self) -> int: ...
    def storage_rows_read(self) -> int: ...
    def elapsed(self) -> float: ...


class _Native(Protocol):
    def query(self, query: bytes | str, format: str, *, params: Mapping[str, str]) -> _Result: ...
    def send_query(self, query: bytes, format: str, *, params: Mapping[str, str]) -> object: ...
    def streaming_fetch_result(self, stream: object) -> _Result | None: ...
    def streaming_cancel_query(self, stream: object) -> None: ...
    def close(self) -> None: ...


def load() -> ModuleType:
    """Return chDB's extension module, without pandas and without its signal handlers."""
    found = importlib.util.find_spec("chdb")
    if found is None or not found.submodule_search_locations:
        raise ImportError("chdb-core-lite (or chdb-core) is not installed")
    library = next(Path(found.submodule_search_locations[0]).glob("_chdb*.so"), None)
    module = _load_alone(library) if library else importlib.import_module("chdb._chdb")
    module.set_signal_handlers_enabled(0)
    return module


def _load_alone(library: Path) -> ModuleType:
    spec = importlib.util.spec_from_loader(
        "_chdb", ExtensionFileLoader("_chdb", str(library)), origin=str(library)
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["_chdb"] = module  # its types are looked up by this name
    return module


class Connection:
    """One connection to the engine; not for two threads at once.

    Settings of a request are kept on the connection and only differences are sent, so a client that
    always asks for the same settings costs nothing.
    """

    def __init__(self, module: ModuleType, target: str, defaults: Mapping[str, str]) -> None:
        self._native = cast(_Native, module.connect(target))
        self._defaults = dict(defaults)
        self._current: dict[str, str] = {}
        self._database = "default"
        if defaults:
            self._set(defaults)

    def configure(self, database: str, settings: Mapping[str, str]) -> None:
        """Make the connection's database and settings those of the next statement."""
        if database != self._database:
            self._run(f"USE {quote(database, '`')}")
            self._database = database
        gone = self._current.keys() - settings.keys()
        changed = {k: v for k, v in settings.items() if self._current.get(k) != v}
        if gone or changed:
            self._current = {}  # unknown until the engine has accepted all of it
            self._reset(gone)
            self._set(changed)
            self._current = dict(settings)

    def _reset(self, names: set[str]) -> None:
        self._set({n: self._defaults[n] for n in names if n in self._defaults})
        plain = [f"{n} = DEFAULT" for n in sorted(names) if n not in self._defaults]
        if plain:
            self._run(f"SET {', '.join(plain)}")

    def _set(self, values: Mapping[str, str]) -> None:
        if values:
            self._run("SET " + ", ".join(f"{k} = {quote(v)}" for k, v in values.items()))

    def _run(self, sql: str) -> None:
        self.query(sql.encode(), "TabSeparated", {})

    def query(self, sql: bytes, default_format: str, params: Mapping[str, str]) -> _Result:
        """Run a statement and return its whole result. Raises EngineError."""
        try:
            return self._native.query(sql, default_format, params=params)
        except RuntimeError as error:
            raise EngineError(str(error)) from error

    def stream(
        self, sql: bytes, default_format: str, params: Mapping[str, str]
    ) -> Generator[bytes]:
        """Yield the result block by block; closing the iterator cancels the statement."""
        try:
            handle = self._native.send_query(sql, default_format, params=params)
            ended = False
            try:
                while (block := self._native.streaming_fetch_result(handle)) is not None:
                    if not block.rows_read():
                        break
                    yield block.bytes()
                ended = True
            finally:
                if not ended:
                    self._native.streaming_cancel_query(handle)
        except RuntimeError as error:
            raise EngineError(str(error)) from error

    def close(self) -> None:
        """Close the connection; the engine ends with the last one."""
        self._native.close()


def quote(text: str, mark: str = "'") -> str:
    """Return a ClickHouse literal (or with a backtick an identifier) of any text."""
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark
