"""Cutting a text at its findings: nothing is lost, code points are counted, overlaps are named."""

from hypothesis import given
from hypothesis import strategies as st

from seakeeping.web.marks import Mark, Piece, cut

MARKS = st.lists(
    st.builds(
        Mark,
        number=st.integers(1, 9),
        start=st.integers(-3, 25),
        end=st.integers(-3, 25),
        kind=st.sampled_from(["unsupported", "supported"]),
    ),
    max_size=6,
)


def test_a_text_without_marks_is_one_piece() -> None:
    assert cut("calm sea", []) == [Piece("calm sea")]


def test_an_empty_text_has_no_pieces() -> None:
    assert cut("", [Mark(1, 0, 5, "unsupported")]) == []


def test_a_mark_cuts_three_pieces() -> None:
    assert cut("one two three", [Mark(4, 4, 7, "unsupported")]) == [
        Piece("one "),
        Piece("two", (4,), "unsupported", (4,)),
        Piece(" three"),
    ]


def test_offsets_are_code_points_not_utf_16_units() -> None:
    pieces = cut("🌊🌊 waves", [Mark(1, 3, 8, "unsupported")])
    assert [piece.text for piece in pieces] == ["🌊🌊 ", "waves"]


def test_an_overlap_belongs_to_both_and_shows_the_worst() -> None:
    marks = [Mark(1, 0, 6, "supported"), Mark(2, 3, 9, "unsupported")]
    pieces = cut("abcdefghi", marks, worst=("unsupported",))
    assert [(p.text, p.numbers, p.kind, p.ends) for p in pieces] == [
        ("abc", (1,), "supported", ()),
        ("def", (1, 2), "unsupported", (1,)),
        ("ghi", (2,), "unsupported", (2,)),
    ]


def test_what_points_outside_is_clipped() -> None:
    assert cut("abc", [Mark(1, -5, 99, "x")]) == [Piece("abc", (1,), "x", (1,))]


def test_what_is_empty_or_reversed_marks_nothing() -> None:
    assert cut("abc", [Mark(1, 2, 2, "x"), Mark(2, 3, 1, "x"), Mark(3, 7, 9, "x")]) == [
        Piece("abc")
    ]


@given(st.text(max_size=20), MARKS)
def test_the_pieces_joined_are_the_text(text: str, marks: list[Mark]) -> None:
    assert "".join(piece.text for piece in cut(text, marks)) == text


@given(st.text(min_size=1, max_size=20), MARKS)
def test_every_mark_that_covers_text_ends_exactly_once(text: str, marks: list[Mark]) -> None:
    ended = [number for piece in cut(text, marks) for number in piece.ends]
    seen = [m.number for m in marks if max(0, m.start) < min(len(text), m.end)]
    assert sorted(ended) == sorted(seen)
