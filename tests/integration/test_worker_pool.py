"""The pool over real worker processes, with evaluators that hang, die, raise and eat memory."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seakeeping.errors import EvaluatorFailed
from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.pool import BATCH_CALLS, BATCH_CHARS, LOST_LIMIT, WorkerPool, batches
from seakeeping.protocols import CostClass
from seakeeping.records import Evaluation, Interaction

OURS = ["faithfulness", "refusal", "response_validity"]

EVIL = """
import os, time
from seakeeping.evaluate.verdict import scored
from seakeeping.protocols import CostClass

class Evil:
    name = "evil"
    version = "1"
    needs = frozenset({"answer_text"})
    cost_class = CostClass.CPU

    def evaluate(self, interactions):
        return [self.judge(interaction) for interaction in interactions]

    def judge(self, interaction):
        text = interaction.answer_text or ""
        if "HANG" in text:
            time.sleep(600)
        if "DIE" in text:
            os._exit(3)
        if "EAT" in text:
            bytearray(1 << 32)
        if "RAISE" in text:
            raise ValueError("no")
        return scored(self, interaction, 1.0, None)

class Paid(Evil):
    name = "paid"
    cost_class = CostClass.PAID

def broken():
    raise RuntimeError("cannot be made")
"""


@pytest.fixture(scope="module")
def evil_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Install a distribution of evil evaluators where only worker processes find it."""
    folder = tmp_path_factory.mktemp("evil")
    (folder / "evil_evaluators.py").write_text(EVIL)
    info = folder / "evil_evaluators-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil-evaluators\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[seakeeping.evaluators]\nevil = evil_evaluators:Evil\npaid = evil_evaluators:Paid\n"
        "broken = evil_evaluators:broken\n"
    )
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), before]))
    yield folder
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(workers=1, enabled=OURS) as started:
        yield started


@pytest.fixture(scope="module")
def evil(evil_package: Path) -> Iterator[WorkerPool]:
    enabled = ["evil", "paid", "refusal"]
    with WorkerPool(workers=1, timeout_s=0.5, memory_limit_mb=512, enabled=enabled) as started:
        yield started


def calls(*answers: str) -> list[Interaction]:
    return [plain_call(answer=answer, number=n) for n, answer in enumerate(answers, start=1)]


def reasons(evaluations: list[Evaluation], name: str) -> list[str | None]:
    return [e.skipped_reason for e in evaluations if e.name == name]


def test_every_call_gets_one_evaluation_from_every_evaluator(pool: WorkerPool) -> None:
    made = calls(*["Paris is the capital of France."] * 150)
    evaluations = pool.score(made)
    names = [facts.name for facts in pool.evaluators]
    assert names == ["faithfulness", "refusal", "response_validity"]
    assert [e.key for e in evaluations] == [(*c.key, n, n) for c in made for n in names]
    assert all(e.evaluated_at > 0 and e.duration_s is not None for e in evaluations)


def test_nothing_to_score_is_nothing_scored(pool: WorkerPool) -> None:
    assert pool.score([]) == []


def test_a_second_worker_gives_the_same_scores(pool: WorkerPool) -> None:
    made = calls(*[f"Paris is the capital of France, says row {n}." for n in range(200)])
    with WorkerPool(workers=2, enabled=OURS) as two:
        assert len(set(two.pids)) == 2
        mine = [(e.key, e.score_value, e.evidence) for e in two.score(made)]
    assert mine == [(e.key, e.score_value, e.evidence) for e in pool.score(made)]


def test_many_threads_may_score_at_once(pool: WorkerPool) -> None:
    results: list[int] = []

    def work() -> None:
        results.append(len(pool.score(calls(*["It is so."] * 30))))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert results == [90] * 8


def test_a_call_that_hangs_costs_only_its_own_score(evil: WorkerPool) -> None:
    evaluations = evil.score(calls("fine", "HANG", "also fine"))
    assert reasons(evaluations, "evil") == [None, "timeout", None]
    assert reasons(evaluations, "refusal") == [None, None, None]


def test_a_call_that_kills_its_worker_costs_only_its_own_score(evil: WorkerPool) -> None:
    evaluations = evil.score(calls("fine", "DIE", "also fine"))
    assert reasons(evaluations, "evil") == [None, "crashed", None]
    assert reasons(evaluations, "refusal") == [None, None, None]


def test_a_call_that_eats_memory_costs_only_its_own_score(evil: WorkerPool) -> None:
    evaluations = evil.score(calls("fine", "EAT", "also fine"))
    assert reasons(evaluations, "evil") == [None, "crashed", None]


