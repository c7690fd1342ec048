"""``python -m bench.sli.run [--repetitions 10000] [--faithfulness FOLDER]``: may it be believed?

Prints, cell by cell, how often each interval held the true share of bad answers and how wide it was
beside Wilson's on the labels alone; what looking again and again does; and the same on people's
labels of real answers, scored by the detector that ships. Ends with what fell short, exit code 1.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.sli import cells, looks, real

NAMES = ("ours", "ppi++", "labels only", "clopper-pearson", "naive", "rogan-gladen")
LEAST_ANSWERS_A_LABEL = 3


def main() -> int:
    """Run all three parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=10_000)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument(
        "--faithfulness", type=Path, default=Path("../shared/datasets/faithfulness")
    )
    args = parser.parse_args()
    began = time.process_time()
    short = simulated(args.repetitions)
    looked_at(args.streams)
    if args.faithfulness.is_dir():
        on_real_labels(args.faithfulness, max(100, args.repetitions // 10))
    else:
        print(f"\nno real labels at {args.faithfulness}: left out")
    print(f"\n{time.process_time() - began:.0f} CPU s")
    print("\n".join(["SHORT OF ITS PROMISE:", *short]) if short else "All cells as promised.")
    return 1 if short else 0


def simulated(repetitions: int) -> list[str]:
    """Print the cells; return what fell short."""
    print(f"Coverage of nominal .95 / width by Wilson's on the labels; {repetitions} repetitions,")
    print(f"{cells.ANSWERS} answers, detector with AUROC {cells.AUROC}\n")
    header("prevalence | labels | drift")
    table = cells.table(repetitions)
    for one in table:
        row = [
            f"{one.figures[name].coverage:.4f} / {one.relative_width(name):.3f}" for name in NAMES
        ]
        line([f"{one.share:.0%} | {one.labels} | {one.drift:+.1f} logit", *row])
    biases = [one.figures["naive"].bias for one in table]
    print(f"\nthe naive share is off by {min(biases):+.3f} to {max(biases):+.3f}")
    return cells.shortfalls(table)


def looked_at(repetitions: int) -> None:
    """Print how often intervals were ever wrong."""
    print(f"\nA look after every {looks.EVERY} of 500 labels, {repetitions} streams, alpha .05\n")
    line([
        "prevalence | drift", "sequence ever wrong", "one-look interval ever wrong",
        "width of sequence", "of counted labels' sequence", "of one look",
    ], is_header=True)  # fmt: skip
    for drift in cells.DRIFTS:
        for share in cells.SHARES:
            one = looks.streams(share, 500, repetitions, drift)
            line([
                f"{share:.0%} | {drift:+.1f}", f"{one.sequence_wrong:.3f}",
                f"{one.one_look_wrong:.3f}", f"{one.sequence_width:.4f}",
                f"{one.counted_width:.4f}", f"{one.one_look_width:.4f}",
            ])  # fmt: skip


def on_real_labels(folder: Path, repetitions: int) -> None:
    """Print the table of real answers."""
    print(f"\nReal labels, our own detector's scores, {repetitions} repetitions\n")
    header("answers | prevalence | of | labels")
    for found in real.sources(folder):
        for labels in cells.LABELS:
            if len(found.truths) >= LEAST_ANSWERS_A_LABEL * labels:
                print_real(real.whole(found, labels, repetitions))
        for share in cells.SHARES:
            for labels in cells.LABELS:
                print_real(real.mixed(found, share, labels, repetitions))


def print_real(one: real.Line) -> None:
    """Print a line of real answers."""
    wilson = one.figures["wilson"][1]
    figures = [one.figures.get(name, (float("nan"), float("nan"))) for name in NAMES]
    place = f"{one.name} | {one.share:.3f} | {one.answers} | {one.labels}"
    line([place, *(f"{held:.3f} / {width / wilson:.3f}" for held, width in figures)])


def header(place: str) -> None:
    """Print a table's head."""
    line([place, *NAMES], is_header=True)


def line(parts: Sequence[str], *, is_header: bool = False) -> None:
    """Print a line of a Markdown table, at once."""
    print("| " + " | ".join(parts) + " |", flush=True)
    if is_header:
        columns = sum(part.count("|") + 1 for part in parts)
        print("|" + " --- |" * columns, flush=True)


if __name__ == "__main__":
    sys.exit(main())
