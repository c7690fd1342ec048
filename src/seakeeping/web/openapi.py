"""The OpenAPI 3.1 document, made from the table of operations and the record classes.

Nothing is written twice: schemas follow the type hints of the records, parameters the tables that
read them. So what the document says is what the code does, and a test holds answers against it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from starlette.requests import Request
from starlette.responses import Response

from seakeeping import __version__
from seakeeping.config.finding import Finding
from seakeeping.records import (
    Alert,
    Budget,
    Change,
    Evaluation,
    Incident,
    Interaction,
    Json,
    JsonObject,
    Label,
    Matcher,
    Measurement,
    MetricPoint,
    Objective,
    Silence,
    Span,
)
from seakeeping.records.codec import TIMES
from seakeeping.records.names import Names
from seakeeping.store.ledger.label_requests import LabelRequest
from seakeeping.store.telemetry import ServiceSummary
from seakeeping.web.bodies import (
    Accepted,
    LabelBody,
    LabelsBody,
    ObjectiveDocument,
    ReasonBody,
    SilenceBody,
)
from seakeeping.web.deliveries import Delivery
from seakeeping.web.params import Param

Schema = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]

RECORDS: tuple[type[Any], ...] = (
    Accepted, Alert, Budget, Change, Delivery, Evaluation, Finding, Incident, Interaction, Label,
    LabelRequest, Measurement, MetricPoint, Names, Objective, ServiceSummary, Silence, Span,
)  # fmt: skip
"""What operations answer: every field is there."""

BODIES: tuple[type[Any], ...] = (LabelsBody, ObjectiveDocument, ReasonBody, SilenceBody)
"""What operations take: a field with a default may be left out."""

_SCALARS: dict[Any, Schema] = {
    str: {"type": "string"}, bool: {"type": "boolean"}, int: {"type": "integer"},
}  # fmt: skip
_NUMBER: Schema = {"type": ["number", "string"], "description": 'a number, or "+Inf" or "-Inf"'}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. ``answer`` and ``body`` name a schema; with ``[]`` a list of it.

    ``[]!`` is a list with ``warnings`` beside it.
    ``{name:path}`` in a path takes slashes too.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: str
    params: tuple[Param, ...] = ()
    body: str | None = None

    @property
    def told_path(self) -> str:
        """The path as the document and readers spell it."""
        return self.path.replace(":path}", "}")


def document(operations: Sequence[Operation]) -> Schema:
    """Return the document."""
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.told_path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Seakeeping",
            "version": __version__,
            "description": "The reliability control plane for generative-AI services.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": schemas(), "securitySchemes": _SECURITY},
        "security": [{"bearer": []}, {"key": []}, {"basic": []}],
    }


_SECURITY: Schema = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "the key is the password"},
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}


def schemas() -> dict[str, Schema]:
    """Return every schema by name."""
    found: dict[str, Schema] = {}
    for record in RECORDS:
        _collect(record, found)
    for body in BODIES:
        _collect(body, found)
    for body in (*BODIES, *_PARTS):
        found[body.__name__]["required"] = _required(body)
    found["ScoredInteraction"] = _scored(found["Interaction"])
    found["Erasure"] = _object({
        "user_id": {"type": "string"}, "interactions": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
    })  # fmt: skip
    text: Schema = {"type": "string"}
    inner = _object({"code": text, "message": text, "hint": text})
    found["Error"] = _object({"error": inner})
    return found


_PARTS = (LabelBody, Matcher)
"""Records within bodies."""


def _required(body: type[Any]) -> list[str]:
    return [f.name for f in fields(body) if f.default is MISSING and f.default_factory is MISSING]


def _scored(interaction: Schema) -> Schema:
    scores: Schema = {"type": "array", "items": _ref("Evaluation")}
    return _object({**interaction["properties"], "evaluations": scores})


def _collect(record: type[Any], found: dict[str, Schema]) -> None:
    if record.__name__ in found:
        return
    found[record.__name__] = {}  # its place, should it refer to itself
    properties = {f.name: _field(f.name, f.type, found) for f in fields(record)}
    doc = (record.__doc__ or "").split("\n\n")[0].strip()
    found[record.__name__] = {**_object(properties), "description": " ".join(doc.split())}


def _object(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object", "properties": properties, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip


def _field(name: str, hint: Any, found: dict[str, Schema]) -> Schema:
    if isinstance(hint, UnionType) and hint is not Json and NoneType in get_args(hint):
        rest = [a for a in get_args(hint) if a is not NoneType]
        return _or_null(_field(name, rest[0], found))
    if name in TIMES:
        return {"type": "string", "format": "date-time"}
    return _hint(hint, found)


def _hint(hint: Any, found: dict[str, Schema]) -> Schema:
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    if hint is float:
        return dict(_NUMBER)
    if hint == Json:
        return {}
    if hint == JsonObject:
        return {"type": "object"}
    if isinstance(hint, UnionType):
        return _or_null(_hint(next(a for a in get_args(hint) if a is not NoneType), found))
    return _compound(hint, found)


def _compound(hint: Any, found: dict[str, Schema]) -> Schema:
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple and args[-1] is not Ellipsis:
        return {"type": "array", "prefixItems": [_hint(a, found) for a in args]}
    if origin in (tuple, list, Sequence):
        return {"type": "array", "items": _hint(args[0], found)}
    if origin in (Mapping, dict):
        return {"type": "object", "additionalProperties": _hint(args[1], found)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [member.value for member in hint]}
    if not (isinstance(hint, type) and is_dataclass(hint)):
        raise TypeError(f"no schema for {hint!r}")
    _collect(hint, found)
    return _ref(hint.__name__)


def _or_null(schema: Schema) -> Schema:
    kind = schema.get("type")
    if kind is None or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [*([kind] if isinstance(kind, str) else kind), "null"]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(operation: Operation) -> Schema:
    described = [_path_parameter(name) for name in _path_names(operation.told_path)]
    described += [
        {"name": p.name, "in": "query", "required": p.is_required, "description": p.help,
         "schema": dict(p.schema)}
        for p in operation.params
    ]  # fmt: skip
    told = {
        "operationId": operation.handler.__name__,
        "summary": operation.summary,
        "parameters": described,
        "responses": {"200": _answer(operation.answer), "default": _error()},
    }
    if operation.body is not None:
        told["requestBody"] = {"required": True, "content": _content(operation.body)}
    return told


def _path_names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _path_parameter(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _content(name: str) -> Schema:
    schema = {"type": "object"} if name == "object" else _ref(name)
    return {"application/json": {"schema": schema}}


def _answer(name: str) -> Schema:
    if name == "events":
        kind: Schema = {"text/event-stream": {"schema": {"type": "string"}}}
    elif name == "yaml":
        kind = {"application/yaml": {"schema": {"type": "string"}}}
    elif name == "markdown":
        kind = {"text/markdown": {"schema": {"type": "string"}}}
    elif name.endswith(("[]", "[]!")):
        kind = {"application/json": {"schema": _page(name)}}
    else:
        kind = _content(name)
    return {"description": "fine", "content": kind}


def _page(name: str) -> Schema:
    items: Schema = {"type": "array", "items": _ref(name.partition("[")[0])}
    page: dict[str, Schema] = {"items": items, "next": {"type": ["string", "null"]}}
    if name.endswith("!"):
        page["warnings"] = {"type": "array", "items": _ref("Finding")}
    return _object(page)


def _error() -> Schema:
    return {
        "description": "what went wrong and what to do: 400, 401, 403, 404, 429, 500 or 503",
        "content": {"application/json": {"schema": _ref("Error")}},
    }
