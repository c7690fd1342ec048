"""Settings: ports, paths and limits, read once and frozen, with defaults that run.

Later sources win: defaults < the settings file (``seakeeping.toml``) < environment variables
(``SEAKEEPING_*``) < command-line flags. One table below states every setting: its type, default,
range and meaning; the file's keys, the variables and the reference page all follow from it. A key
nobody knows is an error that names the near one: a misspelt limit is a limit that does not hold.
"""

import difflib
import json
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, cast, get_args, get_type_hints
from urllib.parse import urlsplit

from seakeeping.errors import BadSetting
from seakeeping.records import Json

DEFAULT_FILE = "seakeeping.toml"
PREFIX = "SEAKEEPING_"
FOREIGN = ("SEAKEEPING_TEST_", "SEAKEEPING_SHARED", "SEAKEEPING_KEY", "SEAKEEPING_URL")
"""Variables with our prefix that are not settings of the server: tests and client commands."""

SECTIONS = ("retention",)
"""Tables of the settings file: ``[retention] text_days`` is the setting ``retention_text_days``."""


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """What a setting means: ``low`` and ``high`` bound numbers, both inclusive.

    ``is_runtime`` settings are made by the supervisor for its children and have no outside source;
    ``is_secret`` ones are never shown.
    """

    help: str
    low: float | None = None
    high: float | None = None
    is_runtime: bool = False
    is_secret: bool = False


