import pytest

from seakeeping.ingest.dialects.terms import (
    error_class_of,
    finish_reason_of,
    finish_reasons_of,
    http_status_in,
    http_status_named,
    operation_of,
    provider_in_model,
    provider_of,
)


@pytest.mark.parametrize(
    ("spelling", "provider"),
    [("OpenAI", "openai"), ("az.ai.openai", "azure.ai.openai"), ("Azure OpenAI", "azure.ai.openai"),
     ("vertex_ai", "gcp.vertex_ai"), ("google-vertex", "gcp.vertex_ai"), ("xai", "x_ai"),
     ("google.generative-ai", "gcp.gemini"), ("amazon-bedrock", "aws.bedrock"),
     ("anthropic.messages", "anthropic"), ("mistralai", "mistral_ai"), ("Ollama", "ollama"),
     ("my-own-gateway", "my-own-gateway"), ("langchain", None), ("strands-agents", None),
     ("", None), (None, None)],
)  # fmt: skip
def test_a_provider_has_one_spelling_and_a_framework_is_none(
    spelling: str | None, provider: str | None
) -> None:
    assert provider_of(spelling) == provider


@pytest.mark.parametrize(
    ("model", "provider"),
    [("gpt-4o", "openai"), ("o3", "openai"), ("o3-mini", "openai"), ("claude-opus-4", "anthropic"),
     ("us.anthropic.claude-3", "aws.bedrock"), ("amazon.nova-pro-v1:0", "aws.bedrock"),
     ("gemini-2.5-pro", "gcp.gemini"), ("azure/my-deployment", "azure.ai.openai"),
     ("groq/llama-3", "groq"), ("meta-llama/Llama-3-8B", None), ("llama3", None), ("opus", None),
     (None, None)],
)  # fmt: skip
def test_some_models_names_give_their_provider_away(
    model: str | None, provider: str | None
) -> None:
    assert provider_in_model(model) == provider


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [("end_turn", "stop"), ("STOP", "stop"), ("FinishReason.STOP", "stop"), ("tool_use", "tool"),
     ("tool-calls", "tool"), ("function_call", "tool"), ("MAX_TOKENS", "length"),
     ("FINISH_REASON_MAX_TOKENS", "length"), ("refusal", "filter"), ("SAFETY", "filter"),
     ("content-filter", "filter"), ("error", "error"), ("Strange", "strange")],
)  # fmt: skip
def test_a_finish_reason_has_one_spelling(spelling: str, reason: str) -> None:
    assert finish_reason_of(spelling) == reason


def test_blank_finish_reasons_are_left_out() -> None:
    assert finish_reasons_of(["stop", "", " "]) == ("stop",)


@pytest.mark.parametrize(
    ("spelling", "operation"),
    [("chat.completions", "chat"), ("Completion", "text_completion"), ("embedding", "embeddings"),
     ("vector_db_retrieve", "retrieval"), ("new_thing", "new_thing")],
)  # fmt: skip
def test_an_operation_has_one_spelling(spelling: str, operation: str) -> None:
    assert operation_of(spelling) == operation


@pytest.mark.parametrize(
    ("text", "status"),
    [("Error code: 429 - {'error': {}}", 429), ("status_code: 529, model_name: x", 529),
     ("HTTP 503", 503), ("HTTP/1.1 502 Bad Gateway", 502), ("429 Too Many Requests", 429),
     ("RESOURCE_EXHAUSTED", None), ("I counted 429 sheep", None), ("Error code: 42", None),
     ("Error code: 4291", None), ("", None)],
)  # fmt: skip
def test_a_status_is_found_in_a_message(text: str, status: int | None) -> None:
    assert http_status_in(text) == status


@pytest.mark.parametrize(
    ("raw", "status", "text", "name"),
    [("openai.RateLimitError", None, "", "rate_limit"), ("anthropic.OverloadedError", 529, "",
      "overloaded"), ("overloaded_error", None, "", "overloaded"), (None, 401, "", "auth"),
     ("AuthenticationError", None, "", "auth"), ("BadRequestError", 400, "", "invalid_request"),
     ("InternalServerError", None, "", "server"), ("_OTHER", 500, "", "server"), (None, 503, "",
      "overloaded"), (None, 504, "", "timeout"), ("httpx.ReadTimeout", None, "", "timeout"),
     ("openai.APIConnectionError", None, "", "client"), ("ValueError", None, "", "client"),
     (None, None, "", "server"), ("_OTHER", None, "", "server"), ("429", None, "", "rate_limit"),
     ("ThrottlingException", None, "", "rate_limit"), ("CancelledError", None, "", "client"),
     (None, None, "the request timed out", "timeout"), (None, 418, "", "invalid_request"),
     ("AI_APICallError", None, "it broke", "server"), ("AI_APICallError", None, "Rate limit",
      "rate_limit"), ("InternalServerError", 500, '{"type": "overloaded_error"}', "overloaded"),
     ("StopIteration", 200, "", "client"), ("ContextWindowExceededError", None, "",
      "invalid_request")],
)  # fmt: skip
def test_an_error_has_a_class(raw: str | None, status: int | None, text: str, name: str) -> None:
    assert error_class_of(raw, status, text) == name


@pytest.mark.parametrize(
    ("raw", "text", "status"),
    [
        ("litellm.exceptions.RateLimitError", "", 429),
        ("InternalServerError", "", 500),
        (None, '{"type": "overloaded_error"}', 529),
        ("APIError", "it broke", None),
        ("AI_APICallError", "Rate limit reached", 429),
    ],
)
def test_an_error_class_may_stand_for_one_status(
    raw: str | None, text: str, status: int | None
) -> None:
    assert http_status_named(raw, text) == status
