"""Prometheus text exposition (0.0.4 and OpenMetrics 1.0) as metric points.

A histogram is a set of lines there, one a cumulative bucket; here it is one point with the counts
of its buckets, like an OTLP histogram. Names stay as exposed (``vllm:prompt_tokens_total``). The
parser of ``prometheus_client`` takes 20 us a line, renames counters and has a second grammar for
OpenMetrics; this one is one pattern a line, and like Prometheus it refuses the whole exposition for
one line that it cannot read.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from seakeeping.errors import BadPayload
from seakeeping.records import JsonObject, MetricPoint

_SAMPLE = re.compile(
    r"""(?P<name>[a-zA-Z_:][\w:]*+)
        (?:\s*+\{(?P<labels>(?:[^"}]++|"(?:[^"\\]++|\\.)*+")*+)\})?+
        \s++(?P<value>[^\s#_]++)
        (?:\s++(?P<time>-?[\d.eE+-]++))?+
        \s*+(?:\#.*+)?""",
    re.VERBOSE | re.ASCII,
)
_LABEL = re.compile(r'([a-zA-Z_]\w*+)\s*+=\s*+"((?:[^"\\]++|\\.)*+)"\s*+(?:,\s*+|$)', re.ASCII)
_COMMENT = re.compile(r"#\s*+(TYPE|UNIT)\s++(\S++)\s++(\S++)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "\\": "\\", '"': '"'}
_UNITS = {"seconds": "s", "bytes": "By", "ratio": "1", "celsius": "Cel", "joules": "J"}
_GROUPED = {"histogram": "le", "summary": "quantile"}


@dataclass(slots=True)
class _Series:
    """One series while its lines come together; ``pairs`` are cumulative buckets or quantiles."""

    name: str
    kind: str
    labels: dict[str, str]
    value: float | None = None
    count: float | None = None
    pairs: dict[float, float] = field(default_factory=dict)
    time: float | None = None


def parse_exposition(
    text: str, *, at: float, service_name: str, resource: JsonObject, open_metrics: bool = False
) -> list[MetricPoint]:
    """Return the points of an exposition.

    Args:
        text: as served.
        at: Unix seconds for the samples without a time of their own.
        service_name: what exposes them.
        resource: attributes of what exposes them.
        open_metrics: times of samples are seconds (OpenMetrics), not milliseconds.

    Raises:
        BadPayload: a line is no comment, sample or blank; ``place`` is its number.
    """
    reading = _Reading(1.0 if open_metrics else 1e-3)
    for number, line in enumerate(text.split("\n"), 1):
        try:
            reading.take(line.strip())
        except ValueError as error:
            raise BadPayload(str(error), place=f"line {number}") from error
    return [
        MetricPoint(
            name=series.name,
            unit=reading.unit(series.name),
            kind=series.kind,
            at=at if series.time is None else series.time,
            service_name=service_name,
            resource=resource,
            attributes=series.labels,
            value=_number(series.value),
            count=_whole(series.count),
            buckets=_buckets(series),
            temporality=None if series.kind == "gauge" else "cumulative",
        )
        for series in reading.series()
    ]


class _Reading:
    """What was read so far: the kinds of families, and series by name and labels."""

    def __init__(self, time_unit_s: float) -> None:
        self._time_unit_s = time_unit_s
        self._kinds: dict[str, str] = {}
        self._units: dict[str, str] = {}
        self._series: dict[object, _Series] = {}

    def take(self, line: str) -> None:
        """Take the next line, stripped; raises ValueError when it cannot be read."""
        if line.startswith("#"):
            if told := _COMMENT.match(line):
                table = self._kinds if told[1] == "TYPE" else self._units
                table[told[2]] = told[3]
        elif line:
            self._sample(line)

    def series(self) -> Iterator[_Series]:
        """Yield the series in the order of their first lines."""
        yield from self._series.values()

    def unit(self, name: str) -> str:
        """Return a unit in OpenTelemetry's spelling: declared, or told by the name."""
        base = name.removesuffix("_total")
        declared = self._units.get(name, self._units.get(base, ""))
        return _UNITS.get(declared or base.rsplit("_", 1)[-1], declared)

    def _sample(self, line: str) -> None:
        found = _SAMPLE.fullmatch(line)
        if not found:
            raise ValueError(f"neither a comment nor a sample: {line[:80]!r}")
        name, labels = found["name"], _labels(found["labels"])
        if self._is_creation_time(name):
            return
        value, time = float(found["value"]), found["time"]
        series, part = self._place(name, labels)
        if time is not None:
            series.time = float(time) * self._time_unit_s
        if isinstance(part, float):
            series.pairs[part] = value
        elif part == "count":
            series.count = value
        else:
            series.value = value

    def _is_creation_time(self, name: str) -> bool:
        base = name.removesuffix("_created")
        return base != name and (base in self._kinds or f"{base}_total" in self._kinds)

    def _place(self, name: str, labels: dict[str, str]) -> tuple[_Series, str | float]:
        """Return the series a sample belongs to, and which part of it the sample is."""
        for suffix, part in (
            ("", "pair"),
            ("_bucket", "pair"),
            ("_sum", "sum"),
            ("_count", "count"),
        ):
            family = name.removesuffix(suffix)
            kind = self._kinds.get(family, "")
            if kind not in _GROUPED or (suffix and family == name):
                continue
            bound = labels.pop(_GROUPED[kind], None)
            if part == "pair" and bound is None:
                raise ValueError(f"{name} has no label {_GROUPED[kind]}")
            return self._of(family, kind, labels), float(bound or 0) if part == "pair" else part
        return self._of(name, self._plain_kind(name), labels), "value"

    def _plain_kind(self, name: str) -> str:
        kinds = (self._kinds.get(name), self._kinds.get(name.removesuffix("_total")))
        return "counter" if "counter" in kinds else "gauge"

    def _of(self, name: str, kind: str, labels: dict[str, str]) -> _Series:
        key = name, frozenset(labels.items())
        if key not in self._series:
            self._series[key] = _Series(name, kind, labels)
        return self._series[key]


def _labels(text: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    rest = (text or "").strip()
    at = 0
    while at < len(rest):
        pair = _LABEL.match(rest, at)
        if not pair or pair[1] in found:
            raise ValueError(f"bad labels: {rest[:80]!r}")
        found[pair[1]] = _unescaped(pair[2])
        at = pair.end()
    return found


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), text)


def _buckets(series: _Series) -> tuple[tuple[float, float], ...]:
    """Return counts a bucket instead of cumulative ones, or the quantiles that have a value."""
    if series.kind != "histogram":
        return tuple(pair for pair in sorted(series.pairs.items()) if not math.isnan(pair[1]))
    below, found = 0.0, []
    if series.pairs and series.count is not None:
        series.pairs.setdefault(math.inf, series.count)
    for bound, cumulative in sorted(series.pairs.items()):
        # A scrape is no snapshot: a later bucket may have been read before an earlier one.
        found.append((bound, max(cumulative - below, 0.0)))
        below = max(cumulative, below)
    return tuple(found)


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _whole(count: float | None) -> int | None:
    return None if count is None or not math.isfinite(count) else int(count)
