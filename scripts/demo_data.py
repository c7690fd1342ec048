"""Choose the demo's answers from the faithfulness sets beside the checkout.

Only rows whose text may be redistributed: conversations over NASA pages and over IBM's own cloud
documentation (MTRAG), and summaries of invented sales calls and e-mails (SummEdits). Selection is
by identifier and hash, so the same input gives the same bytes.

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
    "c6c3b02ca32795af64c903dd76700517": "cloud-docs",
    "adf9b1f61c73d715809bc7b37ac02724": "cloud-docs",
}
SUMMARIES = ("summedits/sales_call", "summedits/sales_email")
NOT_SHIPPED = re.compile(r"Laurie Leshin|Mark Clampin|[A-Za-z0-9+/]{60,}|PUBLIC KEY")
"""Passages about persons, and key material: nothing that a demo needs."""
FAITHFUL_A_DOCUMENT, UNFAITHFUL_A_DOCUMENT = 4, 2
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
            yield row | {"service": CONVERSATIONS[source], "turns": _turns(row["question"])}


def _summary_rows(folder: Path) -> Iterator[Row]:
    found: dict[tuple[str, int], list[Row]] = {}
    for name in ("summedits_dev", "summedits_train"):
        for row in _rows(folder / f"{name}.jsonl.gz"):
            if row["dataset"] in SUMMARIES and not any(map(NOT_SHIPPED.search, row["context"])):
                found.setdefault((row["context"][0], row["label"]), []).append(row)
    for (_text, label), same in sorted(found.items()):
        same.sort(key=lambda row: hashlib.sha256(row["id"].encode()).digest())
        for row in same[: UNFAITHFUL_A_DOCUMENT if label else FAITHFUL_A_DOCUMENT]:
            yield row | {"service": "sales-notes", "turns": []}


def _document_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _shipped(row: Row) -> Row:
    return {
        "id": row["id"].replace("<::>", "-"),
        "service": row["service"],
        "turns": row["turns"],
        "documents": [_document_id(text) for text in row["context"]],
        "answer": row["answer"],
        "is_faithful": row["label"] == 0,
        "unsupported": [span[:2] for span in row["spans"] or []],
    }


def _write(name: str, items: list[Row]) -> None:
    lines = (json.dumps(item, ensure_ascii=False, sort_keys=True) + "\n" for item in items)
    (TARGET / name).write_text("".join(lines), encoding="utf-8")


def main(folder: Path) -> None:
    """Write the answers and the documents that they were given."""
    chosen = [*_conversation_rows(folder), *_summary_rows(folder)]
    documents = {_document_id(text): text for row in chosen for text in row["context"]}
    _write("answers.jsonl", sorted(map(_shipped, chosen), key=lambda row: row["id"]))
    _write("documents.jsonl", [{"id": key, "text": documents[key]} for key in sorted(documents)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
