"""A child that can never work as it is set."""

from pathlib import Path

from seakeeping.errors import BadSetting
from seakeeping.process import enter, refusing

if __name__ == "__main__":
    child = enter()
    with Path(str(child.settings["trace"])).open("a") as trace:
        trace.write("started\n")
    with refusing():
        raise BadSetting("no such place", hint="choose another")
