"""A child that gets ready and hangs, deaf to SIGTERM."""

import signal
import time
from pathlib import Path

from seakeeping.process import enter

if __name__ == "__main__":
    child = enter()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with Path(str(child.settings["trace"])).open("a") as trace:
        trace.write("started\n")
    child.ready()
    time.sleep(600)
