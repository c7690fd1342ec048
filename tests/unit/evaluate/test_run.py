"""Reasons, verdicts, the guarded run, the registry, and the wire."""

import socket
import threading
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import MappingProxyType

import pytest

from seakeeping.errors import BadSetting, EvaluatorFailed
from seakeeping.evaluate import registry
from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.reasons import OURS, SkipReason, is_ours
from seakeeping.evaluate.registry import evaluator_names, load_evaluators
from seakeeping.evaluate.run import run
from seakeeping.evaluate.verdict import scored, skipped
from seakeeping.evaluate.wire import Channel, pack
from seakeeping.protocols import CostClass
from seakeeping.records import Evaluation, Interaction


class Noon:
    """A clock that stands still."""

    def now(self) -> float:
        return 1_700_000_000.0

    def monotonic(self) -> float:
        return 0.0


class Picky:
    """Raises for an answer that says so, and counts how often it is asked."""

    name = "picky"
    version = "7"
    needs = frozenset({"answer_text"})
    cost_class = CostClass.CPU

    def __init__(self, error: type[BaseException] = ValueError) -> None:
        self.asked = 0
        self.error = error

    def evaluate(self, interactions: Sequence[Interaction]) -> list[Evaluation]:
        self.asked += 1
        if any(i.answer_text == "bad" for i in interactions):
            raise self.error("bad")
        if any(i.answer_text == "few" for i in interactions):
            return []
        return [scored(self, i, 1.0, None) for i in interactions]


def calls(*answers: str) -> list[Interaction]:
    return [plain_call(answer=answer, number=n) for n, answer in enumerate(answers)]


def test_reasons_of_ours_count_against_coverage_and_the_others_do_not() -> None:
    assert {"shed", "timeout", "crashed", "error"} == set(OURS)
    assert is_ours("error: KeyError")
    theirs = [str(reason) for reason in SkipReason if reason not in OURS]
    assert not any(is_ours(reason) for reason in theirs)


def test_no_word_of_theirs_begins_like_one_of_ours() -> None:
    theirs = [str(reason) for reason in SkipReason if reason not in OURS]
    assert not any(word.startswith(tuple(OURS)) for word in theirs)


def test_one_odd_call_costs_the_others_nothing() -> None:
    picky = Picky()
    evaluations = run(picky, calls("good", "bad", "few", "good"), Noon())
    assert [e.skipped_reason for e in evaluations] == [
        None, "error: ValueError", "error: BrokenPromise", None,
    ]  # fmt: skip
    assert picky.asked == 5
    assert {e.evaluated_at for e in evaluations} == {Noon().now()}


def test_a_good_batch_is_asked_once() -> None:
    picky = Picky()
    assert len(run(picky, calls("good", "good"), Noon())) == 2
    assert picky.asked == 1


def test_nothing_is_asked_about_nothing() -> None:
    assert run(Picky(), [], Noon()) == []


def test_running_out_of_memory_is_not_survived() -> None:
    with pytest.raises(MemoryError):
        run(Picky(MemoryError), calls("bad"), Noon())


def test_an_evaluator_may_stamp_its_own_time() -> None:
    class Stamping(Picky):
        def evaluate(self, interactions: Sequence[Interaction]) -> list[Evaluation]:
            made = super().evaluate(interactions)
            return [replace(e, evaluated_at=5.0, duration_s=2.0) for e in made]

    [evaluation] = run(Stamping(), calls("good"), Noon())
    assert (evaluation.evaluated_at, evaluation.duration_s) == (5.0, 2.0)


def test_a_verdict_is_signed_by_its_evaluator() -> None:
    verdict = skipped(Picky(), plain_call(), SkipReason.CODE)
    assert (verdict.name, verdict.evaluator, verdict.evaluator_version) == ("picky", "picky", "7")
    assert type(verdict.skipped_reason) is str


def install(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    points = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


def test_ours_are_installed_and_ordered_by_name() -> None:
    names = [evaluator.name for evaluator in load_evaluators()]
    assert names == sorted(names)
    assert {"faithfulness", "refusal", "response_validity"} <= set(names)


def test_names_are_told_without_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, two="no_such_module:X", one="no_such_module:Y")
    assert evaluator_names() == ["one", "two"]


def test_only_the_enabled_are_loaded() -> None:
    assert [evaluator.name for evaluator in load_evaluators(["refusal"])] == ["refusal"]
    assert load_evaluators([]) == []


def test_an_unknown_name_suggests_the_near_one() -> None:
    with pytest.raises(BadSetting, match="did you mean 'faithfulness'"):
        load_evaluators(["faithfullness"])
    with pytest.raises(BadSetting, match=r"installed: .*refusal"):
        load_evaluators(["zzz"])


def test_two_evaluators_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = "seakeeping.evaluate.refusal:Refusal"
    install(monkeypatch, one=refusal, two=refusal)
    with pytest.raises(BadSetting, match="two evaluators"):
        load_evaluators()


@pytest.mark.parametrize(
    ("value", "complaint"),
    [("no_such_module:X", "cannot be made"), ("builtins:dict", "is not an Evaluator")],
)
def test_what_is_no_evaluator_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str, complaint: str
) -> None:
    install(monkeypatch, odd=value)
    with pytest.raises(EvaluatorFailed, match=complaint):
        load_evaluators()


def test_records_cross_the_wire_unchanged() -> None:
    ours, theirs = socket.socketpair()
    call = replace(plain_call(), attributes=MappingProxyType({"a": [1, {"b": None}]}))
    big = plain_call(documents=["x" * 3_000_000], number=2)
    message = [call, big, scored(Picky(), call, 0.5, None, evidence=[{"start": 0, "end": 3}])]
    sender = threading.Thread(target=Channel(ours).send, args=(message, 10.0))
    sender.start()
    received = Channel(theirs).receive(10.0)
    sender.join()
    assert received == message
    ours.close()
    theirs.close()


def test_a_silent_or_vanished_peer_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    with pytest.raises(TimeoutError):
        channel.receive(0.02)
    theirs.send(pack("cut")[:3])
    theirs.close()
    with pytest.raises(EOFError):
        channel.receive(1.0)
    with pytest.raises(OSError, match="pipe"):
        channel.send("x" * 1_000_000, 1.0)
    channel.close()


def test_a_peer_that_dribbles_does_not_stretch_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall((10**6).to_bytes(8, "big"))
    stop = threading.Event()

    def dribble() -> None:
        while not stop.wait(0.01):
            theirs.send(b"x")

    thread = threading.Thread(target=dribble)
    thread.start()
    with pytest.raises(TimeoutError):
        Channel(ours).receive(0.2)
    stop.set()
    thread.join()
    ours.close()
    theirs.close()
