"""The process that scores: ``python -m seakeeping.evaluate.worker``, started by the pool.

It says which evaluators it holds (or why it cannot), then answers each request evaluator by
evaluator, so that what was done before a crash is kept. It ends when its parent does. Memory is
bounded by the kernel (``RLIMIT_DATA``): an evaluator that asks for more fails, and takes only this
process with it.
"""

import gc
import os
import resource
import signal
import socket
import time
from collections.abc import Sequence

from seakeeping.clock import SystemClock
from seakeeping.errors import SeakeepingError
from seakeeping.evaluate.registry import load_evaluators
from seakeeping.evaluate.run import run
from seakeeping.evaluate.wire import Channel
from seakeeping.process import enter
from seakeeping.protocols import Evaluator


def main() -> None:
    """Score until the parent goes away."""
    child = enter()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the main thread waits in recv, not on an event
    channel = Channel(socket.socket(fileno=int(child.settings["socket"])))
    _limit_memory(int(child.settings["memory_limit_mb"]))
    try:
        evaluators = load_evaluators(child.settings.get("enabled"))
    except SeakeepingError as error:
        channel.send(str(error))
        return
    channel.send([(e.name, e.version, e.cost_class) for e in evaluators])
    gc.freeze()  # models and word lists stay: no collection needs to walk them again
    gc.set_threshold(50_000, 20, 100)  # records are trees without cycles: collect seldom
    by_name = {evaluator.name: evaluator for evaluator in evaluators}
    try:
        while True:
            _answer(channel, by_name)
    except (EOFError, ConnectionError):
        return  # the parent is gone or has closed the pool
    except MemoryError:
        os._exit(1)  # not sound any more; the pool starts another and isolates the call


def _answer(channel: Channel, evaluators: dict[str, Evaluator]) -> None:
    names: Sequence[str]
    names, interactions = channel.receive()
    clock = SystemClock()
    for name in names:
        began = time.process_time()
        evaluations = run(evaluators[name], interactions, clock)
        channel.send((evaluations, time.process_time() - began))


def _limit_memory(limit_mb: int) -> None:
    soft = limit_mb << 20
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


if __name__ == "__main__":
    main()
