import math
from typing import Any

import pytest

from seakeeping.ingest.dialects.documents import documents_of, query_of
from seakeeping.ingest.dialects.indexed import lists_under
from seakeeping.ingest.dialects.keys import Place, place_of
from seakeeping.ingest.dialects.salvage import salvaged
from seakeeping.ingest.dialects.values import (
    compact,
    count_of,
    dig,
    flag_of,
    list_of,
    moment_of,
    number_of,
    object_of,
    parsed,
    text_of,
    texts_of,
)
from seakeeping.records import Document


@pytest.mark.parametrize(
    ("value", "number", "count"),
    [(3, 3.0, 3), ("3", 3.0, 3), (2.7, 2.7, 2), ("Infinity", None, None), (math.nan, None, None),
     (-1, -1.0, None), (True, None, None), (None, None, None), ([], None, None), ("x", None, None)],
)  # fmt: skip
def test_numbers_come_in_many_types(value: Any, number: float | None, count: int | None) -> None:
    assert number_of(value) == number
    assert count_of(value) == count


@pytest.mark.parametrize(
    ("value", "text", "flag"),
    [("a", "a", None), ("", None, None), (3, "3", None), (True, "true", True), ([], None, None),
     ("False", "False", False), (None, None, None)],
)  # fmt: skip
def test_texts_and_flags(value: Any, text: str | None, flag: bool | None) -> None:
    assert text_of(value) == text
    assert flag_of(value) is flag


@pytest.mark.parametrize(
    ("value", "found"),
    [('{"a": 1}', {"a": 1}), ("{'a': None}", {"a": None}), ("[1", "[1"), ("x", "x"), (3, 3),
     ('"quoted"', "quoted"), ("{'a': print()}", "{'a': print()}"), (" [1]", [1])],
)  # fmt: skip
def test_json_and_plain_python_are_opened_and_nothing_else(value: Any, found: Any) -> None:
    assert parsed(value) == found


def test_wanted_kinds_or_none() -> None:
    assert object_of('{"a": 1}') == {"a": 1}
    assert object_of("[1]") is None
    assert list_of("[1]") == [1]
    assert list_of("x") is None
    assert texts_of('["a", 3, ""]') == ("a",)
    assert texts_of("a") == ("a",)
    assert texts_of(3) == ()
    assert compact({"a": [1]}) == '{"a":[1]}'


@pytest.mark.parametrize(
    ("value", "seconds"),
    [('"2027-01-15T08:00:00.250000Z"', 1_800_000_000.25), ("2027-01-15T08:00:00+00:00", 1.8e9),
     (1.8e9, 1.8e9), ("soon", None), (None, None)],
)  # fmt: skip
def test_moments(value: Any, seconds: float | None) -> None:
    assert moment_of(value) == seconds


def test_digging_ends_where_the_way_ends() -> None:
    value: Any = {"a": [{"b": 3}]}
    assert dig(value, "a", 0, "b") == 3
    assert dig(value, "a", 1, "b") is None
    assert dig(value, "x", 0) is None
    assert dig("text", 0) is None


def test_indices_may_have_holes_and_names_are_no_indices() -> None:
    told = {"p.2.a": 1, "p.0.a": 2, "p.x.a": 3, "p.": 4, "q.0": 5, "p.999999999.a": 6}
    assert lists_under(told, ("p.",)) == {"p.": [{"a": 2}, {"a": 1}]}
    assert lists_under({}, ("p.",)) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [('[{"a": "b', [{"a": "b"}]), ('{"a": [1, 2', {"a": [1, 2]}), ('{"a": tr', {"a": None}),
     ('[{"a": "\\u00', [{"a": ""}]), ('[{"a": "b\\\\', [{"a": "b\\"}]), ("nonsense", "nonsense"),
     ('{"a": 1, "b', {"a": 1}), ('{"a":', {"a": None}), ("]]", "]]")],
)  # fmt: skip
def test_cut_off_json_gives_what_stands_before_the_cut(text: str, found: Any) -> None:
    assert salvaged(text) == found


@pytest.mark.parametrize(
    "value",
    [[{"id": "1", "content": "a", "score": 0.5}],
     '{"documents": [{"id": "1", "text": "a", "score": 0.5}]}',
     {"matches": [{"id": 1, "score": "0.5", "metadata": {"text": "a"}}]},
     [[{"id": "1", "page_content": "a"}, 0.5]],
     [{"node": {"id_": "1", "text": "a"}, "score": 0.5}],
     [{"lc": 1, "kwargs": {"id": "1", "page_content": "a", "score": 0.5}}],
     [{"_id": "1", "score": 0.5, "content": [{"text": "a"}]}]],
)  # fmt: skip
def test_documents_in_the_shapes_of_many_stores(value: Any) -> None:
    (found,) = documents_of(value)
    assert (found.id, found.content, found.score) == ("1", "a", 0.5)


def test_texts_alone_are_documents() -> None:
    assert documents_of('["a", "", "b"]') == (Document(None, "a"), Document(None, "b"))
    assert documents_of("a") == (Document(None, "a"),)
    assert documents_of(None) == documents_of(3) == documents_of("") == ()


@pytest.mark.parametrize(
    "value",
    ["q?", '{"query": "q?"}', {"args": ["q?"], "kwargs": {}}, {"kwargs": {"question": "q?"}},
     {"anything": "q?"}, ["q?"], {"inputs": {"input": "q?"}}],
)  # fmt: skip
def test_a_query_in_the_shapes_of_many_retrievers(value: Any) -> None:
    assert query_of(value) == "q?"
    assert query_of({"a": 1, "b": 2}) is None
    assert query_of(None) is None


@pytest.mark.parametrize(
    ("key", "place"),
    [("gen_ai.input.messages", Place.INPUT), ("gen_ai.prompt.0.content", Place.INPUT),
     ("gen_ai.prompt.name", Place.FIELD), ("gen_ai.prompt.variable.x", Place.REST),
     ("gen_ai.completion.0.content", Place.OUTPUT), ("llm.tools.0.tool.json_schema", Place.TOOLS),
     ("retrieval.documents.0.document.id", Place.DOCUMENTS), ("my.own", Place.REST),
     ("seakeeping.group.language", Place.GROUP), ("gen_ai.request.model", Place.FIELD)],
)  # fmt: skip
def test_each_attribute_has_one_place(key: str, place: Place) -> None:
    assert place_of(key) is place
