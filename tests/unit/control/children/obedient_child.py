"""A child that beats until asked to end, and leaves its settings behind."""

import json
import time
from pathlib import Path

from seakeeping.process import enter

if __name__ == "__main__":
    child = enter()
    with Path(str(child.settings["trace"])).open("a") as trace:
        trace.write(json.dumps(dict(child.settings)) + "\n")
    child.ready(flavour="calm")
    while not child.stop.is_set():
        child.beat()
        time.sleep(0.02)
