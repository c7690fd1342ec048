"""What is sent to us: forms of our own pages, and JSON bodies of programs; bounded and strict."""

from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from seakeeping.errors import BadInput, PayloadTooLarge
from seakeeping.records.codec import from_json, near

LARGEST = 1 << 20
"""Bytes of a body."""

Record = TypeVar("Record")


async def body_of(request: Request, largest: int = LARGEST) -> bytes:
    """Return the body; raises PayloadTooLarge before more than ``largest`` bytes are held."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise PayloadTooLarge(f"the body is larger than {largest} bytes")
        parts.append(part)
    return b"".join(parts)


async def form_of(request: Request, *names: str) -> dict[str, str]:
    """Return the fields of a form; what was left empty is empty. Raises BadInput."""
    text = (await body_of(request)).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=64)
    except ValueError as error:
        raise BadInput(f"not a form: {error}") from None
    found = dict.fromkeys(names, "")
    for name, value in pairs:
        if name not in found:
            raise BadInput(f"unknown field {name!r}", hint=near(name, names))
        found[name] = value.replace("\r\n", "\n").strip()
    return found


async def json_of(request: Request) -> Any:
    """Return the JSON of a body; raises BadInput."""
    body = await body_of(request)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the body is not JSON: {error}") from None


async def record_of(request: Request, kind: type[Record]) -> Record:
    """Return the record that the body describes, all defaults for an empty one.

    Raises BadInput with the place of what is wrong.
    """
    body = await body_of(request)
    try:
        given = orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the body is not JSON: {error}") from None
    return from_json(kind, given)
