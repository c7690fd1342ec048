"""Schemas made from records: every kind of field, and a refusal of what has none."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from seakeeping.records import Json, JsonObject
from seakeeping.records.codec import to_json
from seakeeping.web import openapi
from seakeeping.web.filters import METRIC_POINTS
from seakeeping.web.openapi import schemas
from seakeeping.web.testing.schema import faults


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Part:
    """A part."""

    at: float


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole.

    Its second paragraph is not shown.
    """

    name: str
    count: int | None
    ratio: float
    colour: Colour
    part: Part
    maybe: Part | None
    parts: tuple[Part, ...]
    pairs: tuple[tuple[float, float], ...]
    by_name: Mapping[str, float | None]
    anything: Json
    attributes: JsonObject


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(openapi, "RECORDS", (*openapi.RECORDS, Whole))
    return schemas()


def whole(**changes: Any) -> dict[str, Any]:
    part = Part(at=1_764_000_000.0)
    plain = Whole("w", None, 0.5, Colour.RED, part, None, (part,), ((1.0, 2.0),), {"5m": None},
                  [1, {"a": None}], {"k": "v"})  # fmt: skip
    return {**to_json(plain), **changes}


def check(value: Any, made: Any) -> list[str]:
    return list(faults(value, made["Whole"], {"components": {"schemas": made}}))


def test_a_record_of_every_kind_of_field_fits_its_schema(made: Any) -> None:
    assert check(whole(), made) == []
    assert made["Whole"]["description"] == "A whole."
    assert check(whole(maybe={"at": "2026-11-23T15:00:00.000000Z"}, count=3), made) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"name": None}, {"count": 1.5}, {"ratio": None}, {"colour": "blue"}, {"part": None},
        {"part": {"at": 3}}, {"parts": {}}, {"parts": [{}]}, {"pairs": [["x", None]]},
        {"by_name": {"5m": True}}, {"attributes": []}, {"more": 1},
        {"part": {"at": "2026-11-23T15:00:00"}}, {"maybe": 3},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_found(made: Any, broken: dict[str, Any]) -> None:
    assert check(whole(**broken), made) != []


def test_every_record_of_the_api_has_a_description(made: Any) -> None:
    for record in openapi.RECORDS:
        assert made[record.__name__]["description"]
        assert set(made[record.__name__]["required"]) == set(record.__dataclass_fields__)


def test_a_type_without_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Odd:
        """Odd."""

        value: complex

    monkeypatch.setattr(openapi, "RECORDS", (Odd,))
    with pytest.raises(TypeError, match="no schema"):
        schemas()


def test_a_parameter_without_which_there_is_no_answer_is_said_to_be_required() -> None:
    async def answer(_: Request) -> Response:
        return Response()

    operation = openapi.Operation("GET", "/x", answer, "X.", "object", METRIC_POINTS)
    described = openapi.document([operation])["paths"]["/x"]["get"]["parameters"]
    assert {one["name"] for one in described if one["required"]} == {"service", "name"}
