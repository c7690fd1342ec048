"""The page of a call: every field shown, every score with its reason, every size bounded."""

from typing import Any

import pytest

from seakeeping.records import Evaluation, Interaction
from seakeeping.records.codec import evaluation_from_json, interaction_from_json, span_from_json
from seakeeping.web.conversation import LONGEST
from seakeeping.web.interaction_page import interaction_view, score_view, verdict
from seakeeping.web.rows import call_rows

IDS = {"trace_id": "0a", "span_id": "b1"}


def call(**more: Any) -> Interaction:
    base = {**IDS, "started_at": "2026-11-23T15:00:00Z", "service_name": "ferry"}
    return interaction_from_json({**base, **more})


def score(**more: Any) -> Evaluation:
    base = {
        **IDS, "name": "faithfulness", "score_value": 0.9, "score_label": "supported",
        "evaluator": "faithfulness", "evaluator_version": "2",
        "evaluated_at": "2026-11-23T15:00:02Z",
    }  # fmt: skip
    return evaluation_from_json({**base, **more})


def test_numbers_are_spelt_with_their_parts() -> None:
    view = interaction_view(
        call(
            duration_s=2.0, time_to_first_token_s=0.5, output_tokens=31, reasoning_tokens=8,
            input_tokens=1000, cache_read_tokens=900, cost_usd=0.02, finish_reasons=["length"],
        ),
        [], [],
    )  # fmt: skip
    assert [(f.value, f.note) for f in view.numbers] == [
        ("2 s", ""), ("500 ms", "then 20 tokens/s"), ("1,000", "900 cached"), ("31", "8 reasoning"),
        ("$0.02", ""), ("length", ""),
    ]  # fmt: skip


def test_missing_numbers_are_dashes() -> None:
    view = interaction_view(call(), [], [])
    assert {f.value for f in view.numbers} == {"\u2013"}
    assert not view.has_content
    assert not view.is_scored


@pytest.mark.parametrize(
    "part", [{"answer_text": "x"}, {"input_messages": [{}]}, {"system_instructions": "x"},
             {"documents": [{"id": None, "content": "x"}]}, {"output_messages": [{}]}],
)  # fmt: skip
def test_any_text_is_content(part: dict[str, Any]) -> None:
    assert interaction_view(call(**part), [], []).has_content


def test_tags_name_what_is_special() -> None:
    tags = interaction_view(call(traffic="demo", sampling_weight=50, streaming=True,
                                 environment="prod", release="v2"), [], []).tags  # fmt: skip
    assert tags == ("demo", "prod", "v2", "streamed", "stands for 50 calls")


def test_scores_come_by_name_with_version_lag_and_reason() -> None:
    made = [
        score(name="toxicity", score_value=None, score_label=None, skipped_reason="no_content"),
        score(),
    ]
    first, second = interaction_view(call(duration_s=1.0), made, []).scores
    assert (first.name, first.css, first.label, first.value) == (
        "faithfulness", "ok", "supported", "0.9",
    )  # fmt: skip
    assert (first.version, first.lag) == ("2", "1 s after the answer")
    assert (second.skipped, second.value) == ("no content", "\u2013")


def test_a_foreign_evaluations_direction_is_unknown() -> None:
    foreign = score(name="helpfulness", score_label="great")
    assert score_view(call(), foreign).css == "nodata"
    assert verdict(foreign) is not None


def test_a_verdict_is_shown_only_where_something_is_wrong_or_unknown() -> None:
    assert verdict(score()) is None
    assert verdict(score(score_value=None, score_label=None, skipped_reason="code")) is None
    bad = verdict(score(score_label="unsupported"))
    assert bad is not None
    assert (bad.css, bad.label) == ("breach", "unsupported")


def test_a_score_from_days_later_tells_no_lag() -> None:
    late = score(evaluated_at="2026-11-25T15:00:02Z")
    assert score_view(call(), late).lag == ""


def test_the_error_text_is_that_of_the_calls_own_span() -> None:
    own = span_from_json({**IDS, "name": "chat", "started_at": "2026-11-23T15:00:00Z",
                          "service_name": "ferry", "status_message": "quota exceeded"})  # fmt: skip
    other = span_from_json({**IDS, "span_id": "b2", "name": "x", "service_name": "ferry",
                            "started_at": "2026-11-23T15:00:00Z"})  # fmt: skip
    assert interaction_view(call(error_type="429"), [], [other, own]).error_text == "quota exceeded"
    assert interaction_view(call(error_type="429"), [], [other]).error_text == ""


def test_identity_leaves_out_what_is_not_known() -> None:
    view = interaction_view(call(user_id="u", groups={"language": "de"}), [], [])
    assert dict(view.identity) == {"trace": "0a", "span": "b1", "user": "u", "group language": "de"}


def test_attributes_are_sorted_and_long_ones_cut() -> None:
    view = interaction_view(
        call(attributes={"b": {"x": [1, {"y": None}]}, "a": "z" * 5000, "c": list(range(5000))}),
        [], [],
    )  # fmt: skip
    shown = dict(view.attributes)
    assert list(shown) == ["a", "b", "c"]
    assert shown["b"] == '{"x":[1,{"y":null}]}'
    assert len(shown["a"]) == len(shown["c"]) == 2001


def test_a_monstrous_document_is_cut() -> None:
    view = interaction_view(call(documents=[{"id": "d", "content": "x" * (LONGEST + 9)}]), [], [])
    assert sum(len(p.text) for p in view.documents[0].pieces) == LONGEST


def test_documents_open_where_an_objection_points() -> None:
    finding = {"start": 0, "end": 3, "label": "unsupported", "document": 2, "document_start": 0,
               "document_end": 1}  # fmt: skip
    documents = [{"id": str(n), "content": "text"} for n in range(4)]
    view = interaction_view(
        call(answer_text="abc", documents=documents), [score(evidence=[finding])], []
    )
    assert [d.is_open for d in view.documents] == [True, False, True, False]
    assert [d.cited for d in view.documents] == [0, 0, 1, 0]
    assert view.unsupported == 1


def test_a_row_says_why_it_has_no_text() -> None:
    calls = [
        call(answer_text="Hello"),
        call(output_messages=[{"role": "assistant"}], finish_reasons=["tool"]),
        call(output_messages=[{"role": "assistant"}]),
        call(),
    ]
    rows = call_rows(calls, [score(score_label="unsupported"), score(trace_id="other")])
    assert [(r.text, r.why_empty) for r in rows] == [
        ("Hello", ""), ("", "no text, a tool call"), ("", "no text"), ("", "content not captured"),
    ]  # fmt: skip
    assert [v.label for v in rows[0].verdicts] == ["unsupported"]
    assert rows[0].href == "/interactions/0a/b1"


def test_a_thousand_documents_share_the_page() -> None:
    documents = [{"id": str(n), "content": "x" * 100_000} for n in range(1000)]
    view = interaction_view(call(documents=documents), [], [])
    assert len(view.documents) == 200
    assert sum(len(p.text) for d in view.documents for p in d.pieces) == 2_000_000
