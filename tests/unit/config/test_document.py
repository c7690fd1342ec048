"""Documents say where each value stands, and refuse what nobody could have meant."""

from pathlib import Path

import pytest

from seakeeping.config.document import MOST_BYTES, Section, Value, parse_documents, read_text
from seakeeping.errors import BadResource


def only(text: str) -> Value:
    (value,) = parse_documents(text, "f.yaml")
    return value


def section(text: str) -> Section:
    return only(text).section()


def test_values_know_their_line_and_key() -> None:
    value = section("a: 1\nb:\n  - x\n  - c: 2\n").need("b").items()[1].section().need("c")
    assert str(value.place) == "f.yaml:4: b[1].c"
    assert value.number() == 2


def test_documents_come_one_by_one_and_empty_ones_not_at_all() -> None:
    values = list(parse_documents("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n", "f.yaml"))
    assert [sorted(value.section().values) for value in values] == [["a"], ["b"]]
    assert [value.place.line for value in values] == [2, 7]
    assert list(parse_documents("", "f.yaml")) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2", "f.yaml:1"),
        ("a: 1\n  b: 2", "f.yaml:2"),
        ("a: b: c", "f.yaml:1"),
        ("\ta: 1", "f.yaml:1"),
        ("a: \x00", "f.yaml"),
    ],
)
def test_what_is_not_yaml_says_where(text: str, place: str) -> None:
    with pytest.raises(BadResource, match="is not YAML") as caught:
        list(parse_documents(text, "f.yaml"))
    assert caught.value.place == place


def test_aliases_are_refused_before_they_expand() -> None:
    with pytest.raises(BadResource, match=r"f\.yaml:1: aliases"):
        only("a: *nobody")
    bomb = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(3))
    with pytest.raises(BadResource, match="alias"):
        only(bomb)


def test_a_document_within_itself_is_refused() -> None:
    with pytest.raises(BadResource, match="alias"):
        only("&a [*a]")


def test_nesting_is_bounded() -> None:
    with pytest.raises(BadResource, match="nested too deep"):
        only("[" * 100_000)
    assert only("[" * 32 + "]" * 32).items()


def test_a_file_too_large_is_not_parsed() -> None:
    with pytest.raises(BadResource, match="larger than"):
        only(" " * (MOST_BYTES + 1))


def test_a_key_written_twice_is_refused() -> None:
    with pytest.raises(BadResource, match=r"f\.yaml:2: a: is written twice"):
        section("a: 1\na: 2")


def test_an_unknown_key_names_the_near_one() -> None:
    with pytest.raises(BadResource, match="did you mean prices"):
        section("pricse: 1").done("kind", "prices")
    with pytest.raises(BadResource, match="one of kind, prices"):
        section("zzz: 1").done("kind", "prices")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(BadResource, match=r"f\.yaml:1: has no url"):
        section("a: 1").need("url")
    with pytest.raises(BadResource, match="has no url"):
        section("url: null").need("url")
    assert section("url: ~").get("url") is None


@pytest.mark.parametrize(
    ("text", "read", "message"),
    [
        ("a: 1", Value.text, "not a text"),
        ("a: ''", Value.text, "not a text"),
        ("a: yes", Value.text, "not a text"),
        ("a: [1]", Value.text, "list or a mapping"),
        ("a: x", Value.number, "not a number"),
        ("a: true", Value.number, "not a number"),
        ("a: .nan", Value.number, "not within"),
        ("a: .inf", Value.number, "not within"),
        ("a: 1", Value.truth, "not true or false"),
        ("a: 1", Value.items, "not a list"),
        ("a: {b: 1}", Value.texts, "not a list"),
        ("a: [1]", Value.section, "not a mapping"),
        ("a: !!int x", Value.scalar, "cannot be read"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(text: str, read: object, message: str) -> None:
    assert callable(read)
    with pytest.raises(BadResource, match=message) as caught:
        read(section(text).need("a"))
    assert caught.value.place.startswith("f.yaml:1: a")


def test_values_are_read_as_their_type() -> None:
    found = section("t: x\nn: 1.5\nb: false\nl: [a, b]\none: a\nd: 2024-08-06\n")
    assert found.need("t").text() == "x"
    assert found.need("n").number() == 1.5
    assert found.need("b").truth() is False
    assert found.need("l").texts() == ("a", "b")
    assert found.need("one").texts() == ("a",)
    assert found.need("d").text() == "2024-08-06"


def test_a_choice_names_the_near_one() -> None:
    assert section("a: drop").need("a").choice(["store", "drop"]) == "drop"
    with pytest.raises(BadResource, match="did you mean drop"):
        section("a: dorp").need("a").choice(["store", "drop"])


def test_a_number_out_of_bounds_is_refused() -> None:
    with pytest.raises(BadResource, match="-1 is not within 0 and inf"):
        section("a: -1").need("a").number(low=0)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadResource, match="cannot be read"):
        read_text(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(BadResource, match="cannot be read"):
        read_text(tmp_path / "latin.yaml")
