"""Our estimators against ppi-python 0.2.3, on inputs and outputs in a file.

The file is made by scripts/golden_ppi.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from seakeeping.stats.prevalence import Population, ppi_mean, ppi_tuning, prevalence
from seakeeping.stats.sequences import LabelledValues

FILE = Path(__file__).parent.parent / "data" / "prevalence" / "ppi-python-0.2.3.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text())["cases"]


def parts(case: dict[str, Any]) -> tuple[LabelledValues, Population]:
    labels = LabelledValues.of(case["truths"], case["scores"])
    return labels, Population.of(case["others"])


def test_the_file_has_every_kind_of_detector() -> None:
    kinds = {case["worth"] for case in CASES}
    assert kinds >= {"useful", "useless", "inverted", "perfect", "verdicts", "bounded truths"}
    assert sum(len(case["answers"]) for case in CASES) >= 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["worth"])
def test_estimate_and_interval_equal_the_peers_to_nine_digits(case: dict[str, Any]) -> None:
    labels, population = parts(case)
    for answer in case["answers"]:
        ours = ppi_mean(labels, population, answer["confidence"], answer["tuning"])
        assert ours.estimate == pytest.approx(answer["estimate"], abs=1e-9)
        assert ours.low == pytest.approx(answer["low"], abs=1e-9)
        assert ours.high == pytest.approx(answer["high"], abs=1e-9)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["worth"])
def test_a_share_is_the_peers_estimate_within_zero_and_one(case: dict[str, Any]) -> None:
    labels, population = parts(case)
    (peer,) = (
        answer["estimate"]
        for answer in case["answers"]
        if answer["tuning"] is None and answer["confidence"] == 0.95
    )
    found = prevalence(labels, population)
    assert found.estimate == pytest.approx(min(max(peer, 0.0), 1.0), abs=1e-9)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_a_detector_that_knows_nothing_gets_no_say() -> None:
    constant, inverted = (
        next(case for case in CASES if case["worth"] == kind) for kind in ("constant", "inverted")
    )
    assert ppi_tuning(*parts(constant)) == 0.0
    assert ppi_tuning(*parts(inverted)) == 0.0
