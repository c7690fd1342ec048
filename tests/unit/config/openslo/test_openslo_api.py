"""Objectives of the API: the same documents as JSON, beside those of files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from tests.unit.config.openslo.reading import document, slo

from seakeeping.config import document_of, load_resources, objectives_of
from seakeeping.config.openslo.api import SOURCE


def as_json(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one]


def test_a_document_of_the_api(tmp_path: Path) -> None:
    made = objectives_of(as_json(slo()))
    (objective,) = made.objectives
    assert made.findings == ()
    assert (objective.name, objective.source) == ("chat-works", SOURCE)


def test_it_may_refer_to_documents_of_files(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(document("AlertPolicy", "p", "{alertWhenBreaching: false}"))
    resources, findings = load_resources(tmp_path)
    assert findings == []
    text = as_json(slo("alertPolicies: [p]"))
    assert objectives_of(text, beside=resources.entries).objectives[0].alerting.burn == ()
    (finding,) = objectives_of(text).findings
    assert "there is no AlertPolicy 'p'" in finding.message


def test_a_fault_is_a_finding_with_a_place() -> None:
    made = objectives_of(as_json(slo(objectives="[{target: 2}]")))
    assert made.objectives == ()
    (finding,) = made.findings
    assert finding.place == "api/SLO/chat-works:9: spec.objectives[0].target"


def test_a_name_that_a_file_owns_stays_with_the_file() -> None:
    made = objectives_of(as_json(slo()), taken={"chat-works"})
    assert made.objectives == ()
    (finding,) = made.findings
    assert "is owned by a file" in finding.message


def test_anything_but_openslo_is_refused() -> None:
    for odd in ({}, {"apiVersion": "x"}, {"kind": "SLO"}, {"apiVersion": ["openslo/v1"]}):
        made = objectives_of([odd])
        assert made.objectives == ()
        assert [finding.is_warning for finding in made.findings] == [False]


def test_a_part_that_occurs_twice_is_no_alias() -> None:
    text = as_json(slo())[0]
    twice: dict[str, Any] = {"displayName": "x", "target": 0.9}
    spec = {**text["spec"], "objectives": [twice, twice]}
    (finding,) = objectives_of([{**text, "spec": spec}]).findings
    assert "as another one" in finding.message


def test_what_the_page_shows_reads_back() -> None:
    (objective,) = objectives_of(as_json(slo())).objectives
    again = objectives_of([document_of(objective)])
    assert again.objectives == (objective,)


def test_names_that_openslo_does_not_allow_are_kept() -> None:
    (objective,) = objectives_of(as_json(slo())).objectives
    named = replace(objective, name="Chat Bot/works")
    shown = document_of(named)
    assert shown["metadata"]["name"] == "chat-bot/works"  # type: ignore[index, call-overload]
    assert objectives_of([shown]).objectives == (named,)
