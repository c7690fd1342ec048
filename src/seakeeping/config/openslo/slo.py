"""SLOs of OpenSLO as objectives: one for each item of ``objectives``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from seakeeping.config.document import Problems, Section, Value, each
from seakeeping.config.finding import Finding
from seakeeping.config.openslo.alerting import Policy, combine, read_policy, read_policy_reference
from seakeeping.config.openslo.entry import (
    PREFIX,
    Entry,
    describe,
    name_notes,
    read_inline,
    seconds,
    window,
)
from seakeeping.config.openslo.indicator import Threshold, is_threshold, read_indicator
from seakeeping.config.openslo.shelf import Shelf
from seakeeping.config.openslo.source import check_dimension
from seakeeping.config.openslo.words import OPS
from seakeeping.records import (
    Alerting,
    Budgeting,
    BurnAlert,
    Calendar,
    Indicator,
    Objective,
)
from seakeeping.records.objective import window_seconds

DEFAULT_WINDOW = "30d"
_MOMENT = "%Y-%m-%d %H:%M:%S"
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Written:
    """An objective and where it is written: its target, and the thresholds of its alerts."""

    objective: Objective
    place: str
    alert_places: Mapping[BurnAlert, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all objectives of an SLO share, as far as it holds; ``budgeting`` None: it does not."""

    entry: Entry
    service: str
    description: str
    window: str
    calendar: Calendar | None
    budgeting: Budgeting | None
    slice_by: tuple[str, ...]
    sli: Entry | None
    policies: Sequence[Policy]


def read_slo(entry: Entry, shelf: Shelf, notes: list[Finding]) -> list[Written]:
    """Return the objectives of an SLO; raises BadResource, and notes what is doubtful."""
    spec, problems = entry.spec, Problems()
    problems.tried(lambda: spec.done(*_KEYS), None)
    frame = _frame(entry, shelf, notes, problems)
    items = problems.tried(lambda: _items(spec), [])
    problems.tried(lambda: _one_threshold(frame.sli, items), None)
    problems.tried(lambda: _name_all(entry, items), None)
    found = [
        problems.tried(partial(_objective, frame, i, item, shelf, notes), None)
        for i, item in enumerate(items)
    ]
    problems.end()
    return [one for one in found if one is not None]


_KEYS = (
    "description", "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod",
    "objectives", "alertPolicies",
)  # fmt: skip


def _items(spec: Section) -> list[Value]:
    value = spec.need("objectives")
    return value.items() or value.fail("promises nothing")


def _one_threshold(shared: Entry | None, items: list[Value]) -> None:
    if shared and is_threshold(shared) and len(items) > 1:
        items[1].fail(
            "a thresholdMetric has one objective (OpenSLO)",
            "write an SLO for each, or the threshold into a raw ratioMetric",
        )


def _frame(entry: Entry, shelf: Shelf, notes: list[Finding], problems: Problems) -> _Frame:
    """Return what all objectives share, as far as it holds; faults are told to ``problems``."""
    spec = entry.spec
    length, calendar = problems.tried(
        lambda: _time_window(spec.get("timeWindow")), (DEFAULT_WINDOW, None)
    )
    return _Frame(
        entry=entry,
        service=problems.tried(lambda: _service(entry, shelf, notes), ""),
        description=problems.tried(lambda: describe(spec), ""),
        window=length,
        calendar=calendar,
        budgeting=problems.tried(lambda: _budgeting(spec.get("budgetingMethod")), None),
        slice_by=problems.tried(lambda: _slice_by(entry.header.own.get("slice-by")), ()),
        sli=problems.tried(lambda: _sli(spec, shelf, entry.header.name), None),
        policies=problems.tried(lambda: _policies(entry, shelf), []),
    )


def _slice_by(value: Value | None) -> tuple[str, ...]:
    names = [part.strip() for part in value.written().split(",")] if value else []
    for name in names:
        assert value is not None
        check_dimension(name, value)
    return tuple(names)


def _budgeting(value: Value | None) -> Budgeting:
    if value is None:
        return Budgeting.OCCURRENCES
    return Budgeting(value.choice([method.value for method in Budgeting]))


def _policies(entry: Entry, shelf: Shelf) -> list[Policy]:
    value = entry.spec.get("alertPolicies")
    name = entry.header.name
    return each(
        value.items() if value else [],
        lambda item: read_policy(read_policy_reference(item, shelf, name), shelf),
    )


