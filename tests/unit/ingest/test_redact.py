from dataclasses import replace

import pytest

from seakeeping.config import ContentPolicy
from seakeeping.config.policy import ServiceRule
from seakeeping.ingest.redact import (
    hashed,
    masker,
    redact,
    redact_evaluation,
    redact_label,
    redact_span,
)
from seakeeping.records import (
    Document,
    Evaluation,
    Interaction,
    JsonObject,
    Label,
    LabelKind,
    Span,
    SpanEvent,
)

STORE = ContentPolicy()
HASH = ContentPolicy(default="hash")
DROP = ContentPolicy(default="drop")
MAIL = "ada.lovelace@example.org"
KEY = "sk-proj-Zk29vXq71mPz83LwQd04Ht56"


def message(role: str, text: str) -> JsonObject:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def interaction(answer: str = f"Write to {MAIL} today.") -> Interaction:
    return Interaction(
        trace_id="a" * 32, span_id="b" * 16, parent_span_id=None, started_at=1.0, duration_s=1.0,
        time_to_first_token_s=None, streaming=None, operation="chat", provider="openai",
        request_model="gpt-4o", response_model=None, response_id=None, service_name="app",
        service_version=None, environment=None, system_instructions=f"The key is {KEY}.",
        input_messages=(message("user", f"I am {MAIL}"),),
        output_messages=(message("assistant", answer),),
        answer_text=answer, is_answer=True,
        tool_definitions=({"type": "function", "name": "find"},),
        documents=(Document("d1", f"Contact: {MAIL}", 0.5, {"source": f"mail/{MAIL}", "page": 3}),),
        input_tokens=3, output_tokens=4, cache_read_tokens=None, reasoning_tokens=None,
        cost_usd=0.1, finish_reasons=("stop",), error_type=None, conversation_id="c1",
        user_id=MAIL, tenant=None, route=None, region=None, prompt_name=None, prompt_version=None,
        release=None, attributes={"server.address": "api.example.org", "note": KEY, "n": 7},
    )  # fmt: skip


def evaluation(explanation: str | None = None) -> Evaluation:
    return Evaluation(
        "a" * 32, "b" * 16, "faithfulness", 0.2, "unsupported", explanation,
        ({"start": 9, "end": 33, "label": "unsupported", "score": 0.2, "reason": f"not {MAIL}"},),
        "seakeeping", "1", 2.0, 0.1, None, None,
    )  # fmt: skip


def span() -> Span:
    return Span(
        "a" * 32, "b" * 16, None, "POST", "client", 1.0, 0.5, "error", "timeout", "app",
        {"url.full": f"https://x.test/?api_key={KEY}", "http.status_code": 500, "args": [MAIL, 1]},
        (SpanEvent("exception", 1.2, {"exception.message": f"{MAIL} is unknown"}),),
        status_message=f"no {MAIL}",
    )  # fmt: skip


def test_a_mask_is_as_long_as_what_it_hides_so_offsets_stay_right() -> None:
    before = interaction()
    after = redact(before, STORE)
    assert after.answer_text is not None
    assert before.answer_text is not None
    assert MAIL not in after.answer_text
    assert len(after.answer_text) == len(before.answer_text)
    assert after.answer_text.startswith("Write to [email]")
    assert after.answer_text.endswith(" today.")


@pytest.mark.parametrize("text", ["\U0001f600 a@b.io \U0001f600", "é a@b.io", "x" * 50 + " a@b.io"])
def test_masks_count_code_points(text: str) -> None:
    masked = masker(STORE)(text)
    assert len(masked) == len(text)
    assert masked.replace("*", "") != masked
    assert masked[-1] == text[-1] or text.endswith("a@b.io")


def test_a_mask_without_room_for_its_name_is_stars() -> None:
    assert masker(STORE)("a@b.io") == "******"


def test_secrets_leave_every_text_of_an_interaction() -> None:
    after = redact(interaction(), STORE)
    kept = repr(replace(after, user_id=None))
    assert MAIL not in kept
    assert KEY not in kept


def test_the_user_id_stays_so_that_a_user_can_be_erased() -> None:
    assert redact(interaction(), STORE).user_id == MAIL


def test_what_has_no_secret_is_not_copied() -> None:
    clean = replace(
        interaction("Fine."), system_instructions=None, input_messages=None, documents=(),
        attributes={}, output_messages=None,
    )  # fmt: skip
    assert redact(clean, STORE) is clean


def test_the_answer_is_masked_as_its_message_is() -> None:
    after = redact(interaction(), STORE)
    assert after.output_messages == (message("assistant", str(after.answer_text)),)


def test_a_hash_tells_only_whether_texts_are_equal() -> None:
    one, same = redact(interaction("Yes."), HASH), redact(interaction("Yes."), HASH)
    other = redact(interaction("No."), HASH)
    assert one.answer_text == same.answer_text == hashed("Yes.")
    assert one.answer_text != other.answer_text
    assert one.output_messages == (message("assistant", hashed("Yes.")),)
    assert "Contact" not in repr(one)


