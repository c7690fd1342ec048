"""No text may break an insert: the engine's parser must never look into the data."""

import pytest

from seakeeping.store.testing import make_span, running_store

HOSTILE = (
    "a\n\nb", ";\n\n;", "'", '"', "`", "--x\n", "/*", "\\", "\x00", "\x1f\x8b", "\t\n\r\f", " ",
    "FORMAT Native\n\n", "😀\u202e\ud7ff", "{p:String}", "$$ $$", "\\n\n\\N\n", "",
)  # fmt: skip


@pytest.mark.parametrize("place", ["name", "attribute"])
def test_every_text_comes_back_as_it_was(place: str) -> None:
    with running_store() as store:
        store.migrate()
        spans = [
            make_span(n, trace_id="a" * 32, name=text if place == "name" else "span",
                      attributes={"text": text} if place == "attribute" else {})
            for n, text in enumerate(HOSTILE, start=1)
        ]  # fmt: skip
        store.insert_spans(spans, "one")
        found = {s.span_id: s for s in store.trace("a" * 32)}
    for span in spans:
        got = found[span.span_id]
        assert (got.name, got.attributes) == (span.name, span.attributes)