def _service(entry: Entry, shelf: Shelf, notes: list[Finding]) -> str:
    """Return the name that telemetry reports: annotated here or at the Service, or the name."""
    value = entry.spec.need("service")
    if told := entry.header.own.get("service-name"):
        return told.text()
    name = value.written()
    if not name:
        value.fail("is empty")
    service = shelf.find("Service", name)
    if service is not None:
        return told.text() if (told := service.header.own.get("service-name")) else name
    if name != "*":
        notes += name_notes(value, name, f"{PREFIX}service-name")
    if name != "*" and shelf.names("Service") and name not in _reported(shelf):
        notes.append(
            Finding(
                str(value.place),
                f"there is no Service {name!r}",
                shelf.hint("Service", name),
                is_warning=True,
            )
        )
    return name


def _reported(shelf: Shelf) -> set[str]:
    """Return the names that services report, where documents say them."""
    services = [shelf.find("Service", name) for name in shelf.names("Service")]
    told = [service.header.own.get("service-name") for service in services if service]
    return {value.written() for value in told if value}


def _time_window(value: Value | None) -> tuple[str, Calendar | None]:
    if value is None:
        return DEFAULT_WINDOW, None
    items = value.items()
    if len(items) != 1:
        value.fail(f"has {len(items)} items", "one window (OpenSLO)")
    section = items[0].section()
    section.done("duration", "isRolling", "calendar")
    length = window(section.need("duration"))
    calendar, rolling = section.get("calendar"), section.get("isRolling")
    is_rolling = rolling.truth() if rolling else calendar is None
    if calendar is None:
        if not is_rolling and rolling is not None:
            rolling.fail("a window that does not roll needs a calendar")
        return length, None
    if is_rolling:
        calendar.fail("a rolling window has no calendar", "isRolling: false")
    return length, _calendar(calendar)


def _calendar(value: Value) -> Calendar:
    section = value.section()
    section.done("startTime", "timeZone")
    start, zone = section.need("startTime"), section.get("timeZone")
    text = re.sub(r"[Tt]", " ", start.written(), count=1)
    try:
        datetime.strptime(text, _MOMENT)
    except ValueError:
        start.fail(f"{start.written()!r} is no moment", "YYYY-MM-DD HH:MM:SS")
    name = zone.text() if zone else "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        (zone or start).fail(f"unknown time zone {name!r}", "an IANA name, e.g. Europe/Berlin")
    return Calendar(text, name)


def _sli(spec: Section, shelf: Shelf, name: str) -> Entry | None:
    """Return the SLI that an SLO or one of its objectives names or holds."""
    inline, reference = spec.get("indicator"), spec.get("indicatorRef")
    if inline and reference:
        reference.fail("stands beside an indicator", "one of them")
    if reference:
        return shelf.follow(reference, "SLI")
    return read_inline(inline, "SLI", name) if inline else None


def _name_all(entry: Entry, items: list[Value]) -> None:
    names: dict[str, Value] = {}
    for i, item in enumerate(items):
        name = _name(entry, i, item, len(items))
        if name in names:
            item.fail(f"is called {name!r}, as another one", "give it a displayName of its own")
        names[name] = item


def _name(entry: Entry, index: int, item: Value, count: int) -> str:
    """Return the name of an objective: the SLO's, and of several the display name or number."""
    base = told.text() if (told := entry.header.own.get("name")) else entry.header.name
    if count == 1:
        return base
    display_name = item.section().get("displayName")
    slug = re.sub(r"[^a-z0-9]+", "-", display_name.written().lower()) if display_name else ""
    return f"{base}-{slug.strip('-') or index + 1}"


