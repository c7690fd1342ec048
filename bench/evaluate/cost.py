"""What scoring costs: CPU milliseconds an answer, for each evaluator and through the worker pool.

    python bench/evaluate/cost.py [FOLDER]

FOLDER holds the faithfulness data (``mtrag_dev.jsonl.gz`` is read: natural answers over documents).
The second corpus has the sizes of ``bench/ingest``: prompts of 900 characters, answers of 800, two
documents of 650; once with documents that never come back, once drawn from a base of 200.
"""

import argparse
import gzip
import json
import random
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.pool import WorkerPool
from seakeeping.evaluate.registry import load_evaluators
from seakeeping.records import Interaction

BATCH = 64
SEED = 20261123
COMMON = (
    "the", "of", "and", "to", "a", "in", "is", "that", "for", "it", "as", "was", "with", "be", "by",
    "on", "not", "he", "his", "but", "at", "are",
)  # fmt: skip


def natural(folder: Path) -> list[Interaction]:
    """Return the natural answers with their documents."""
    with gzip.open(folder / "mtrag_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        plain_call(answer=r["answer"], documents=r["context"], question=r["question"], number=n)
        for n, r in enumerate(rows)
    ]


def sized(calls: int, base: int | None) -> list[Interaction]:
    """Return calls of the ingest benchmark's sizes, their words drawn as in running text."""
    chance = random.Random(SEED)
    words = [
        "".join(chance.choice("etaoinshrdlucmfwypvbgk") for _ in range(chance.randint(3, 10)))
        for _ in range(8000)
    ]
    common = COMMON
    pool = [passage(chance, words, common, 650) for _ in range(base or 0)]

    def document() -> str:
        return chance.choice(pool) if pool else passage(chance, words, common, 650)

    made = []
    for number in range(calls):
        documents = [document(), document()]
        own = passage(chance, words, common, 250)
        answer = f"{documents[0][:300]} {own} {documents[1][:240]}"[:800]
        question = passage(chance, words, common, 900)
        made.append(
            plain_call(answer=answer, documents=documents, question=question, number=number)
        )
    return made


def passage(chance: random.Random, words: Sequence[str], common: Sequence[str], chars: int) -> str:
    """Return sentences of 8 to 22 words, four in ten of them function words."""
    sentences: list[str] = []
    while sum(map(len, sentences)) < chars:
        chosen = [
            chance.choice(common)
            if chance.random() < 0.4
            else words[int(chance.paretovariate(0.6)) % len(words)]
            for _ in range(chance.randint(8, 22))
        ]
        sentences.append(" ".join(chosen).capitalize() + ".")
    return " ".join(sentences)[:chars]


def cpu_ms(work: Callable[[], object], calls: int, repeats: int = 3) -> float:
    """Return the least CPU milliseconds a call over some repeats."""
    spent = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return 1000 * min(spent) / calls


def in_process(name: str, calls: Sequence[Interaction]) -> None:
    """Print what each evaluator costs when asked in batches."""
    total = 0.0
    for evaluator in load_evaluators():
        fresh = type(evaluator)

        def work(make: Callable[[], object] = fresh) -> None:
            judge = make()
            for at in range(0, len(calls), BATCH):
                judge.evaluate(calls[at : at + BATCH])  # type: ignore[attr-defined]

        cost = cpu_ms(work, len(calls))
        total += cost
        print(f"{name:28} {evaluator.name:20} {cost:7.3f} ms")
    print(f"{name:28} {'all':20} {total:7.3f} ms  {1000 / total:6.0f} answers/s per core")


def through_pool(name: str, calls: Sequence[Interaction]) -> None:
    """Print what scoring costs with the worker process and the way to it and back."""
    began = time.process_time()
    with WorkerPool(workers=1) as pool:
        pool.score(calls[:BATCH])
        pss = sum(memory_kb(pid) for pid in pool.pids)
        spent, wall = time.process_time(), time.monotonic()
        worker = worker_cpu_s(pool.pids[0])
        pool.score(calls)
        parent = time.process_time() - spent
        worker = worker_cpu_s(pool.pids[0]) - worker
        wall = time.monotonic() - wall
    total = 1000 * (parent + worker) / len(calls)
    print(
        f"{name:28} pool: worker {1000 * worker / len(calls):.3f} + parent "
        f"{1000 * parent / len(calls):.3f} = {total:.3f} ms; {len(calls) / wall:.0f} answers/s "
        f"with one worker; PSS {pss / 1024:.0f} MB"
    )
    assert time.process_time() >= began


def worker_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory_kb(pid: int) -> int:
    """Return the proportional set size of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def monsters() -> None:
    """Print what the largest inputs cost, alone."""
    prose = " ".join(
        passage(random.Random(SEED), ["harbour", "tide", "keel"], ["the", "of"], 5000)
        for _ in range(3400)
    )
    cases = {
        "16 MiB prompt": plain_call(documents=[], question=prose[: 16 << 20]),
        "16 MiB document, 1 MiB answer": plain_call(
            documents=[prose[: 16 << 20]], answer=prose[: 1 << 20]
        ),
        "20,000 documents": replace(
            plain_call(), documents=plain_call(documents=["the tide."] * 20_000).documents
        ),
        "1 MiB of full stops": plain_call(answer="." * (1 << 20)),
    }
    for name, call in cases.items():
        spent = max(cpu_ms(lambda e=e, c=call: e.evaluate([c]), 1, 1) for e in load_evaluators())  # type: ignore[misc]
        print(f"{name:32} {spent:8.1f} ms")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="folder of the faithfulness data")
    folder = parser.parse_args().folder
    corpora = {"sized, documents new": sized(640, None), "sized, documents known": sized(640, 200)}
    if folder:
        corpora["natural (mtrag_dev)"] = natural(folder)
    for name, calls in corpora.items():
        in_process(name, calls)
        through_pool(name, calls)
    monsters()
    print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
