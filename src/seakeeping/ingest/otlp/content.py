"""The content policy ``drop``: what users and models wrote leaves the body before it is spooled.

Instrumentations name content in hundreds of ways, so a list of names would leak the next one.
Instead an attribute has to be harmless to stay: a number or a flag; or a short text (or list of
scalars) whose name has no word that names content, or ends in a word that names metadata
(``gen_ai.prompt.version``). Longer texts, maps and bytes go. So do log bodies and status messages
(errors quote prompts). Ids, times, models, tokens, costs and error classes stay: every indicator
that needs no text still works.
"""

import math
import re
from collections.abc import Callable, Mapping, MutableSequence
from functools import lru_cache
from itertools import chain
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

from seakeeping.ingest.otlp import derive
from seakeeping.ingest.otlp.body import Encoding
from seakeeping.ingest.otlp.encode import dump_json
from seakeeping.ingest.otlp.parse import parse
from seakeeping.ingest.otlp.values import attributes
from seakeeping.records import Signal

LONGEST_TEXT = 256
"""Code points that a text of a harmless name may have."""

_WORDS = """
args arguments answer answers body calls chunk chunks comment completion completions content
contents context data definitions document documents events explanation feedback headers history
input inputs instruction instructions message messages msg object output outputs parameters
passage passages prompt prompts query question reasoning records result results schema snippet
stacktrace statement summary template text texts thinking title transcript value values
"""
_ANYWHERE = frozenset(_WORDS.split())
_LAST = frozenset({"params", "request", "response"})
_METADATA = frozenset(
    {"id", "ids", "level", "name", "reason", "reasons", "role", "type", "version"}
)
_ALWAYS = frozenset({"variable", "variables"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def strip_content(
    signal: Signal, encoding: Encoding, body: bytes, services: Callable[[str], bool]
) -> bytes:
    """Return a body without the content of those services, in the encoding it came in.

    Args:
        signal: metrics carry no content and pass as they are.
        encoding: of the body.
        body: a request body that ``check`` accepted.
        services: whether the content of the service of this name has to go.

    Returns:
        The very same bytes where no service of the body is concerned.
    """
    if signal is Signal.METRICS:
        return body
    kind, strip = _STRIPPERS[signal]
    request = parse(kind, encoding, body)
    if not strip(request, services):
        return body
    return dump_json(request) if encoding is Encoding.JSON else request.SerializeToString()


@lru_cache(4096)
def names_content(key: str) -> bool:
    """Return whether an attribute of this name may hold what a user or a model wrote."""
    words = [word.lower() for word in _WORD.findall(key)]
    if not words or not _ALWAYS.isdisjoint(words) or words[-1] in _LAST:
        return True
    return words[-1] not in _METADATA and not _ANYWHERE.isdisjoint(words)


def _is_harmless(pair: KeyValue) -> bool:
    kind = pair.value.WhichOneof("value")
    if kind in _NUMBERS:
        return True
    if names_content(pair.key):
        return False
    return _length(pair.value, kind) <= LONGEST_TEXT


def _length(value: AnyValue, kind: str | None) -> float:
    """Return how much text a value holds; infinite for one that is no text and no list of texts."""
    if kind is None or kind in _NUMBERS:
        return 0
    if kind == "string_value":
        return len(value.string_value)
    if kind != "array_value":
        return math.inf
    items = value.array_value.values
    if any(item.WhichOneof("value") == "array_value" for item in items):
        return math.inf
    return sum(_length(item, item.WhichOneof("value")) for item in items)


def _keep_harmless(pairs: MutableSequence[KeyValue]) -> None:
    kept = [pair for pair in pairs if _is_harmless(pair)]
    del pairs[:]
    pairs.extend(kept)


def _strip_traces(request: Any, services: Callable[[str], bool]) -> bool:
    concerned = [group for group in request.resource_spans if services(_service(group))]
    for group in concerned:
        for scope in group.scope_spans:
            for span in scope.spans:
                _strip_span(span)
    return bool(concerned)


def _strip_span(span: pb.Span) -> None:
    span.status.ClearField("message")
    _keep_harmless(span.attributes)
    for pairs in (part.attributes for part in chain[Any](span.events, span.links)):
        _keep_harmless(pairs)


def _strip_logs(request: Any, services: Callable[[str], bool]) -> bool:
    concerned = [group for group in request.resource_logs if services(_service(group))]
    for group in concerned:
        for scope in group.scope_logs:
            for log in scope.log_records:
                _keep_harmless(log.attributes)
                _strip_body(log.body)
    return bool(concerned)


def _strip_body(body: AnyValue) -> None:
    """Keep of a structured body (``gen_ai.choice``) what is harmless; a text goes altogether."""
    if body.WhichOneof("value") == "kvlist_value":
        _keep_harmless(body.kvlist_value.values)
    else:
        body.Clear()


def _service(group: Any) -> str:
    return derive.service_name(attributes(group.resource.attributes))


_NUMBERS = frozenset({"int_value", "double_value", "bool_value"})

_STRIPPERS: Mapping[Signal, tuple[type[Message], Callable[[Any, Callable[[str], bool]], bool]]] = {
    Signal.TRACES: (ExportTraceServiceRequest, _strip_traces),
    Signal.LOGS: (ExportLogsServiceRequest, _strip_logs),
}
