"""The shipped model: walked as LightGBM walks it, monotone, and what its provenance says."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.evaluate.faithfulness.features import FEATURES
from seakeeping.evaluate.faithfulness.model import Model, load_model, parse, probability

PACKAGE = files("seakeeping.evaluate.faithfulness")
BODY = PACKAGE.joinpath("lexical.json").read_bytes()
MODEL = load_model()
LIMITS = [
    10.0 if name in ("words_missing", "rarest_missing")
    else 5.0 if name in ("pairs_missing", "names_missing")
    else 4.0 if name == "names_missing_in_window"
    else 3.0 if name.startswith("numbers_missing") or name == "polarity_missing_in_window"
    else 1.0
    for name, _ in FEATURES
]  # fmt: skip
ROWS = st.tuples(*(st.floats(0, limit) for limit in LIMITS))


def test_the_walker_gives_the_logits_that_lightgbm_gave(data: Path) -> None:
    reference = json.loads((data / "faithfulness" / "logits.json").read_text())
    found = np.array(MODEL.logits(reference["rows"])) + MODEL.shift
    np.testing.assert_allclose(found, reference["logits"], rtol=0, atol=1e-9)
    assert len(reference["rows"]) >= 25


def test_the_model_is_the_one_of_its_provenance() -> None:
    provenance = json.loads(PACKAGE.joinpath("lexical.provenance.json").read_text())
    assert provenance["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert provenance["sha256"].startswith(MODEL.version.rpartition(".")[2])


def test_the_model_learnt_from_permissive_rows_only() -> None:
    provenance = json.loads(PACKAGE.joinpath("lexical.provenance.json").read_text())
    licences = {entry["licence"] for entry in provenance["trained_on"]}
    assert licences <= {"Apache-2.0", "MIT", "CC-BY-4.0"}


def test_the_model_file_stays_small() -> None:
    assert len(BODY) < 300_000


@given(row=ROWS, number=st.integers(0, len(FEATURES) - 1), share=st.floats(0, 1))
def test_no_feature_ever_speaks_against_its_sense(
    row: tuple[float, ...], number: int, share: float
) -> None:
    _, direction = FEATURES[number]
    raised = list(row)
    raised[number] += (LIMITS[number] - row[number]) * share
    before, after = MODEL.logits([row, raised])
    assert direction == 0 or (after - before) * direction >= -1e-9


@given(st.lists(ROWS, min_size=1, max_size=30))
def test_a_row_has_one_logit_whatever_stands_beside_it(rows: list[tuple[float, ...]]) -> None:
    together = MODEL.logits(rows)
    assert together == [MODEL.logits([row])[0] for row in rows]


def test_no_rows_no_logits() -> None:
    assert MODEL.logits([]) == []


@given(st.lists(st.tuples(st.floats(-9, 9), st.integers(1, 60)), min_size=1, max_size=40))
def test_an_answer_lies_between_its_best_and_its_worst_sentence(
    pairs: list[tuple[float, int]],
) -> None:
    logits = [logit for logit, _ in pairs]
    found = MODEL.answer_logit(logits, [size for _, size in pairs])
    assert min(logits) - 1e-9 <= found <= max(logits) + 1e-9


@given(st.floats(-1e9, 1e9))
def test_a_probability_is_one(logit: float) -> None:
    assert 0 < probability(logit) < 1
    assert probability(logit) + probability(-logit) == pytest.approx(1)


@pytest.mark.parametrize("change", [{"format": 99}, {"features": ["other"]}])
def test_a_model_for_other_features_is_refused(change: dict[str, object]) -> None:
    document = {**json.loads(BODY), **change}
    with pytest.raises(ValueError, match="does not fit this code"):
        parse(json.dumps(document).encode())


def test_a_stump_is_walked() -> None:
    document = json.loads(BODY)
    document["linear"] = {"weights": [0.0] * len(FEATURES), "intercept": 1.0}
    stump = {"feature": [1, 0, 0], "threshold": [0.5, 0, 0], "left": [1, 1, 2],
             "right": [2, 1, 2], "value": [0, 3.0, -2.0]}  # fmt: skip
    leaf = {"feature": [0], "threshold": [0], "left": [0], "right": [0], "value": [0.25]}
    document["trees"] = [stump, leaf]
    document["answer"]["shift"] = 0.5
    model: Model = parse(json.dumps(document).encode())
    low, high = [0.0] * len(FEATURES), [0.0] * len(FEATURES)
    low[1], high[1] = 0.5, 0.51
    assert model.logits([low, high]) == [3.75, -1.25]