def test_a_call_that_makes_an_evaluator_raise_names_the_error(evil: WorkerPool) -> None:
    before = evil.pids
    evaluations = evil.score(calls("fine", "RAISE", "also fine"))
    assert reasons(evaluations, "evil") == [None, "error: ValueError", None]
    assert evil.pids == before, "no worker is lost to an exception"


def test_a_lone_call_that_hangs_is_not_tried_twice(evil: WorkerPool) -> None:
    began = time.monotonic()
    assert reasons(evil.score(calls("HANG")), "evil") == ["timeout"]
    assert time.monotonic() - began < 10


def test_a_batch_of_nothing_but_poison_is_given_up(evil: WorkerPool) -> None:
    evaluations = evil.score(calls(*["HANG"] * (LOST_LIMIT + 20)))
    assert reasons(evaluations, "evil") == ["timeout"] * (LOST_LIMIT + 20)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kinds=st.lists(st.sampled_from(["fine", "fine", "fine", "RAISE", "DIE"]), max_size=12),
    shed=st.sets(st.sampled_from(CostClass)),
)
def test_whatever_happens_each_call_has_one_evaluation_of_each(
    evil: WorkerPool, kinds: list[str], shed: set[CostClass]
) -> None:
    made = calls(*kinds)
    evaluations = evil.score(made, shed=frozenset(shed))
    names = [facts.name for facts in evil.evaluators]
    assert [e.key for e in evaluations] == [(*c.key, n, n) for c in made for n in names]
    either = [(e.score_value is None) != (e.skipped_reason is None) for e in evaluations]
    assert all(either)


def test_dear_evaluators_are_shed_first_and_say_so(evil: WorkerPool) -> None:
    evaluations = evil.score(calls("fine", "fine"), shed=frozenset({CostClass.PAID}))
    assert reasons(evaluations, "paid") == ["shed", "shed"]
    assert reasons(evaluations, "evil") == [None, None]
    assert all(e.evaluated_at > 0 for e in evaluations)


def test_the_first_stage_is_never_shed(evil: WorkerPool) -> None:
    evaluations = evil.score(calls("fine"), shed=frozenset(CostClass))
    assert reasons(evaluations, "evil") == ["shed"]
    assert reasons(evaluations, "refusal") == [None]


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_killed_while_idle_costs_no_score(pool: WorkerPool, signal_number: int) -> None:
    os.kill(pool.pids[0], signal_number)
    evaluations = pool.score(calls("Paris is the capital of France."))
    assert reasons(evaluations, "faithfulness") == [None]


def test_a_stopped_worker_is_replaced(evil: WorkerPool) -> None:
    stopped = evil.pids[0]
    os.kill(stopped, signal.SIGSTOP)
    evaluations = evil.score(calls("fine", "fine"))
    assert reasons(evaluations, "refusal") == [None, None]
    assert stopped not in evil.pids


def test_an_unknown_evaluator_stops_the_start(evil_package: Path) -> None:
    with pytest.raises(EvaluatorFailed, match="did you mean 'faithfulness'"):
        WorkerPool(workers=1, enabled=["faithfulnes"])


def test_an_evaluator_that_cannot_be_made_stops_the_start(evil_package: Path) -> None:
    with pytest.raises(EvaluatorFailed, match="cannot be made: RuntimeError"):
        WorkerPool(workers=2, enabled=["broken"])


def test_closing_ends_the_workers() -> None:
    pool = WorkerPool(workers=1, enabled=OURS)
    pid = pool.pids[0]
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError):
        pool.score(calls("too late"))


ORPHAN = """
import os, sys
from seakeeping.evaluate.pool import WorkerPool
pool = WorkerPool(workers=1, enabled=['refusal'])
print(pool.pids[0], flush=True)
os._exit(1)
"""


def test_a_worker_ends_when_its_parent_dies() -> None:
    run = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, check=False)
    pid = int(run.stdout)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and not _is_zombie(pid):
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.02)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_a_worker_stays_light(pool: WorkerPool) -> None:
    pool.score(calls(*["Paris is the capital of France."] * 10))
    lines = Path(f"/proc/{pool.pids[0]}/smaps_rollup").read_text().splitlines()
    pss_kb = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    assert pss_kb < 60 * 1024


def test_batches_hold_few_calls_and_little_text() -> None:
    many = calls(*["short"] * (BATCH_CALLS + 1))
    assert [len(batch) for batch in batches(many)] == [BATCH_CALLS, 1]
    monster = plain_call(documents=["x" * BATCH_CHARS])
    prompt = plain_call(question="y" * BATCH_CHARS)
    mixed = [many[0], monster, many[1], prompt, many[2]]
    assert [len(batch) for batch in batches(mixed)] == [1, 1, 1, 1, 1]


def test_a_worker_that_dies_at_once_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EvaluatorFailed, match="did not start"):
        WorkerPool(workers=1)
