"""Write what ppi-python says, for the golden test of our own estimators.

    uv venv peer && uv pip install --python peer/bin/python ppi-python==0.2.3
    peer/bin/python scripts/golden_ppi.py > tests/data/prevalence/ppi-python-0.2.3.json

Inputs are made here from a seed and written beside the outputs, so that the test needs neither the
package nor the same random numbers.
"""

import json
from typing import Any

import numpy as np
from ppi_py import ppi_mean_ci, ppi_mean_pointestimate

SETTINGS = (
    # prevalence, labels, answers, mean shift of the bad, what the scores are worth
    (0.05, 60, 400, 1.5, "useful"),
    (0.2, 120, 500, 1.5, "useful"),
    (0.01, 50, 300, 1.5, "useful"),
    (0.3, 80, 60, 2.5, "useful"),
    (0.2, 100, 300, 0.0, "useless"),
    (0.2, 100, 300, -1.5, "inverted"),
    (0.5, 40, 200, 8.0, "perfect"),
    (0.2, 50, 200, 1.5, "verdicts"),
    (0.2, 50, 200, 1.5, "constant"),
    (0.4, 30, 100, 1.5, "bounded truths"),
)


def drawn(
    random: np.random.Generator, share: float, size: int, shift: float, worth: str
) -> tuple[Any, Any]:
    """Return truths and scores, rounded so that they read back exactly."""
    truths = (random.random(size) < share).astype(float)
    logits = random.normal(size=size) * 1.2 + shift * truths - 1.5
    scores = 1 / (1 + np.exp(-logits))
    if worth == "verdicts":
        scores = (scores > 0.5).astype(float)
    if worth == "constant":
        scores = np.full(size, 0.25)
    if worth == "bounded truths":
        truths = np.round(np.clip(truths * 0.7 + random.random(size) * 0.3, 0, 1), 3)
    return truths, np.round(scores, 6)


def asked(y: Any, s: Any, others: Any) -> list[dict[str, Any]]:
    """Return the peer's answers for a few weights of the scores and confidences."""
    answers = []
    for tuning in (None, 0.0, 0.4, 1.0):
        point = ppi_mean_pointestimate(y, s, others, lam=tuning)
        for confidence in (0.8, 0.95, 0.99):
            low, high = ppi_mean_ci(y, s, others, alpha=1 - confidence, lam=tuning)
            answers.append({
                "tuning": tuning, "confidence": confidence,
                "estimate": float(np.squeeze(point)),
                "low": float(np.squeeze(low)), "high": float(np.squeeze(high)),
            })  # fmt: skip
    return answers


def main() -> None:
    """Print the golden file."""
    random = np.random.default_rng(20261123)
    cases = []
    for share, n, size, shift, worth in SETTINGS:
        y, s = drawn(random, share, n, shift, worth)
        _, others = drawn(random, share, size, shift, worth)
        cases.append({
            "worth": worth, "truths": y.tolist(), "scores": s.tolist(),
            "others": others.tolist(), "answers": asked(y, s, others),
        })  # fmt: skip
    print(json.dumps({"peer": "ppi-python 0.2.3", "cases": cases}))


if __name__ == "__main__":
    main()