def _objective(
    frame: _Frame, index: int, item: Value, shelf: Shelf, notes: list[Finding]
) -> Written:
    row, entry, problems = item.section(), frame.entry, Problems()
    problems.tried(lambda: row.done(*_ROW_KEYS), None)
    if weight := row.get("compositeWeight"):
        message = "is not used: every objective has its own budget"
        notes.append(Finding(str(weight.place), message, is_warning=True))
    indicator = problems.tried(lambda: _indicator(frame, row, shelf), None)
    place, target_ratio = problems.tried(lambda: _target(row), ("", 0.5))
    slice_target_ratio, slice_window_s = problems.tried(
        lambda: _time_slices(row, frame.budgeting), (None, None)
    )
    alerting, places = problems.tried(
        lambda: combine(frame.policies, entry.header.own, window_seconds(frame.window)),
        (Alerting(), {}),
    )
    problems.end()
    display_name = row.get("displayName")
    objective = Objective(
        name=_name(entry, index, item, len(entry.spec.need("objectives").items())),
        service=frame.service,
        indicator=indicator or _UNREAD,
        target_ratio=target_ratio,
        window=frame.window,
        description=frame.description,
        owner=_owner(entry),
        display_name=display_name.written() if display_name else entry.header.display_name,
        calendar=frame.calendar,
        budgeting=frame.budgeting or Budgeting.OCCURRENCES,
        slice_target_ratio=slice_target_ratio,
        slice_window_s=slice_window_s,
        slice_by=frame.slice_by,
        labels=entry.header.labels,
        alerting=alerting,
        source=entry.header.at.place.file,
    )
    return Written(objective, place, places)


_ROW_KEYS = (
    "displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow",
    "indicator", "indicatorRef", "compositeWeight",
)  # fmt: skip
_UNREAD = Indicator("", "", "")
"""Stands where an SLI does not hold, which keeps its SLO from being made."""


def _indicator(frame: _Frame, row: Section, shelf: Shelf) -> Indicator | None:
    """Return the indicator of an objective; None where the one of its SLO is at fault already."""
    spec = frame.entry.spec
    sli = _sli(row, shelf, frame.entry.header.name) or frame.sli
    if sli is not None:
        return read_indicator(sli, shelf, _threshold(row, sli))
    if spec.get("indicator") is None and spec.get("indicatorRef") is None:
        spec.whole.fail("needs an indicator or an indicatorRef")
    return None


def _owner(entry: Entry) -> str | None:
    told = entry.header.own.get("owner")
    return told.text() if told else entry.header.labels.get("owner")


def _target(row: Section) -> tuple[str, float]:
    """Return the target as a ratio, and its place; 99.9 percent is exactly what 0.999 is."""
    target, percent = row.get("target"), row.get("targetPercent")
    if target is not None and percent is not None:
        percent.fail("stands beside a target", "one of them")
    value = target or percent or row.whole.fail("needs a target or a targetPercent")
    ratio = value.number(0, 1 if target else 100)
    if percent is not None:
        ratio = float(Decimal(percent.written()) / 100) if _is_decimal(percent) else ratio / 100
    if not 0 < ratio < 1:
        value.fail(
            f"a target of {value.written()} leaves "
            + ("no budget: nothing could ever go wrong" if ratio else "nothing to keep"),
            "between the two ends, e.g. 0.99",
        )
    return str(value.place), ratio


def _is_decimal(value: Value) -> bool:
    return re.fullmatch(r"\d+(?:\.\d+)?", value.written(), re.ASCII) is not None


def _threshold(row: Section, sli: Entry) -> Threshold | None:
    op, value = row.get("op"), row.get("value")
    if not is_threshold(sli):
        for odd in (op, value):
            if odd is not None:
                odd.fail("belongs to a thresholdMetric only")
        return None
    return Threshold(row.need("op").choice(tuple(OPS)), row.need("value").number())


def _time_slices(row: Section, budgeting: Budgeting | None) -> tuple[float | None, int | None]:
    target, width = row.get("timeSliceTarget"), row.get("timeSliceWindow")
    if budgeting is None:
        return None, None
    if budgeting is Budgeting.OCCURRENCES:
        for odd in (target, width):
            if odd is not None:
                odd.fail("belongs to the two Timeslices methods only")
        return None, None
    width_s = _slice_width(row.need("timeSliceWindow"))
    if budgeting is Budgeting.RATIO_TIMESLICES:
        return (_share(target) if target else None), width_s
    return _share(row.need("timeSliceTarget")), width_s


def _share(value: Value) -> float:
    share = value.number(0, 1)
    return share if share > 0 else value.fail("a slice that needs nothing is always good")


def _slice_width(value: Value) -> int:
    """Return seconds; a plain number is minutes (OpenSLO)."""
    if re.fullmatch(r"\d{1,6}", value.written(), re.ASCII):
        return int(value.number(1)) * _MINUTE_S
    return int(seconds(value, low=_MINUTE_S))
