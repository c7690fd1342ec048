"""Vector stores as OpenLLMetry reports them: a database span with one event a result."""

from seakeeping.ingest.dialects.documents import documents_of
from seakeeping.ingest.dialects.facts import Facts, Step
from seakeeping.ingest.dialects.values import object_of
from seakeeping.records import JsonObject, Span

NAME = "vector-store"

MARKERS = ("db.system", "db.system.name", "vector_db.vendor")

CONTENT_HINT = "TRACELOOP_TRACE_CONTENT=true"

_RESULTS = {"db.query.result": "db.query.result.", "db.search.result": "db.search.result."}


def read(span: Span) -> Facts | None:
    """Return the documents that a vector store answered; None for any other database span."""
    if not span.events:
        return None
    found = [
        _row(event.attributes, _RESULTS[event.name])
        for event in span.events
        if event.name in _RESULTS
    ]
    if not found:
        return None
    return Facts(NAME, Step.RETRIEVAL, "retrieval", documents=documents_of(found))


def _row(attributes: JsonObject, prefix: str) -> JsonObject:
    row = {k.removeprefix(prefix): v for k, v in attributes.items() if k.startswith(prefix)}
    metadata = object_of(row.get("metadata"))
    row.pop("vector", None)
    return row if metadata is None else {**row, "metadata": metadata}
