"""Sample decisions about the sample calls: budgets in every state, a bad release and its incident.

``cargo-search`` shipped release v42 forty minutes ago, which answers from stale documents in one
region; ``harbour-assistant`` is well; ``crew-chat`` is too new to tell; ``customs-forms`` has no
answers to judge. The hostile service has hostile names everywhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from seakeeping.observe.objectives import default_objectives, expand
from seakeeping.records import (
    Alert,
    AlertState,
    Budget,
    BudgetState,
    Cause,
    Change,
    ChangeKind,
    Counts,
    Diagnosis,
    EstimateMethod,
    Evidence,
    Incident,
    IncidentState,
    Indicator,
    IndicatorSignal,
    Matcher,
    Objective,
    Reading,
    Severity,
    Silence,
    TimelineEntry,
)
from seakeeping.records.codec import iso
from seakeeping.stats.proportion import confidence_sequence
from seakeeping.web.testing.decided import MemoryDecided
from seakeeping.web.testing.sample import BAD, HOSTILE, HOSTILE_NAME

SERVICES = ("harbour-assistant", "cargo-search", "crew-chat", "customs-forms")
LOOKS = {"5m": 300, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21_600, "1d": 86_400,
         "3d": 259_200, "30d": 2_592_000}  # fmt: skip
BAD_RELEASE = "release-v42"
INCIDENT = "inc-2026-0042"
OLD_INCIDENT = "inc-2026-0037"


def fill_decided(decided: MemoryDecided, now: float) -> MemoryDecided:
    """Add the sample decisions as of ``now``; return what holds them."""
    decided.measured += _readings(now)
    for alert in _alerts(now):
        decided.known_alerts[alert.fingerprint] = alert
    for change in _changes(now):
        decided.known_changes[change.id] = change
    for silence in _silences(now):
        decided.known_silences[silence.id] = silence
    for incident in (_incident(now), _old_incident(now), _hostile_incident(now)):
        decided.known_incidents[incident.id] = incident
    return decided


# how much each objective of each service saw and spent: valid, bad, and the pace of the last hour
_COUNTED: Mapping[str, tuple[float, float, float]] = {
    "harbour-assistant/availability": (412_000, 890, 0.3),
    "harbour-assistant/latency": (411_100, 9_800, 0.4),
    "harbour-assistant/time_to_first_token": (398_000, 5_120, 0.2),
    "harbour-assistant/response_validity": (410_900, 610, 0.1),
    "harbour-assistant/coverage": (410_900, 1_240, 0.1),
    "harbour-assistant/scoring_lag": (409_700, 2, 0.0),
    "cargo-search/availability": (118_000, 3_560, 9.7),
    "cargo-search/latency": (114_400, 5_450, 1.6),
    "cargo-search/time_to_first_token": (114_400, 4_020, 0.9),
    "cargo-search/response_validity": (114_400, 420, 0.4),
    "cargo-search/coverage": (114_400, 340, 0.0),
    "cargo-search/scoring_lag": (114_100, 12, 0.0),
    "crew-chat/availability": (9, 0, 0.0),
    "crew-chat/latency": (9, 0, 0.0),
    "customs-forms/availability": (300, 0, 0.0),
    "customs-forms/latency": (300, 16, 1.1),
    "seakeeping/spool": (8_640, 0, 0.0),
    "seakeeping/store": (8_640, 3, 0.0),
    "seakeeping/pipeline_lag": (8_640, 0, 0.0),
}


def _readings(now: float) -> Iterator[Reading]:
    for objective in expand(default_objectives(), SERVICES):
        if objective.name in _COUNTED:
            yield _counted(objective, *_COUNTED[objective.name], now)
        elif objective.name == "harbour-assistant/faithfulness":
            yield _estimated(objective, now, bad=0.043, low=0.029, high=0.061, raw=0.118,
                             labels=212, needed=0, pace=0.4)  # fmt: skip
        elif objective.name == "cargo-search/faithfulness":
            yield _estimated(objective, now, bad=0.171, low=0.128, high=0.221, raw=0.243,
                             labels=164, needed=0, pace=3.4, since=now - 2_280)  # fmt: skip
        elif objective.name == "crew-chat/faithfulness":
            yield _cold(objective, now)
        else:
            yield Reading(_nothing(objective, now), {})
    yield _counted(_written(), 52_300, 1_920, 0.7, now)
    yield _estimated(_refusals(), now, bad=0.052, low=0.031, high=0.083, raw=0.061,
                     labels=88, needed=140, pace=0.9)  # fmt: skip
    yield _counted(_hostile(), 400, 31, 2.0, now)


def _written() -> Objective:
    return Objective(
        name="cargo-search-cost",
        service="cargo-search",
        indicator=Indicator(
            name="cost", valid="answers", good="those that cost at most $0.01",
            signal=IndicatorSignal.COST, threshold=0.01,
        ),
        target_ratio=0.95,
        window="7d",
        description="Answers that cost at most a cent.",
        owner="platform",
        display_name="Cost per answer",
        labels={"team": "search", "tier": "1"},
        source="seakeeping.d/cargo.yaml",
    )  # fmt: skip


def _refusals() -> Objective:
    return Objective(
        name="harbour-refusals",
        service="harbour-assistant",
        indicator=Indicator(
            name="refusal", valid="judged answers", good="those that do not decline",
            signal=IndicatorSignal.EVALUATION, subject="refusal", bad_labels=("refused",),
            is_estimate=True, higher_is_better=False,
        ),
        target_ratio=0.95,
        description="Questions that the assistant does not decline.",
        owner="harbour",
        display_name="Answers, not refusals",
        labels={"team": "harbour", "tier": "1"},
        source="api",
    )  # fmt: skip


def _hostile() -> Objective:
    return Objective(
        name=f"{HOSTILE_NAME}/availability",
        service=HOSTILE_NAME,
        indicator=Indicator("availability", valid=HOSTILE, good=HOSTILE),
        target_ratio=0.9,
        description=HOSTILE,
        owner="<i>owner</i>",
        labels={"<b>team</b>": HOSTILE},
    )


def _counted(objective: Objective, valid: float, bad: float, pace: float, now: float) -> Reading:
    room = objective.budget_ratio
    bounds = confidence_sequence(bad, valid)
    state = (
        BudgetState.OK if bounds.high <= room
        else BudgetState.BREACH if bounds.low > room else BudgetState.UNCERTAIN
    )  # fmt: skip
    remaining = 1 - bad / valid / room
    budget = Budget(
        objective=objective, at=now, valid_total=valid, bad_total=bad, estimate=1 - bad / valid,
        low=1 - bounds.high, high=1 - bounds.low, remaining_ratio=remaining, state=state,
        burn_rates=_paces(pace, bad / valid / room), window_start=now - objective.window_s,
        valid_rows=round(valid), bad_rows=round(bad),
        time_to_exhaustion_s=remaining / pace * objective.window_s
        if pace > 0.01 and remaining > 0 else None,
        interval_remaining_ratio=remaining - 0.021, last_event_at=now - 3,
    )  # fmt: skip
    return Reading(budget, _look_backs(valid, room, budget.burn_rates))


def _estimated(
    objective: Objective, now: float, *, bad: float, low: float, high: float, raw: float,
    labels: int, needed: int, pace: float, since: float | None = None,
) -> Reading:  # fmt: skip
    room, valid = objective.budget_ratio, 48_200.0
    state = (
        BudgetState.OK if high <= room else BudgetState.BREACH if low > room
        else BudgetState.UNCERTAIN
    )  # fmt: skip
    budget = Budget(
        objective=objective, at=now, valid_total=valid, bad_total=valid * bad, estimate=1 - bad,
        low=1 - high, high=1 - low, remaining_ratio=1 - bad / room, state=state,
        burn_rates=_paces(pace, bad / room), valid_rows=round(valid),
        bad_rows=round(valid * raw), method=EstimateMethod.PPI, raw_ratio=1 - raw, labels=labels,
        labels_needed=needed, last_event_at=now - 4,
    )  # fmt: skip
    null = 0.08 + room * 0.72
    evidence = Evidence(9_400 if since else 0.8, 1000, null, round(valid), since)
    return Reading(budget, _look_backs(valid, room, budget.burn_rates), evidence)


def _cold(objective: Objective, now: float) -> Reading:
    budget = Budget(
        objective=objective, at=now, valid_total=9, bad_total=1.2, estimate=0.87, low=0.41,
        high=1.0, remaining_ratio=1 - 0.13 / objective.budget_ratio, state=BudgetState.UNCERTAIN,
        burn_rates=_paces(1.3, 1.3), valid_rows=9, bad_rows=3, method=EstimateMethod.COLD_START,
        raw_ratio=0.67, labels=0, labels_needed=110, last_event_at=now - 40,
        note="the detector's error rates are those of its model card, not of your traffic",
    )  # fmt: skip
    return Reading(budget, _look_backs(9, objective.budget_ratio, budget.burn_rates))


def _nothing(objective: Objective, now: float) -> Budget:
    return Budget(
        objective=objective, at=now, valid_total=0, bad_total=0, estimate=None, low=None,
        high=None, remaining_ratio=None, state=BudgetState.NO_DATA,
        burn_rates=dict.fromkeys(LOOKS),
    )  # fmt: skip


def _paces(pace: float, whole: float) -> dict[str, float | None]:
    """Return burn rates that lead from the pace of the last hour to that of the window."""
    shares = {"5m": 1.1, "30m": 1.04, "1h": 1.0, "2h": 0.86, "6h": 0.5, "1d": 0.25, "3d": 0.1}
    return {
        **{look: round(whole + (pace - whole) * part, 4) for look, part in shares.items()},
        "30d": round(whole, 4),
    }


def _look_backs(valid: float, room: float, burns: Mapping[str, float | None]) -> dict[int, Counts]:
    found = {}
    for look, seconds in LOOKS.items():
        events = valid * seconds / LOOKS["30d"]
        bad = min(events, events * room * (burns.get(look) or 0.0))
        found[seconds] = Counts(events, bad, round(events), round(bad))
    return found


def _alerts(now: float) -> Iterator[Alert]:
    example = f"/interactions/{'5a11':0>32}/{'5a11':0>16} at {iso(now - 240)[:19]}Z"
    yield Alert(
        labels={"alertname": "ErrorBudgetBurn", "severity": "page", "service": "cargo-search",
                "slo": "cargo-search/availability"},
        annotations={
            "summary": "cargo-search/availability spends its 30d budget 9.7 times too fast: it is "
            "500 % over, and every further error counts against next month.",
            "description": "Promised: 99.5 % good over 30d.",
            "worst_slices": "region=eu-north: 31 % bad, 89 % of all that is bad",
        },
        starts_at=now - 1_920, severity=Severity.PAGE, objective="cargo-search/availability",
        evidence={"burn_long": 6.4, "burn_short": 9.9}, incident_id=INCIDENT,
        acknowledged_by="ada", acknowledged_at=now - 1_500, updated_at=now - 5,
    )  # fmt: skip
    yield Alert(
        labels={"alertname": "QualityEvidence", "severity": "page", "service": "cargo-search",
                "slo": "cargo-search/faithfulness"},
        annotations={
            "summary": "cargo-search/faithfulness: the detector flags more answers than a rate on "
            "budget could explain; about 17 % are unsupported where 10 % are allowed.",
            "description": "The rate seems to have changed 38 min ago, with release v42.",
            "examples": f"{example} (unsupported, 0.94)",
        },
        starts_at=now - 1_740, severity=Severity.PAGE, objective="cargo-search/faithfulness",
        evidence={"value": 9400, "limit": 1000}, incident_id=INCIDENT,
        updated_at=now - 5,
    )  # fmt: skip
    yield Alert(
        labels={"alertname": "ErrorBudgetBurn", "severity": "ticket", "service": "customs-forms",
                "slo": "customs-forms/latency"},
        annotations={"summary": "customs-forms/latency spends slightly more than its budget."},
        starts_at=now - 80, severity=Severity.TICKET, objective="customs-forms/latency",
        state=AlertState.PENDING, updated_at=now - 5,
    )  # fmt: skip
    yield Alert(
        labels={"alertname": "KubePodCrashLooping", "severity": "ticket", "service": HOSTILE_NAME,
                "slo": "<b>slo</b>", "<script>": HOSTILE},
        annotations={"summary": HOSTILE, "description": HOSTILE},
        starts_at=now - 4_000, severity=Severity.TICKET, state=AlertState.RESOLVED,
        ends_at=now - 600, updated_at=now - 600,
    )  # fmt: skip


def _changes(now: float) -> Iterator[Change]:
    yield Change(
        BAD_RELEASE, ChangeKind.DEPLOY, "cargo-search", now - 2_400, before="v41", after="v42",
        dimension="release", by="argo", description="Roll out v42 to eu-north",
    )  # fmt: skip
    yield Change(
        "prompt-31", ChangeKind.PROMPT, "cargo-search", now - 90_000, before="30", after="31",
        dimension="prompt_version", by="telemetry",
    )  # fmt: skip
    yield Change(
        "index-0611", ChangeKind.DATA, "cargo-search", now - 900_000, after="index-0611",
        by="nightly", description="Rebuild the retrieval index",
    )  # fmt: skip
    yield Change(
        "<change>", ChangeKind.CONFIG, HOSTILE_NAME, now - 4_100, before=HOSTILE, after=HOSTILE,
        by="<i>by</i>", description=HOSTILE,
    )  # fmt: skip


def _silences(now: float) -> Iterator[Silence]:
    yield Silence(
        "s-1", (Matcher("service", "customs-.*", is_regex=True), Matcher("severity", "ticket")),
        now - 3_600, now + 10_800, "grace", "Known: the scanner is being replaced (OPS-311)",
        now - 3_600,
    )  # fmt: skip
    yield Silence(
        "s-0", (Matcher("service", HOSTILE_NAME),), now - 90_000, now - 86_400, "<i>x</i>",
        HOSTILE, now - 90_000,
    )  # fmt: skip


def _incident(now: float) -> Incident:
    onset = now - 2_310
    release = next(_changes(now))
    cause = Cause(
        "worse", {"release": "v42", "region": "eu-north"}, lift=0.268, low=0.231, high=0.306,
        share_explained=0.93, p_value=3e-38, before_ratio=0.041, during_ratio=0.309, events=1_840,
        change=release,
        summary="31 % of the calls of release v42 in eu-north fail, 4 % before it.",
    )  # fmt: skip
    second = Cause(
        "mix", {"model": "gpt-5-nano"}, lift=0.012, low=0.002, high=0.022, share_explained=0.05,
        p_value=0.004, before_ratio=0.09, during_ratio=0.10, events=610,
        summary="gpt-5-nano always was worse, and takes more of the traffic now.",
    )  # fmt: skip
    metric = Cause(
        "metric", {}, lift=0.0, low=-0.004, high=0.004, share_explained=0.0, p_value=0.31,
        summary="vllm:num_requests_waiting did not move",
    )  # fmt: skip
    diagnosis = Diagnosis(
        INCIDENT, now - 1_915, onset, (cause, second, metric),
        "Release v42 in eu-north explains 93 % of the excess; it was rolled out 90 s before.",
        examples=({
            "trace_id": f"{'5a11':0>32}", "span_id": f"{'5a11':0>16}", "started_at": now - 240,
            "score": 0.94, "label": "unsupported", "text": BAD, "release": "v42",
            "region": "eu-north",
        },),
        changes=(release,), slices_tested=4_212, mix_effect=0.004, rate_effect=0.061,
        duration_s=1.31,
    )  # fmt: skip
    fingerprints = tuple(a.fingerprint for a in _alerts(now) if a.incident_id == INCIDENT)
    steps = (
        ("controller", "opened", "ErrorBudgetBurn fires", None, "open", now - 1_920),
        ("controller", "diagnosed", "93 % explained by release=v42, region=eu-north", "open",
         "diagnosed", now - 1_915),
        ("controller", "joined", "QualityEvidence has the same cause", None, None, now - 1_740),
        ("ada", "acknowledged", "somebody works on it", "diagnosed", "diagnosed", now - 1_500),
        ("ada", "mitigating", "rolling back v42 in eu-north", "diagnosed", "mitigating", now - 600),
    )  # fmt: skip
    return Incident(
        INCIDENT, "cargo-search: release v42 in eu-north fails and makes answers up",
        "cargo-search", IncidentState.MITIGATING, Severity.PAGE, now - 1_920,
        alerts=fingerprints, changes=(BAD_RELEASE,), acknowledged_by="ada",
        acknowledged_at=now - 1_500, diagnosis=diagnosis, version=5, timeline=_timeline(steps),
    )  # fmt: skip


_Step = tuple[str, str, str, str | None, str | None, float]


def _timeline(steps: tuple[_Step, ...]) -> tuple[TimelineEntry, ...]:
    return tuple(
        TimelineEntry(n, at, actor, action, reason, before, after,
                      previous_hash=f"{n * 7919:064x}", hash=f"{(n + 1) * 7919 * 65_537:064x}")
        for n, (actor, action, reason, before, after, at) in enumerate(steps, start=1)
    )  # fmt: skip


def _old_incident(now: float) -> Incident:
    opened = now - 6 * 86_400
    diagnosis = Diagnosis(
        OLD_INCIDENT, opened + 3, opened - 300, (),
        "No cause found: no slice differs from the others, and no change came before.",
        slices_tested=3_980, mix_effect=0.001, rate_effect=0.012, duration_s=0.9,
    )  # fmt: skip
    steps: tuple[_Step, ...] = (
        ("controller", "opened", "ErrorBudgetBurn fires", None, "open", opened),
        ("controller", "diagnosed", "no cause found", "open", "diagnosed", opened + 3),
        ("controller", "resolved", "all alerts resolved", "diagnosed", "resolved", opened + 2_700),
    )
    return Incident(
        OLD_INCIDENT, "harbour-assistant: slow answers", "harbour-assistant",
        IncidentState.RESOLVED, Severity.TICKET, opened, resolved_at=opened + 2_700,
        diagnosis=diagnosis, version=3, timeline=_timeline(steps),
    )  # fmt: skip


def _hostile_incident(now: float) -> Incident:
    cause = Cause(
        "new", {"<b>release</b>": HOSTILE}, lift=0.4, low=0.2, high=0.6, share_explained=1.0,
        p_value=0.001, events=12, summary=HOSTILE,
    )  # fmt: skip
    diagnosis = Diagnosis("bad<1>", now - 3_990, now - 4_000, (cause,), HOSTILE)
    made = Incident(
        "bad1", HOSTILE, HOSTILE_NAME, IncidentState.ESCALATED, Severity.PAGE, now - 4_000,
        diagnosis=diagnosis, acknowledged_by="<i>by</i>", acknowledged_at=now - 3_900,
    )  # fmt: skip
    entry = TimelineEntry(1, now - 4_000, "<i>by</i>", "<b>open</b>", HOSTILE, None, "open")
    return replace(made, timeline=(entry,))
