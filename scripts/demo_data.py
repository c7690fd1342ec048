"""Choose the demo's answers from the faithfulness sets beside the checkout.

Only natural retrieval conversations whose passages may be redistributed: over NASA pages, over
IBM's own cloud documentation, and over Wikipedia, whose share-alike text goes into a file of its
own. Selection is by identifier, so the same input gives the same bytes.

    python scripts/demo_data.py ../shared/datasets/faithfulness
"""

import gzip
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "src" / "seakeeping" / "challenge" / "data"
CONVERSATIONS = {
    "72ba19c38518da1fc894fc638a2802f7": "space-classroom",
    "adf9b1f61c73d715809bc7b37ac02724": "cloud-docs",
    "c6c3b02ca32795af64c903dd76700517": "cloud-docs",
    "d5f0e7023ab90fe0240b7fc46cf00c26": "field-guide",
    "fd99b316e5e64f19ff938598aea9b285": "field-guide",
}
WIKIPEDIA = frozenset({"field-guide"})
NOT_SHIPPED = re.compile(r"Laurie Leshin|Mark Clampin|[A-Za-z0-9+/]{60,}|PUBLIC KEY")
"""Passages about persons, and key material: nothing that a demo needs."""
TURN = re.compile(r"^(user|agent): ", flags=re.MULTILINE)

Row = dict[str, Any]


def _rows(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _turns(question: str) -> list[dict[str, str]]:
    pieces = TURN.split(question)[1:]
    roles = {"user": "user", "agent": "assistant"}
    return [
        {"role": roles[role], "text": text.strip()}
        for role, text in zip(pieces[::2], pieces[1::2], strict=True)
    ]


def _conversation_rows(folder: Path) -> Iterator[Row]:
    for row in _rows(folder / "mtrag_dev.jsonl.gz"):
        source = row["id"].removeprefix("mtrag-").split("<::>")[0]
        if source in CONVERSATIONS and not any(map(NOT_SHIPPED.search, row["context"])):
            yield row | {
                "service": CONVERSATIONS[source],
                "conversation": source[:8],
                "turns": _turns(row["question"]),
            }


def _conversations(chosen: list[Row]) -> list[Row]:
    """Return the longest form of each conversation, of which every other one is a beginning."""
    longest: dict[str, list[dict[str, str]]] = {}
    for row in chosen:
        known = longest.setdefault(row["conversation"], row["turns"])
        shorter, longer = sorted((known, row["turns"]), key=len)
        if longer[: len(shorter)] != shorter:
            raise ValueError(f"{row['id']} is of another conversation")
        longest[row["conversation"]] = longer
    return [{"id": name, "turns": longest[name]} for name in sorted(longest)]


def _document_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _shipped(row: Row) -> Row:
    return {
        "id": row["id"].replace("<::>", "-"),
        "service": row["service"],
        "conversation": row["conversation"],
        "turns": len(row["turns"]),
        "documents": [_document_id(text) for text in row["context"]],
        "answer": row["answer"],
        "is_faithful": row["label"] == 0,
    }


def _write(name: str, items: list[Row]) -> None:
    lines = (json.dumps(item, ensure_ascii=False, sort_keys=True) + "\n" for item in items)
    (TARGET / name).write_text("".join(lines), encoding="utf-8")


def main(folder: Path) -> None:
    """Write the answers, and the conversations and documents that they were given."""
    chosen = list(_conversation_rows(folder))
    _write("answers.jsonl", sorted(map(_shipped, chosen), key=lambda row: row["id"]))
    _write("conversations.jsonl", _conversations(chosen))
    for name, is_wikipedia in (("documents.jsonl", False), ("documents-wikipedia.jsonl", True)):
        texts = {
            _document_id(text): text
            for row in chosen
            if (row["service"] in WIKIPEDIA) is is_wikipedia
            for text in row["context"]
        }
        _write(name, [{"id": key, "text": texts[key]} for key in sorted(texts)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
