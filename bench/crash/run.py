"""Faults at random moments under load: what is lost, what is counted twice, how soon it serves.

python -m bench.crash.run                 # 50 moments
python -m bench.crash.run --moments 9 --seed 3
python -m bench.crash.run --mount         # real full disks, as root: spool and store on tmpfs
"""

import argparse
import contextlib
import json
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import tree
from bench.crash import faults
from bench.ingest import servers
from bench.ingest.ours import Seakeeping

SETTLE_LIMIT_S = 120.0
HOLD_S = {"stop store": 30.0, "spool disk full": 5.0, "store disk full": 5.0}
_PROBE_SEED = 1_000_000


@contextlib.contextmanager
def own_disks(data: Path, is_wanted: bool) -> Iterator[None]:
    """Give spool and store a small file system each, if wanted."""
    folders = [data / "spool", data / "store"] if is_wanted else []
    for folder in folders:
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", "size=1g,mode=0700", "tmpfs", str(folder)]
        subprocess.run(command, check=True)
    try:
        yield
    finally:
        for folder in folders:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def moment(
    running: faults.Running, name: str, number: int, chance: random.Random
) -> dict[str, Any]:
    """Hurt the server once under load; return what was sent and how soon it served again."""
    load = faults.Load(running.server.url, seed=number)
    load.start()
    time.sleep(chance.uniform(0.5, 3.0))
    faults.FAULTS[name](running, HOLD_S.get(name, 0.0))
    start = time.monotonic()
    running.revive()
    faults.serving_after(running, _PROBE_SEED + number)
    serving_s = time.monotonic() - start
    time.sleep(1.0)
    sent = load.end()
    return {
        "fault": name,
        "spans": sent.spans + 64,
        "calls": sent.model_calls,
        "retried": sent.refused,
        "serving_s": round(serving_s, 2),
    }


def run(moments: int, seed: int, names: list[str], *, mount: bool) -> list[dict[str, Any]]:
    """Return one row a moment; the books are cumulative over all of them."""
    chance = random.Random(seed)
    server = Seakeeping(servers.WORK / "data" / "crash")
    shutil.rmtree(server.folder, ignore_errors=True)
    rows: list[dict[str, Any]] = []
    spans = calls = 0
    with own_disks(server.data, mount):
        running = faults.Running(server, servers.start(server))
        try:
            for number in range(moments):
                name = names[number % len(names)]
                row = moment(running, name, number, chance)
                spans, calls = spans + row["spans"], calls + row["calls"]
                start = time.monotonic()
                books = faults.settled_books(server, spans, calls, SETTLE_LIMIT_S)
                row |= {"lost": books.lost, "doubled": books.doubled}
                rows.append(row | {"settled_s": round(time.monotonic() - start, 1)})
                print(json.dumps(rows[-1]), flush=True)
        finally:
            tree.end(running.process)
    return rows


def main() -> None:
    """Run, print, keep, and say whether anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mount", action="store_true", help="spool and store on tmpfs (root)")
    parser.add_argument("--fault", action="append", choices=faults.FAULTS, help="only these")
    args = parser.parse_args()
    servers.WORK.mkdir(exist_ok=True)
    rows = run(args.moments, args.seed, args.fault or list(faults.FAULTS), mount=args.mount)
    summary = {
        "moments": len(rows),
        "spans": sum(row["spans"] for row in rows),
        "lost": rows[-1]["lost"],
        "doubled": rows[-1]["doubled"],
        "serving_s_worst": max(row["serving_s"] for row in rows),
    }
    print(json.dumps(summary))
    stamp = time.strftime("%Y%m%d-%H%M%S")
    (servers.WORK / f"crash-{stamp}.json").write_text(json.dumps([*rows, summary], indent=2))
    raise SystemExit(bool(summary["lost"] or summary["doubled"]))


if __name__ == "__main__":
    main()
