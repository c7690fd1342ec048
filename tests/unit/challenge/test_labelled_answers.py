import json
import re
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from seakeeping.challenge.answers import load_answers

DATA = files("seakeeping.challenge").joinpath("data")
DOCUMENTS = ("documents.jsonl", "documents-wikipedia.jsonl")
FILES = ("answers.jsonl", "conversations.jsonl", *DOCUMENTS)


def document_ids(name: str) -> set[str]:
    text = DATA.joinpath(name).read_text(encoding="utf-8")
    return {json.loads(line)["id"] for line in text.split("\n") if line}


def test_every_answer_has_a_text_a_judgement_and_something_to_judge_it_by() -> None:
    for answer in load_answers():
        assert answer.text.strip()
        assert answer.passages
        assert all(passage.text for passage in answer.passages)


def test_conversations_end_with_the_question() -> None:
    conversations = [answer.turns for answer in load_answers()]
    assert len(conversations) > 100
    assert all(turns[-1].role == "user" for turns in conversations)
    assert {turn.role for turns in conversations for turn in turns} == {"user", "assistant"}


def test_provenance_page_counts_what_is_shipped() -> None:
    page = DATA.joinpath("README.md").read_text(encoding="utf-8")
    answers = load_answers()
    assert f"{len(answers)} answers" in page
    total = Counter(answer.service for answer in answers)
    bad = Counter(answer.service for answer in answers if not answer.is_faithful)
    for service, count in total.items():
        assert f"| `{service}` | {count} ({bad[service]}) |" in page


def test_identifiers_are_unique_and_every_passage_is_used() -> None:
    answers = load_answers()
    assert len({answer.id for answer in answers}) == len(answers)
    shipped = {key for name in DOCUMENTS for key in document_ids(name)}
    assert shipped == {passage.id for answer in answers for passage in answer.passages}


@pytest.mark.parametrize("pattern", [r"PRIVATE KEY", r"PUBLIC KEY", r"AKIA[0-9A-Z]{16}", r"CNN"])
def test_texts_hold_no_key_material_and_no_press_text(pattern: str) -> None:
    for name in FILES:
        assert not re.search(pattern, DATA.joinpath(name).read_text(encoding="utf-8"))


def test_selection_is_reproducible_from_the_source_sets(shared: Path, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    script = tmp_path / "scripts" / "demo_data.py"
    target = tmp_path / "src" / "seakeeping" / "challenge" / "data"
    for folder in (script.parent, target):
        folder.mkdir(parents=True)
    script.write_text((root / "scripts" / "demo_data.py").read_text())
    source = shared / "datasets" / "faithfulness"
    subprocess.run([sys.executable, str(script), str(source)], check=True, timeout=60)
    for name in FILES:
        assert (target / name).read_bytes() == DATA.joinpath(name).read_bytes()


def test_share_alike_text_stands_apart() -> None:
    wikipedia = document_ids("documents-wikipedia.jsonl")
    for answer in load_answers():
        assert all(
            (one.id in wikipedia) is (answer.service == "field-guide") for one in answer.passages
        )
