"""How many scoring workers: one core is left for receiving and storing."""

import os


def worker_count(wanted: int) -> int:
    """Return ``wanted``, or for 0 one fewer than the cores we may use, at least one."""
    return wanted or max(1, len(os.sched_getaffinity(0)) - 1)
