"""``python -m seakeeping`` is the ``seakeeping`` command."""

from seakeeping.cli.main import run

if __name__ == "__main__":
    run()
