"""What a span says of its error: its class word, the HTTP status, the text.

The status is an attribute in some emitters; in most it stands only in a message such as ``Error
code: 429 - {...}``, of the span's status, of an exception event or of an attribute.
"""

from seakeeping.ingest.dialects.facts import Facts
from seakeeping.ingest.dialects.terms import error_class_of, http_status_in, http_status_named
from seakeeping.ingest.dialects.values import count_of, first, text_of
from seakeeping.records import Span

_LONGEST = 4000


def read_failure(span: Span, facts: Facts) -> None:
    """Fill the error fields of ``facts`` where the span failed."""
    attributes = span.attributes
    raw = text_of(attributes.get("error.type"))
    level = attributes.get("langfuse.observation.level")
    if raw is None and span.status != "error" and level != "ERROR":
        return
    texts = _texts(span)
    if raw is None:
        raw = span.error_type if span.error_type not in (None, "_OTHER") else _exception_type(span)
    status = count_of(first(attributes, "http.response.status_code", "http.status_code"))
    if status is None or status < 400:
        status = next((s for text in texts if (s := http_status_in(text)) is not None), None)
    if status is None:
        status = http_status_named(raw, " ".join(texts))
        facts.extras.update({"seakeeping.http_status": "derived"} if status is not None else {})
    text = texts[0] if texts else ""
    facts.http_status = status
    facts.error_text = text
    facts.error_type = error_class_of(raw, status, " ".join(texts))
    if raw is not None:
        facts.extras.setdefault("error.type", raw)


def _exception_type(span: Span) -> str | None:
    for event in reversed(span.events):
        found = text_of(event.attributes.get("exception.type"))
        if found is not None:
            return found
    return text_of(span.attributes.get("exception.type"))


def _texts(span: Span) -> list[str]:
    found = [span.status_message]
    for event in span.events:
        if "exception.message" in event.attributes:
            found.append(text_of(event.attributes["exception.message"]))
    for name in ("exception.message", "error.message", "langfuse.observation.status_message",
                 "gen_ai.error.message"):  # fmt: skip
        found.append(text_of(span.attributes.get(name)))
    return [text[:_LONGEST] for text in found if text]
