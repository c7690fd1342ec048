"""What somebody who looked says about one answer: the truth that detectors are held against."""

from dataclasses import dataclass
from enum import StrEnum


class LabelKind(StrEnum):
    """Who says so; where they contradict each other the earlier in this list is believed."""

    HUMAN = "human"
    JUDGE = "judge"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Label:
    """One verdict of one author on one evaluation of one answer.

    ``name`` is the evaluation's (``faithfulness``), ``value`` is on that evaluation's own scale, 0
    to 1 (faithfulness 1: supported). ``sampling_probability`` is the chance with which the answer
    was drawn for labelling, in (0, 1]; None where nobody drew it (a thumb, a complaint): such a
    label shows its answer but says nothing about the others. A newer label of the same author on
    the same answer replaces the older one.
    """

    trace_id: str
    span_id: str
    name: str
    value: float
    by: LabelKind
    author: str
    at: float
    sampling_probability: float | None = None
    comment: str | None = None

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """The identity of the label."""
        return self.trace_id, self.span_id, self.name, self.by, self.author


@dataclass(frozen=True, slots=True)
class LabelledScore:
    """A label beside the detector's score of the same answer.

    ``truth`` and ``score`` are badness, 0 good .. 1 bad, whatever the evaluation's direction;
    ``is_flagged`` is the detector's verdict. ``started_at`` is the answer's time, ``at`` the
    label's.
    """

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    at: float
    truth: float
    score: float
    is_flagged: bool
    by: LabelKind
    author: str
    sampling_probability: float | None
    weight: float = 1.0