def test_drop_keeps_counts_and_names_but_no_text() -> None:
    after = redact(interaction(), DROP)
    assert after.answer_text is None
    assert (after.input_messages, after.output_messages) == (None, None)
    assert after.system_instructions is None
    assert after.documents == (Document("d1", None, 0.5),)
    assert (after.input_tokens, after.request_model, after.attributes["n"]) == (3, "gpt-4o", 7)


def test_the_first_rule_that_matches_a_service_decides() -> None:
    policy = ContentPolicy(services=(ServiceRule("ap*", "drop"), ServiceRule("app", "store")))
    assert redact(interaction(), policy).answer_text is None


def test_secrets_leave_attributes_events_and_status_of_a_span() -> None:
    after = redact_span(span(), STORE)
    assert MAIL not in repr(after)
    assert KEY not in repr(after)
    assert after.attributes["http.status_code"] == 500
    assert len(str(after.attributes["url.full"])) == len(str(span().attributes["url.full"]))


def test_a_span_without_a_secret_is_not_copied() -> None:
    clean = replace(span(), attributes={"a": "b"}, events=(), status_message=None)
    assert redact_span(clean, STORE) is clean


def test_a_span_under_drop_keeps_what_is_no_content() -> None:
    given = replace(
        span(), attributes={"gen_ai.request.model": "m", "input.value": "Hello", "n": 1}
    )
    after = redact_span(given, DROP)
    assert after.attributes == {"gen_ai.request.model": "m", "n": 1}
    assert after.status_message is None
    assert redact_span(given, HASH).attributes["input.value"] == hashed("Hello")


def test_an_evaluation_is_masked_but_keeps_its_places() -> None:
    after = redact_evaluation(evaluation(f"says {MAIL}"), interaction(), STORE)
    assert MAIL not in repr(after)
    assert after.evidence[0]["start"] == 9
    assert after.score_value == 0.2


def test_an_evaluation_without_a_quotation_is_not_copied() -> None:
    clean = replace(evaluation("ok"), evidence=())
    assert redact_evaluation(clean, interaction(), STORE) is clean


@pytest.mark.parametrize("policy", [HASH, DROP])
def test_an_evaluation_of_text_that_is_not_kept_has_no_places_and_no_words(
    policy: ContentPolicy,
) -> None:
    after = redact_evaluation(evaluation("quotes"), interaction(), policy)
    assert after.explanation is None
    assert after.evidence == ({"label": "unsupported", "score": 0.2},)
    assert after.score_label == "unsupported"


def test_secrets_leave_the_name_and_the_resource_of_a_span() -> None:
    given = replace(span(), name=f"GET /{KEY}", resource={"process.command_args": ["--key", KEY]})
    after = redact_span(given, STORE)
    assert KEY not in repr(after)
    assert after.name.startswith("GET /[")


@pytest.mark.parametrize("policy", [HASH, DROP])
def test_secrets_leave_what_is_kept_where_no_text_is(policy: ContentPolicy) -> None:
    given = replace(span(), name=f"GET /{KEY}", resource={"process.command_args": ["--key", KEY]})
    after = redact_span(given, policy)
    assert KEY not in repr(after)
    assert str(after.attributes["url.full"]).startswith("https://x.test/?")
    attributes: JsonObject = {"url.full": f"https://x.test/?api_key={KEY}"}
    assert KEY not in repr(redact(replace(interaction(), attributes=attributes), policy))


def test_a_late_evaluation_tells_no_more_than_the_strictest_service_allows() -> None:
    policy = ContentPolicy(services=(ServiceRule("a-*", "hash"), ServiceRule("b-*", "store")))
    assert redact_evaluation(evaluation("quotes"), None, policy).explanation is None
    assert redact_evaluation(evaluation("quotes"), interaction(), policy).explanation == "quotes"


def test_an_evaluation_of_an_unknown_interaction_follows_the_default() -> None:
    assert redact_evaluation(evaluation("x"), None, DROP).explanation is None
    assert redact_evaluation(evaluation(f"x {MAIL}"), None, STORE).explanation is not None


def test_parts_keep_their_kind_and_names_under_hash() -> None:
    call: JsonObject = {"type": "tool_call", "id": "c", "name": "find", "arguments": {"who": MAIL}}
    given = replace(interaction(), output_messages=({"role": "assistant", "parts": [call]},))
    messages = redact(given, HASH).output_messages
    assert messages is not None
    parts = messages[0]["parts"]
    assert isinstance(parts, list)
    assert isinstance(parts[0], dict)
    assert (parts[0]["type"], parts[0]["name"]) == ("tool_call", "find")
    assert MAIL not in repr(parts)


def test_the_comment_of_a_label_is_kept_as_texts_are() -> None:
    said = Label("t", "s", "faithfulness", 0.0, LabelKind.HUMAN, "rita", 1.0, None, f"ask {MAIL}")
    kept = redact_label(said, interaction(), STORE)
    assert kept.comment is not None
    assert MAIL not in kept.comment
    assert len(kept.comment) == len(said.comment or "")
    assert redact_label(said, interaction(), DROP).comment is None
    assert redact_label(said, None, DROP).comment is None
    assert redact_label(replace(said, comment=None), None, STORE).value == said.value
