"""Tables on the terminal. What somebody needs to copy, an id or a name, is never cut.

Where a table is wider than the terminal, other columns are folded into lines; into a file or a pipe
it is written as wide as it is.
"""

import sys
from collections.abc import Collection, Iterable

from rich.console import Console
from rich.table import Table

_NO_TERMINAL = 10_000
"""Columns where nobody looks: wider than any table."""

_LEAST = 10
"""Columns that a folded one keeps, should names alone be wider than the terminal."""

_ANY = 25
_FRAME = 3
"""Columns that the frame takes for each column of a table."""


def print_table(
    headers: Iterable[str], rows: Iterable[Iterable[str]], *, whole: Collection[str] = ()
) -> None:
    """Print a table; ``whole`` are the headers of columns that are neither cut nor folded."""
    table, needed = Table(), 0
    body = [list(row) for row in rows]
    for number, header in enumerate(headers):
        is_whole = header in whole
        longest = max((len(row[number]) for row in body), default=0)
        least = max(len(header), longest if is_whole else min(longest, _LEAST))
        table.add_column(header, overflow="fold", no_wrap=is_whole, min_width=least)
        needed += least + _FRAME
    for row in body:
        table.add_row(*row)
    width = max(Console().width, needed + 1) if sys.stdout.isatty() else _NO_TERMINAL
    # a height as well: without it a terminal that says "dumb" is taken for 80 columns
    Console(markup=False, highlight=False, width=width, height=_ANY).print(table)
