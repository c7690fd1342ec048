"""Cut a text where findings begin and end, so that a page can mark each and link the two sides.

Findings point with Unicode code points, as Python strings count; a browser counts UTF-16 units, so
the cutting is done here and the page only joins pieces. Findings may overlap: a piece names all it
belongs to. What points outside the text is clipped, what is empty marks nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Mark:
    """Finding ``number`` covers code points ``start`` to ``end``, exclusive; ``kind`` styles it.

    A mark of number 0 is no finding of its own: it points at words within others.
    """

    number: int
    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text under the same marks.

    ``ends`` are the findings that end with it; ``is_word`` says that a mark points at its words.
    """

    text: str
    numbers: tuple[int, ...] = ()
    kind: str = ""
    ends: tuple[int, ...] = ()
    is_word: bool = False


def cut(text: str, marks: Iterable[Mark], *, worst: Sequence[str] = ()) -> list[Piece]:
    """Return the pieces of ``text`` in order; joined, they are ``text`` again.

    Where marks overlap, a piece takes the first of their kinds that ``worst`` names.
    """
    held = [_clipped(mark, len(text)) for mark in marks]
    held = sorted((m for m in held if m.start < m.end), key=lambda m: (m.start, m.end, m.number))
    borders = sorted({0, len(text), *(m.start for m in held), *(m.end for m in held)})
    return [_piece(text, start, end, held, worst) for start, end in pairwise(borders)]


def _clipped(mark: Mark, length: int) -> Mark:
    return Mark(mark.number, max(0, mark.start), min(length, mark.end), mark.kind)


def _piece(text: str, start: int, end: int, held: Sequence[Mark], worst: Sequence[str]) -> Piece:
    all_over = [m for m in held if m.start <= start and end <= m.end]
    over = [m for m in all_over if m.number]
    kinds = [m.kind for m in over]
    kind = next((k for k in worst if k in kinds), kinds[0] if kinds else "")
    return Piece(
        text=text[start:end],
        numbers=tuple(m.number for m in over),
        kind=kind,
        ends=tuple(m.number for m in over if m.end == end),
        is_word=len(over) < len(all_over),
    )
