"""Incidents, diagnoses and changes written by hand."""

from seakeeping.records import Cause, Change, ChangeKind, Diagnosis

AT = 1_790_000_000.0


def change(
    change_id: str = "c1", at: float = AT, *, target: str = "chat", after: str = "v2"
) -> Change:
    """Return a deploy that calls show as their release."""
    return Change(
        change_id, ChangeKind.DEPLOY, target, at, before="v1", after=after, dimension="release"
    )


def cause(kind: str = "worse", **slice_: str) -> Cause:
    """Return a cause with plain figures."""
    return Cause(
        kind, slice_, lift=0.13, low=0.1, high=0.16, share_explained=0.92, p_value=1e-12,
        before_ratio=0.04, during_ratio=0.17, events=900, summary="a slice rose",
    )  # fmt: skip


def diagnosis(*causes: Cause, incident_id: str = "inc-1", at: float = AT) -> Diagnosis:
    """Return a diagnosis with these causes."""
    return Diagnosis(
        incident_id, at, at - 300.0, causes, "what it was", slices_tested=8978,
        examples=({"trace_id": "t1", "span_id": "s1", "score": 0.2, "text": None},),
        changes=(change(),), mix_effect=0.001, rate_effect=0.02,
    )  # fmt: skip


DIAGNOSIS = diagnosis(cause(release="v2"))