_S = SettingSpec


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """Everything that is fixed while the server runs."""

    data: Annotated[Path, _S("Folder of the spool, the store and the ledger.")] = Path(
        "seakeeping-data"
    )
    host: Annotated[
        str, _S("Address to listen on. Any other than a loopback address needs a key first.")
    ] = "127.0.0.1"
    port: Annotated[
        int, _S("Port of OTLP over HTTP, the API, the pages and `/metrics`.", low=0, high=65535)
    ] = 4318
    grpc_port: Annotated[int, _S("Port of OTLP over gRPC.", low=0, high=65535)] = 4317
    admin_port: Annotated[
        int | None,
        _S("Port for the API and the pages alone, away from the data port.", low=0, high=65535),
    ] = None
    store: Annotated[
        str | None,
        _S(
            "Telemetry store, `clickhouse://user:password@host:port/db`; "
            "unset: the embedded engine in the data folder.",
            is_secret=True,
        ),
    ] = None
    ledger: Annotated[
        str | None,
        _S(
            "Ledger, an SQLAlchemy URL of SQLite or PostgreSQL; unset: SQLite in the data folder.",
            is_secret=True,
        ),
    ] = None
    config: Annotated[Path, _S("Folder of the resource documents.")] = Path("seakeeping.d")
    demo: Annotated[bool, _S("Replay labelled demo traffic and count it in the SLIs.")] = False
    hosts: Annotated[
        tuple[str, ...],
        _S("Names, besides the loopback ones and `host`, that requests may be addressed to."),
    ] = ()
    spool_limit_mb: Annotated[
        int,
        _S("Most the spool may hold on disk, in MiB; beyond it clients are told to retry.", low=8),
    ] = 2048
    body_limit_mb: Annotated[
        int, _S("Largest export body, in MiB, counted after inflation.", low=1, high=1024)
    ] = 64
    workers: Annotated[
        int,
        _S("Evaluation workers; 0: one fewer than the cores, at least one.", low=0, high=256),
    ] = 0
    evaluator_timeout_s: Annotated[
        float, _S("Seconds that one batch of one evaluator may take.", low=0.1, high=3600)
    ] = 30.0
    store_memory_mb: Annotated[
        int, _S("Memory ceiling of the embedded engine, in MiB.", low=256)
    ] = 1024
    retention_spans_days: Annotated[int, _S("Days that raw spans are kept.", low=1)] = 14
    retention_text_days: Annotated[
        int, _S("Days that the text of interactions is kept; their numbers stay longer.", low=1)
    ] = 30
    retention_interactions_days: Annotated[int, _S("Days that interactions are kept.", low=1)] = 90
    retention_evaluations_days: Annotated[int, _S("Days that evaluations are kept.", low=1)] = 400
    retention_metrics_days: Annotated[int, _S("Days that metric points are kept.", low=1)] = 30
    disk_limit_mb: Annotated[
        int, _S("Disk ceiling of the store, in MiB; the oldest days go first.", low=256)
    ] = 20480
    scrape: Annotated[tuple[str, ...], _S("Prometheus `/metrics` addresses to scrape.")] = ()
    scrape_interval_s: Annotated[float, _S("Seconds between two scrapes.", low=1, high=3600)] = 15.0
    external_url: Annotated[
        str | None,
        _S("Address that links in notifications lead to; unset: where the pages are served."),
    ] = None
    emit_endpoint: Annotated[
        str | None, _S("OTLP/HTTP endpoint that evaluations are sent to; unset: none are sent.")
    ] = None
    emit_headers: Annotated[
        tuple[str, ...], _S("Headers of that endpoint, each `name=value`.", is_secret=True)
    ] = ()
    store_url: Annotated[str | None, _S("Where the store listens.", is_runtime=True)] = None
    store_token: Annotated[
        str | None, _S("What opens the embedded store.", is_runtime=True, is_secret=True)
    ] = None
    demo_key: Annotated[
        str | None,
        _S("What opens the API to the demo.", is_runtime=True, is_secret=True),
    ] = None
    run_dir: Annotated[
        Path | None, _S("Folder of ports and metrics files of this run.", is_runtime=True)
    ] = None

    def __post_init__(self) -> None:
        for setting in _TABLE.values():
            _check_range(setting, getattr(self, setting.name))
        if self.spool_limit_mb < 2 * self.body_limit_mb:
            raise BadSetting(
                f"spool_limit_mb is {self.spool_limit_mb}, but one body may take "
                f"body_limit_mb = {self.body_limit_mb}",
                hint="make spool_limit_mb at least twice body_limit_mb",
            )
        _check_addresses(self)
        if self.retention_text_days > self.retention_interactions_days:
            raise BadSetting(
                "retention_text_days is longer than retention_interactions_days",
                hint="text cannot outlive the interaction that it belongs to",
            )

    @property
    def pages_url(self) -> str:
        """Where people find the pages."""
        port = self.port if self.admin_port is None else self.admin_port
        return self.external_url or f"http://{self.host}:{port}"

    def __repr__(self) -> str:
        shown = {s.name: getattr(self, s.name) for s in _TABLE.values() if not s.spec.is_secret}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def to_json(self) -> dict[str, Json]:
        """Return all settings, runtime ones and secrets too, for a child process."""
        return {name: _plain(getattr(self, name)) for name in _TABLE}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Settings":
        """Return the settings that `to_json` wrote; raises BadSetting."""
        return cls(
            **{
                name: _read_value(_known(_TABLE, name, "settings"), value, f"settings: {name}")
                for name, value in document.items()
            }
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: the name, the type as written, the default, the meaning."""

    name: str
    kind: str
    default: object
    spec: SettingSpec


def setting_table() -> Mapping[str, Setting]:
    """Return every setting by name, in the order in which they are documented."""
    hints = get_type_hints(Settings, include_extras=True)
    return {
        item.name: Setting(
            item.name, _kind(hints[item.name]), item.default, _spec(hints[item.name])
        )
        for item in fields(Settings)
    }


def _kind(hint: Any) -> str:
    kind = get_args(hint)[0]
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("pathlib.", "")


def _spec(hint: Any) -> SettingSpec:
    spec = get_args(hint)[1]
    assert isinstance(spec, SettingSpec)
    return spec


_TABLE = setting_table()
_OUTSIDE = {name: setting for name, setting in _TABLE.items() if not setting.spec.is_runtime}


def load_settings(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    """Read the settings from all sources, once.

    Args:
        file: the settings file; None: ``seakeeping.toml`` in the current folder, if it is there.
        environ: environment variables; only those that begin with ``SEAKEEPING_`` are looked at.
        flags: values from the command line by setting name; None means "not given".

    Raises:
        BadSetting: a key is unknown, or a value is of the wrong type or out of range.
    """
    values = {
        **_from_file(file),
        **_from_environ(environ or {}),
        **_from_flags(flags or {}),
    }
    return Settings(**values)


def _from_file(file: Path | None) -> dict[str, Any]:
    path = file or Path(DEFAULT_FILE)
    if file is None and not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetting(f"cannot be read: {error}", place=str(path)) from error
    return {
        name: _read_value(_known(_OUTSIDE, name, str(path)), value, f"{path}: {name}")
        for name, value in _flat(document)
    }


def _flat(document: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in document.items():
        if name in SECTIONS and isinstance(value, dict):
            yield from ((f"{name}_{key}", inner) for key, inner in value.items())
        else:
            yield name, value


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for variable, text in environ.items():
        if variable.startswith(PREFIX) and not variable.startswith(FOREIGN):
            setting = _known(_OUTSIDE, variable.removeprefix(PREFIX).lower(), variable)
            values[setting.name] = _read_text(setting, text, variable)
    return values


def _from_flags(flags: Mapping[str, object]) -> dict[str, Any]:
    return {
        name: _read_value(_known(_OUTSIDE, name, "command line"), value, _flag(name))
        for name, value in flags.items()
        if value is not None
    }


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _known(known: Mapping[str, Setting], name: str, place: str) -> Setting:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "docs/reference/settings.md lists all settings"
    raise BadSetting(f"unknown setting {name}", place=place, hint=hint)


def _check_range(setting: Setting, value: object) -> None:
    spec = setting.spec
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    if spec.low is not None and value < spec.low:
        raise BadSetting(f"{setting.name} is {value}, below the least possible {spec.low:g}")
    if spec.high is not None and value > spec.high:
        raise BadSetting(f"{setting.name} is {value}, above the most possible {spec.high:g}")


def _check_addresses(settings: Settings) -> None:
    """Refuse at the start what would otherwise end the pipeline again and again."""
    alone = {"emit_endpoint": settings.emit_endpoint, "external_url": settings.external_url}
    one_each = ((name, (url,) if url is not None else ()) for name, url in alone.items())
    for name, urls in (*one_each, ("scrape", settings.scrape)):
        for url in urls:
            if not is_http_address(url):
                raise BadSetting(
                    f"{name}: {url!r} is no http or https address", hint="write http://host:port"
                )
    for header in settings.emit_headers:
        if not header.partition("=")[0] or "=" not in header:
            raise BadSetting("emit_headers has an entry that is not name=value")


def is_http_address(url: str) -> bool:
    """Tell whether something can be asked at an address.

    >>> is_http_address("http://gpu-1:8000/metrics"), is_http_address("http://")
    (True, False)
    """
    try:
        found = urlsplit(url)
        return found.scheme in ("http", "https") and bool(found.hostname) and found.port != 0
    except ValueError:  # a port that is none
        return False


def _plain(value: object) -> Json:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return cast(Json, value)


_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _read_text(setting: Setting, text: str, place: str) -> object:
    """Read the text of an environment variable as the type of the setting."""
    kind = setting.kind
    if kind == "bool":
        if text.lower() not in _TRUE + _FALSE:
            raise BadSetting(f"{text!r} is not true or false", place=place)
        return text.lower() in _TRUE
    if kind.startswith("tuple"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind.startswith(("int", "float")):
        try:
            return _read_value(setting, json.loads(text), place)
        except json.JSONDecodeError as error:
            raise BadSetting(f"{text!r} is not a number", place=place) from error
    return _read_value(setting, text, place)


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a number")
    return float(value)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text that is not empty")
    return value


def _path(value: object) -> Path:
    return value if isinstance(value, Path) else Path(_text(value))


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("a list of texts")
    return tuple(_text(item) for item in value)


_READERS: dict[str, Callable[[object], object]] = {
    "int": _integer,
    "float": _number,
    "bool": _truth,
    "str": _text,
    "Path": _path,
    "tuple[str, ...]": _texts,
}


def _read_value(setting: Setting, value: object, place: str) -> Any:
    kind = setting.kind
    if value is None and kind.endswith("| None"):
        return None
    try:
        return _READERS[kind.removesuffix(" | None")](value)
    except ValueError as error:
        raise BadSetting(f"{value!r} is not {error}", place=place) from error
