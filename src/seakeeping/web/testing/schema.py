"""A check of JSON against the schemas of our OpenAPI document: the keywords it uses, no more."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

Schema = Mapping[str, Any]

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float),
    "array": (list,), "object": (dict,), "null": (type(None),),
}  # fmt: skip


def faults(value: object, schema: Schema, document: Schema, place: str = "$") -> Iterator[str]:
    """Yield what of a value is not as its schema says; nothing for a value that fits."""
    if "$ref" in schema:
        yield from faults(value, _referred(schema["$ref"], document), document, place)
        return
    if "anyOf" in schema:
        if all(any(faults(value, one, document, place)) for one in schema["anyOf"]):
            yield f"{place}: {value!r} fits none of the alternatives"
        return
    kinds = schema.get("type")
    if kinds is not None and not _is_of(value, [kinds] if isinstance(kinds, str) else kinds):
        yield f"{place}: {value!r} is not {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is not one of {schema['enum']}"
    if schema.get("format") == "date-time" and isinstance(value, str):
        yield from _time_faults(value, place)
    if isinstance(value, dict):
        yield from _object_faults(value, schema, document, place)
    if isinstance(value, list):
        yield from _array_faults(value, schema, document, place)


def _is_of(value: object, kinds: Sequence[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _KINDS[kind]) for kind in kinds)


def _time_faults(value: str, place: str) -> Iterator[str]:
    if not value.endswith("Z"):
        yield f"{place}: {value!r} is not in UTC"
    elif datetime.fromisoformat(value).tzinfo is None:
        yield f"{place}: {value!r} has no zone"


def _object_faults(
    value: Mapping[str, object], schema: Schema, document: Schema, place: str
) -> Iterator[str]:
    properties, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place}.{name} is missing"
    for name, inner in value.items():
        if name in properties:
            yield from faults(inner, properties[name], document, f"{place}.{name}")
        elif rest is False:
            yield f"{place}.{name} is not described"
        elif isinstance(rest, Mapping):
            yield from faults(inner, rest, document, f"{place}.{name}")


def _array_faults(
    value: Sequence[object], schema: Schema, document: Schema, place: str
) -> Iterator[str]:
    for index, inner in enumerate(value):
        one = schema.get("items")
        if "prefixItems" in schema and index < len(schema["prefixItems"]):
            one = schema["prefixItems"][index]
        if one is not None:
            yield from faults(inner, one, document, f"{place}[{index}]")


def _referred(reference: str, document: Schema) -> Schema:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    assert isinstance(found, Mapping)
    return found
