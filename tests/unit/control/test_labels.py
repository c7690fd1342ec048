from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from seakeeping.config.judges import JudgeChoice
from seakeeping.control.labels import Labelling, badness, candidates, label_queue
from seakeeping.observe.objectives import default_objectives, expand
from seakeeping.records import Interaction, Label, LabelKind, Objective
from seakeeping.records.codec import interaction_from_json
from seakeeping.store import Ledger
from seakeeping.store.counting import CountingStore
from seakeeping.store.labels import LabelCandidate
from seakeeping.store.ledger import open_at

NOW = 1_790_000_000.0


class FakeClock:
    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return NOW


@dataclass
class Answers:
    """The store, as far as labelling asks it."""

    kept: list[LabelCandidate]
    labels: list[Label]

    def candidates(
        self, service: str, name: str, start: float, end: float, limit: int, epoch_s: float
    ) -> list[LabelCandidate]:
        hour = (one for one in self.kept if start <= one.started_at < end)
        return [one for one in hour if one.service_name == service][:limit]

    def insert_labels(self, labels: list[Label], token: str = "") -> None:
        self.labels += labels

    def interaction(self, trace_id: str, span_id: str) -> Interaction | None:
        return interaction_from_json({
            "trace_id": trace_id, "span_id": span_id, "started_at": "2026-09-21T12:00:00Z",
            "service_name": "shop", "answer_text": "Yes.",
        })  # fmt: skip


def answer(number: int, service: str = "shop") -> LabelCandidate:
    return LabelCandidate(
        f"t{number}", "s", service, NOW - 7200 - number, 0.2, "unsupported", "lexical"
    )


@pytest.fixture
def answers() -> Answers:
    return Answers([answer(n) for n in range(10)], [])


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", FakeClock())
    ledger.migrate()
    yield ledger
    ledger.close()


def labelling(
    answers: Answers,
    ledger: Ledger,
    objectives: list[Objective],
    *judges: JudgeChoice,
    alarmed: frozenset[str] = frozenset(),
) -> Labelling:
    store = cast(CountingStore, answers)
    return Labelling(
        label_queue(store, ledger, FakeClock()), store, ledger,
        objectives=lambda: objectives, alarmed=lambda: alarmed, judges=lambda: judges,
        clock=FakeClock(),
    )  # fmt: skip


def shop_objectives() -> list[Objective]:
    return expand(default_objectives(), ["shop"])


def test_every_estimated_objective_gets_its_answers_drawn(answers: Answers, ledger: Ledger) -> None:
    assert labelling(answers, ledger, shop_objectives()).refill() > 0
    queue = label_queue(cast(CountingStore, answers), ledger, FakeClock())
    assert {one.name for one in queue.open(limit=100)} == {"faithfulness"}


def test_an_alarm_asks_for_more_labels(answers: Answers, ledger: Ledger) -> None:
    answers.kept = [replace(answer(n), started_at=NOW // 900 * 900 - 1000 - n) for n in range(100)]
    objectives = shop_objectives()
    (quality,) = [one for one in objectives if one.indicator.is_estimate]
    work = labelling(answers, ledger, objectives, alarmed=frozenset({quality.name}))
    assert work.refill() > 5
    queue = label_queue(cast(CountingStore, answers), ledger, FakeClock())
    assert max(one.probability for one in queue.open(limit=100)) > 1 / 100


def test_counted_objectives_ask_for_no_labels(answers: Answers, ledger: Ledger) -> None:
    counted = [one for one in shop_objectives() if not one.indicator.is_estimate]
    assert labelling(answers, ledger, counted).refill() == 0


def test_an_evaluation_without_a_name_is_none(answers: Answers, ledger: Ledger) -> None:
    (quality,) = [one for one in shop_objectives() if one.indicator.is_estimate]
    nameless = replace(quality, indicator=replace(quality.indicator, subject=None))
    assert labelling(answers, ledger, [nameless]).refill() == 0


def test_a_judge_that_is_away_gives_no_label_and_breaks_nothing(
    answers: Answers, ledger: Ledger
) -> None:
    judge = JudgeChoice("j", "http://127.0.0.1:1", "m", ("faithfulness",))
    work = labelling(answers, ledger, shop_objectives(), judge)
    work.refill()
    assert work.judge() == 0
    assert answers.labels == []


def test_badness_of_candidates_follows_the_evaluation() -> None:
    store = cast(CountingStore, Answers([answer(1)], []))
    (found,) = candidates(store, "shop", "faithfulness", NOW - 8000, NOW)
    assert found.score == pytest.approx(0.8)
    (found,) = candidates(store, "shop", "toxicity", NOW - 8000, NOW)
    assert found.score == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("name", "score", "label", "bad"),
    [
        ("faithfulness", 1.0, None, 0.0),
        ("faithfulness", -3.0, None, 1.0),
        ("faithfulness", 7.0, None, 0.0),
        ("faithfulness", None, "unsupported", 0.9),
        ("faithfulness", None, "supported", 0.1),
        ("somebody's own", 0.3, None, 0.7),
        ("somebody's own", None, "bad", 0.1),
    ],
)
def test_badness(name: str, score: float | None, label: str | None, bad: float) -> None:
    assert badness(name, score, label) == pytest.approx(bad)


def test_labels_of_a_judge_are_kept_as_such(
    answers: Answers, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seakeeping.models import ChatAnswer, ChatEndpoint

    def says(self: ChatEndpoint, messages: object, *, max_tokens: int = 300) -> ChatAnswer:
        return ChatAnswer('{"verdict": 1}', 10, 1)

    monkeypatch.setattr(ChatEndpoint, "ask", says)
    judge = JudgeChoice("j", "http://127.0.0.1:1", "m", ("faithfulness", "unheard-of"))
    work = labelling(answers, ledger, shop_objectives(), judge)
    work.refill()
    assert work.judge() == len(answers.labels) > 0
    assert {one.by for one in answers.labels} == {LabelKind.JUDGE}
