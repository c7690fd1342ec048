"""A child that gets ready and dies."""

import os
from pathlib import Path

from seakeeping.process import enter

if __name__ == "__main__":
    child = enter()
    with Path(str(child.settings["trace"])).open("a") as trace:
        trace.write("started\n")
    child.ready()
    os._exit(3)
