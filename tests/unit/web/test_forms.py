"""What is sent to us: bounded, strict, and named where it is wrong."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from seakeeping.errors import BadInput, PayloadTooLarge
from seakeeping.web.bodies import LabelsBody, ReasonBody, SilenceBody
from seakeeping.web.forms import LARGEST, body_of, form_of, json_of, record_of


def request(*parts: bytes) -> Request:
    waiting: list[Message] = [
        {"type": "http.request", "body": part, "more_body": n < len(parts) - 1}
        for n, part in enumerate(parts)
    ]

    async def receive() -> Message:
        return waiting.pop(0)

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def form(text: str, *names: str) -> dict[str, str]:
    return asyncio.run(form_of(request(text.encode()), *names))


def record(kind: Any, text: str) -> Any:
    return asyncio.run(record_of(request(text.encode()), kind))


def test_a_form_is_read_with_every_field_in_place() -> None:
    text = "comment=+why%3F+&matchers=a%3Db%0D%0Ac%3D%22d%22"
    assert form(text, "comment", "matchers", "more") == {
        "comment": "why?", "matchers": 'a=b\nc="d"', "more": "",
    }  # fmt: skip


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(BadInput, match="unknown field 'coment'") as error:
        form("coment=x", "comment")
    assert "did you mean 'comment'" in error.value.hint


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(BadInput, match="not a form"):
        form("&".join(["a=1"] * 100), "a")


def test_bytes_that_are_no_text_do_not_break_a_form() -> None:
    assert form("a=%ff%fe", "a") == {"a": "\ufffd\ufffd"}


def test_a_body_in_parts_is_one_body() -> None:
    assert asyncio.run(body_of(request(b"ab", b"", b"cd"))) == b"abcd"


@pytest.mark.parametrize("parts", [[b"x" * (LARGEST + 1)], [b"x" * LARGEST, b"y"]])
def test_a_body_over_the_limit_is_refused_while_it_comes(parts: Sequence[bytes]) -> None:
    with pytest.raises(PayloadTooLarge, match="larger than"):
        asyncio.run(body_of(request(*parts)))


def test_json_of_any_shape_is_read_and_what_is_none_is_named() -> None:
    assert asyncio.run(json_of(request(b'{"a": [1]}'))) == {"a": [1]}
    for body in (b"", b"{", b"nul"):
        with pytest.raises(BadInput, match="not JSON"):
            asyncio.run(json_of(request(body)))


def test_an_empty_body_is_all_defaults() -> None:
    assert record(ReasonBody, "") == ReasonBody()
    assert record(ReasonBody, ' {"reason": "done"} ') == ReasonBody("done")


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (ReasonBody, "{", "not JSON"),
        (ReasonBody, "[]", "must be a JSON object"),
        (ReasonBody, '{"reson": "x"}', "unknown key 'reson'"),
        (SilenceBody, "{}", "matchers is missing"),
        (SilenceBody,
         '{"ends_at": "2026-01-01T00:00:00Z", "comment":"", "matchers": [{"name": 1,"value":""}]}',
         "must be a string"),
        (LabelsBody, '{"labels": [{"trace_id": "t"}]}', "span_id is missing"),
        (LabelsBody,
         '{"labels": [{"trace_id": "t", "span_id": "s", "name": "n", "sampling_probability": 1}]}',
         "unknown key 'sampling_probability'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_place(kind: Any, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        record(kind, text)
