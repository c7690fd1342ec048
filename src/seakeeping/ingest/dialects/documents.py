"""Retrieved documents, from whatever a retriever wrote down.

A retriever's output is a list of texts, of objects with one of several names for text, id and
score, or an object that holds such a list; LangChain writes constructors, vector stores rows.
"""

import re
from collections.abc import Sequence

from seakeeping.ingest.dialects.values import dig, number_of, parsed, text_of
from seakeeping.records import Document, Json, JsonObject

_TEXT = tuple(
    [
        "content",
        "page_content",
        "pageContent",
        "text",
        "document",
        "body",
        "chunk",
        "passage",
        "snippet",
    ]
)
_ID = ("id", "document_id", "doc_id", "node_id", "chunk_id", "_id", "id_")
_SCORE = ("score", "relevance_score", "similarity", "similarity_score", "rerank_score")
_HOLDERS = [
    "documents",
    "docs",
    "results",
    "matches",
    "hits",
    "nodes",
    "source_nodes",
    "outputs",
    "output",
    "data",
    "passages",
    "chunks",
    "sources",
    "context",
    "retrieved_documents",
    "result",
]
_MOST = 1000
_OBJECT = re.compile(r"<\w+\(.*\)>$", re.DOTALL)
"""The name of an object in memory, such as ``<NodeWithScore(node=...)>``, is no text of it."""


def documents_of(value: Json) -> tuple[Document, ...]:
    """Return the documents in a retriever's output (also JSON), in order; () if there are none."""
    found = parsed(value)
    if isinstance(found, dict):
        return _of_object(found)
    if isinstance(found, str):
        return (Document(None, found),) if found.strip() else ()
    if isinstance(found, (list, tuple)):
        documents = (_document(item) for item in _flat(found)[:_MOST])
        return tuple(d for d in documents if d is not None)
    return ()


def _flat(values: Sequence[Json]) -> Sequence[Json]:
    """Open the list of lists that some stores answer (one list a query)."""
    inner = values[0] if len(values) == 1 else None
    if not isinstance(inner, (list, tuple)) or _is_scored(inner):
        return values
    return inner


def _is_scored(item: Sequence[Json]) -> bool:
    """Say whether an item is a pair of a document and its score."""
    return len(item) == 2 and isinstance(item[0], dict) and number_of(item[1]) is not None


def _of_object(value: JsonObject) -> tuple[Document, ...]:
    inner = value.get("kwargs")
    if "lc" in value and isinstance(inner, dict) and "documents" not in inner:
        value = inner
    for holder in _HOLDERS:
        held = parsed(value.get(holder))
        if isinstance(held, (dict, list, tuple)) and held:
            return documents_of(held)
    single = _document(value)
    return (single,) if single is not None and single.content is not None else ()


def _document(item: Json) -> Document | None:
    item = parsed(item) if isinstance(item, str) and item.startswith("{") else item
    if isinstance(item, str):
        return Document(None, item) if item.strip() and not _OBJECT.match(item) else None
    if isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], dict):
        return _scored(item[0], number_of(item[1]))
    return _scored(item, None) if isinstance(item, dict) and item else None


def _scored(item: JsonObject, score: float | None) -> Document:
    for inner in ("kwargs", "node", "document", "Document"):
        held = item.get(inner)
        if isinstance(held, dict):
            return _scored({**{k: v for k, v in item.items() if k != inner}, **held}, score)
    metadata = parsed(item.get("metadata"))
    kept = dict(metadata) if isinstance(metadata, dict) else {}
    named = {"metadata", "lc", "type", *_TEXT, *_ID, *_SCORE}
    kept.update(
        {k: v for k, v in item.items() if k not in named and not isinstance(v, (dict, list))}
    )
    found_score = next((s for n in _SCORE if (s := number_of(item.get(n))) is not None), score)
    return Document(
        id=next((t for n in _ID if (t := _identity(item.get(n)))), None),
        content=_content(item),
        score=found_score,
        metadata=kept,
    )


def _identity(value: Json) -> str | None:
    return text_of(value) if isinstance(value, (str, int)) else None


def _content(item: JsonObject) -> str | None:
    for name in _TEXT:
        value = item.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, (list, tuple)):
            texts = [t for part in value if (t := text_of(dig(part, "text") or part))]
            if texts:
                return "\n".join(texts)
    return text_of(dig(item, "payload", "text") or dig(item, "metadata", "text"))


def query_of(value: Json) -> str | None:
    """Return the question in a retriever's input: a text, or the query in an object."""
    found = parsed(value)
    if isinstance(found, str):
        return found.strip() or None
    if isinstance(found, (list, tuple)):
        return query_of(found[0]) if len(found) == 1 else None
    if not isinstance(found, dict):
        return None
    for name in (
        "query",
        "question",
        "input",
        "inputs",
        "text",
        "q",
        "search_query",
        "query_str",
        "query_bundle",
        "args",
    ):
        inner = found.get(name)
        if inner:
            return query_of(inner)
    kwargs = found.get("kwargs")
    if isinstance(kwargs, dict) and kwargs:
        return query_of(kwargs)
    values = list(found.values())
    return query_of(values[0]) if len(values) == 1 and isinstance(values[0], str) else None
