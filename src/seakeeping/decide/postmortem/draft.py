"""A postmortem in Markdown, as far as it can be written from what was recorded.

Blameless by its form: it names changes, slices and times, and persons only where they acted on the
incident. What a machine cannot know (impact on users, what went well, what to do about it) is a
heading with a question under it, so that the draft is finished by answering.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from seakeeping.decide.diagnose.words import change, moment, points, ratio, share, slice_
from seakeeping.records import Alert, Budget, Cause, Change, Incident, JsonObject, TimelineEntry

_QUESTIONS: Mapping[str, str] = MappingProxyType({
    "Impact": "Who noticed, how many users, what did it cost them?",
    "What went well": "What shortened it?",
    "What went wrong": "What delayed noticing, understanding, mending?",
    "Where we were lucky": "What would have made it worse?",
    "Actions": "What will be done, by whom, until when? One line each.",
})  # fmt: skip


def draft(
    incident: Incident, *, alerts: Sequence[Alert] = (), changes: Sequence[Change] = (),
    budgets: Sequence[Budget] = (),
) -> str:  # fmt: skip
    """Return the draft. ``budgets`` are those of the objectives that burnt, as they are now."""
    parts = [
        f"# Postmortem: {_line(incident.title)}",
        _facts(incident),
        *_section("Summary", [_line(_summary(incident))]),
        *_section("Error budgets", map(_budget, budgets)),
        *_section("Causes", _causes(incident)),
        *_section("Changes around the onset", (f"- {_line(change(it))}" for it in changes)),
        *_section("Alerts", map(_alert, alerts)),
        *_section("Examples", _examples(incident)),
        *_section("Timeline", _timeline(incident.timeline)),
        *(f"## {heading}\n\n_{question}_" for heading, question in _QUESTIONS.items()),
        _footer(incident.timeline),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(incident: Incident) -> str:
    diagnosis = incident.diagnosis
    began = diagnosis.onset if diagnosis and diagnosis.onset is not None else incident.opened_at
    rows = {
        "Incident": incident.id,
        "Service": incident.service or "none: no alert names one",
        "Severity": incident.severity.value,
        "State": incident.state.value,
        "Began": moment(began),
        "Noticed": f"{moment(incident.opened_at)} ({_after(began, incident.opened_at)} later)",
        "Acknowledged": _who(incident, began),
        "Mitigated": _ended(incident.mitigated_at, began),
        "Resolved": _ended(incident.resolved_at, began),
    }
    lines = [f"| {name} | {_line(value)} |" for name, value in rows.items()]
    return "\n".join(["| | |", "| --- | --- |", *lines])


def _summary(incident: Incident) -> str:
    return incident.diagnosis.summary if incident.diagnosis else "No diagnosis was made."


def _who(incident: Incident, began: float) -> str:
    if incident.acknowledged_by is None:
        return "by nobody"
    return f"by {incident.acknowledged_by}, {_ended(incident.acknowledged_at, began)}"


def _ended(at: float | None, began: float) -> str:
    return "not yet" if at is None else f"{moment(at)} ({_after(began, at)} after it began)"


def _after(start: float, end: float) -> str:
    minutes = max(0.0, end - start) / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _section(heading: str, lines: Iterable[str]) -> list[str]:
    """Return a section; none where there is nothing to say."""
    told = [line for line in lines if line]
    return [f"## {heading}\n\n" + "\n".join(told)] if told else []


def _budget(budget: Budget) -> str:
    left = "unknown" if budget.remaining_ratio is None else share(budget.remaining_ratio)
    return f"- {_line(budget.objective.name)}: {left} of the budget left, {budget.state}"


def _causes(incident: Incident) -> list[str]:
    causes = incident.diagnosis.causes if incident.diagnosis else ()
    return [f"{place}. {_cause(cause)}" for place, cause in enumerate(causes, start=1)]


def _cause(cause: Cause) -> str:
    if cause.summary:
        return _line(cause.summary)
    where = slice_(cause.slice) if cause.slice else "all calls"
    return _line(f"{where}: {ratio(cause.during_ratio)} bad, +{points(cause.lift)} points")


def _alert(alert: Alert) -> str:
    name = alert.labels.get("alertname", alert.fingerprint)
    end = "still firing" if alert.ends_at is None else f"until {moment(alert.ends_at)}"
    told = alert.annotations.get("summary", "")
    return (
        f"- {_line(name)} ({alert.severity}) from {moment(alert.starts_at)}, {end}. {_line(told)}"
    )


def _examples(incident: Incident) -> list[str]:
    examples = incident.diagnosis.examples if incident.diagnosis else ()
    return [_example(it) for it in examples]


def _example(example: JsonObject) -> str:
    """Name an answer; its text stays in the store."""
    found = f"{example.get('trace_id')}/{example.get('span_id')}"
    told = [f"{name} {example[name]}" for name in ("label", "score", "value", "model", "release")
            if example.get(name) is not None]  # fmt: skip
    return f"- `/interactions/{found.replace('`', '')}` {_line(', '.join(told))}"


def _timeline(entries: Iterable[TimelineEntry]) -> list[str]:
    return [
        f"- {moment(entry.at)} **{_line(entry.action)}** by {_line(entry.actor)}: "
        f"{_line(entry.reason)}"
        for entry in entries
    ]


def _footer(entries: Sequence[TimelineEntry]) -> str:
    if not entries:
        return "_No timeline._"
    return f"_Timeline of {len(entries)} entries, last hash `{entries[-1].hash}`._"


_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]#|"} | {"<": "&lt;", ">": "&gt;"})


def _line(text: str) -> str:
    """Return a text as one line that Markdown and HTML leave alone."""
    return " ".join(text.split()).translate(_ESCAPED)
