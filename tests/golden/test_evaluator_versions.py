"""Equal versions mean equal verdicts: a change of results without a new version is found here.

After a change that is meant, raise the evaluator's version and write the file anew:
``python tests/golden/test_evaluator_versions.py``.
"""

import json
from pathlib import Path
from typing import Any

from seakeeping.evaluate.contract import odd_calls, plain_call
from seakeeping.evaluate.registry import load_evaluators
from seakeeping.records import Evaluation

FILE = Path(__file__).parent.parent / "data" / "verdicts.json"
OURS = ("faithfulness", "refusal", "response_validity")

DOCUMENTS = (
    "The old harbour of Brest was built in 1631 by Cardinal Richelieu. It has four basins.",
    "Boats pay 120 euros a month [1]. The harbour master is Anne Kerjean; call (02) 98-00-00.",
)
ANSWERS = (
    "The old harbour of Brest was built in 1631. It has four basins.",
    "It was built in 1731 by Paul Martin, and has nine basins [4].",
    "Sure! Here is what I found:\n1. Boats pay 120 euros. 2. Trains pay nothing.\n\nAnything else?",
    "The documents do not mention opening hours. The harbour master is Anne Kerjean.",
    "I could not find any information about that in the documents.",
    "```json\n{\"fee\": 120,}\n```",
    "The port, so the text says, is \"a jewel of the whole western coast\".",
)  # fmt: skip


def verdicts() -> dict[str, Any]:
    """Return what ours say about the fixed calls, by evaluator and version."""
    calls = [plain_call(answer=answer, documents=DOCUMENTS) for answer in ANSWERS] + odd_calls()
    return {
        evaluator.name: {
            "version": evaluator.version,
            "verdicts": [verdict(evaluation) for evaluation in evaluator.evaluate(calls)],
        }
        for evaluator in load_evaluators(OURS)
    }


def verdict(evaluation: Evaluation) -> list[Any]:
    """Return what a verdict says, short; scores to three digits."""
    value = evaluation.score_value
    findings = [
        [f.get("start"), f.get("end"), f.get("reason"), f.get("document"), f.get("document_start")]
        for f in evaluation.evidence
    ]
    short = None if value is None else round(value, 3)
    return [short, evaluation.score_label, evaluation.skipped_reason, findings]


def test_equal_versions_give_equal_verdicts() -> None:
    known = json.loads(FILE.read_text(encoding="utf-8"))
    for name, now in json.loads(json.dumps(verdicts())).items():
        before = known[name]
        if now["verdicts"] != before["verdicts"]:
            assert now["version"] != before["version"], f"{name}: results changed, its version not"
        assert now == before, f"{name}: write the verdicts of the new version ({__doc__})"


def written(found: dict[str, Any]) -> str:
    """Return the file's text, one verdict a line."""
    blocks = []
    for name, told in found.items():
        lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in told["verdicts"])
        version = json.dumps(told["version"])
        blocks.append(f'"{name}": {{"version": {version}, "verdicts": [\n{lines}\n]}}')
    return "{\n" + ",\n".join(blocks) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(written(verdicts()), encoding="utf-8")
