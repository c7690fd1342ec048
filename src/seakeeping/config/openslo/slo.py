"""SLOs of OpenSLO as objectives: one for each item of ``objectives``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from seakeeping.config.document import Section, Value
from seakeeping.config.finding import Finding
from seakeeping.config.openslo.alerting import combine, read_policy, read_policy_reference
from seakeeping.config.openslo.entry import (
    Entry,
    describe,
    read_inline,
    seconds,
    window,
)
from seakeeping.config.openslo.indicator import Threshold, is_threshold, read_indicator
from seakeeping.config.openslo.shelf import Shelf
from seakeeping.config.openslo.source import check_dimension
from seakeeping.config.openslo.words import OPS
from seakeeping.records import Budgeting, BurnAlert, Calendar, Objective

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
    """What all objectives of an SLO share."""

    entry: Entry
    service: str
    window: str
    calendar: Calendar | None
    budgeting: Budgeting
    slice_by: tuple[str, ...]


def read_slo(entry: Entry, shelf: Shelf, notes: list[Finding]) -> list[Written]:
    """Return the objectives of an SLO; raises BadResource, and notes what is doubtful."""
    spec = entry.spec
    spec.done(
        "description", "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod",
        "objectives", "alertPolicies",
    )  # fmt: skip
    describe(spec)
    frame = _frame(entry, shelf, notes)
    items = spec.need("objectives").items()
    if not items:
        spec.need("objectives").fail("promises nothing")
    shared = _sli(spec, shelf, entry.header.name)
    if shared and is_threshold(shared) and len(items) > 1:
        items[1].fail(
            "a thresholdMetric has one objective (OpenSLO)",
            "write an SLO for each, or the threshold into a raw ratioMetric",
        )
    _name_all(entry, items)
    return [_objective(frame, i, item, shared, shelf, notes) for i, item in enumerate(items)]


def _frame(entry: Entry, shelf: Shelf, notes: list[Finding]) -> _Frame:
    spec, own = entry.spec, entry.header.own
    length, calendar = _time_window(spec.get("timeWindow"))
    method = spec.get("budgetingMethod")
    slices = own.get("slice-by")
    slice_by = tuple(part.strip() for part in slices.written().split(",")) if slices else ()
    for name in slice_by:
        assert slices is not None
        check_dimension(name, slices)
    return _Frame(
        entry=entry,
        service=_service(entry, shelf, notes),
        window=length,
        calendar=calendar,
        budgeting=Budgeting(
            method.choice([b.value for b in Budgeting]) if method else "Occurrences"
        ),
        slice_by=slice_by,
    )


def _budgeting(value: Value) -> Budgeting:
    return Budgeting(value.choice([method.value for method in Budgeting]))


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
    frame: _Frame, index: int, item: Value, shared: Entry | None, shelf: Shelf, notes: list[Finding]
) -> Written:
    row, entry = item.section(), frame.entry
    row.done(
        "displayName", "op", "value", "target", "targetPercent", "timeSliceTarget",
        "timeSliceWindow", "indicator", "indicatorRef", "compositeWeight",
    )  # fmt: skip
    sli = _sli(row, shelf, entry.header.name) or shared
    if sli is None:
        entry.spec.whole.fail("needs an indicator or an indicatorRef")
    if weight := row.get("compositeWeight"):
        message = "is not used: every objective has its own budget"
        notes.append(Finding(str(weight.place), message, is_warning=True))
    place, target_ratio = _target(row)
    slice_target_ratio, slice_window_s = _time_slices(row, frame.budgeting)
    display_name = row.get("displayName")
    objective = Objective(
        name=_name(entry, index, item, len(entry.spec.need("objectives").items())),
        service=frame.service,
        indicator=read_indicator(sli, shelf, _threshold(row, sli)),
        target_ratio=target_ratio,
        window=frame.window,
        description=describe(entry.spec),
        owner=_owner(entry),
        display_name=display_name.written() if display_name else entry.header.display_name,
        calendar=frame.calendar,
        budgeting=frame.budgeting,
        slice_target_ratio=slice_target_ratio,
        slice_window_s=slice_window_s,
        slice_by=frame.slice_by,
        labels=entry.header.labels,
        source=entry.header.at.place.file,
    )
    return _with_alerts(objective, frame, shelf, place)


def _with_alerts(objective: Objective, frame: _Frame, shelf: Shelf, place: str) -> Written:
    entry = frame.entry
    value = entry.spec.get("alertPolicies")
    policies = [
        read_policy(read_policy_reference(item, shelf, entry.header.name), shelf)
        for item in (value.items() if value else [])
    ]
    alerting, places = combine(policies, entry.header.own, objective.window_s)
    return Written(replace(objective, alerting=alerting), place, places)


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


def _time_slices(row: Section, budgeting: Budgeting) -> tuple[float | None, int | None]:
    target, width = row.get("timeSliceTarget"), row.get("timeSliceWindow")
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
