"""What programs may send to the API, and what some operations answer, as records."""

from dataclasses import dataclass, field

from seakeeping.records import Json, LabelKind, Matcher


@dataclass(frozen=True, slots=True)
class LabelBody:
    """One label: either its ``value`` on the evaluation's scale, or the evaluation's ``label``.

    ``author`` is who sends it where left out, ``at`` now. With which chance the answer was drawn is
    known here and cannot be claimed.
    """

    trace_id: str
    span_id: str
    name: str
    value: float | None = None
    label: str | None = None
    by: LabelKind = LabelKind.HUMAN
    author: str | None = None
    at: float | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class LabelsBody:
    """Labels, at most 1000."""

    labels: tuple[LabelBody, ...]


@dataclass(frozen=True, slots=True)
class SilenceBody:
    """A silence: alerts that meet all matchers are told to nobody until it ends.

    It begins now where ``starts_at`` is left out. ``created_by`` is who sends it where left out.
    """

    matchers: tuple[Matcher, ...]
    ends_at: float
    comment: str
    starts_at: float | None = None
    created_by: str | None = None


@dataclass(frozen=True, slots=True)
class ReasonBody:
    """Why something is done."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class ObjectiveDocument:
    """An OpenSLO v1 document of kind SLO, as JSON: the shape of the files."""

    apiVersion: str
    kind: str
    metadata: dict[str, Json] = field(default_factory=dict)
    spec: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many were taken."""

    count: int
