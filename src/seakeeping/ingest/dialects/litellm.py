"""LiteLLM's ``raw_gen_ai_request``: the provider's own answer, below the gateway's span of a call.

Its keys are those of the request and the answer under ``llm.<provider>.``, nested values spelled as
Python. The gateway's span says most, but makes up response ids, drops those of tool calls and does
not tell cached tokens. What it counts is complete, while raw counts differ by provider.
"""

import base64
import binascii

from seakeeping.ingest.dialects.facts import Facts, Step
from seakeeping.ingest.dialects.responses import response_of
from seakeeping.ingest.dialects.usage import Usage, usage_of
from seakeeping.ingest.dialects.values import parsed, words
from seakeeping.records import Json, Span

NAME = "litellm"

_PROVIDERS = words("""
openai azure anthropic bedrock vertex_ai gemini groq mistral deepseek cohere openrouter together_ai
fireworks_ai perplexity xai ollama ollama_chat hosted_vllm watsonx databricks huggingface azure_ai
""")

MARKERS = tuple(f"llm.{provider}.messages" for provider in _PROVIDERS)

CONTENT_HINT = "litellm.turn_off_message_logging = False"

_PACKED = "litellm:"


def read(span: Span) -> Facts | None:
    """Return what the provider's answer tells; None where there is none on the span."""
    marker = next((key for key in MARKERS if key in span.attributes), None)
    if marker is None:
        return None
    prefix = marker.removesuffix("messages")
    told: dict[str, Json] = {
        key[len(prefix) :]: _opened(value)
        for key, value in span.attributes.items()
        if key.startswith(prefix) and key != marker and value != ""
    }
    answered = {k: v for k, v in told.items() if k not in ("system", "tools", "input")}
    response = response_of(answered) if "id" in told else response_of(None)
    counts = usage_of(told.get("usage"))
    return Facts(
        NAME,
        Step.MODEL,
        "chat",
        wire_id=response.response_id,
        response_model=response.model,
        output_messages=response.messages,
        finish_reasons=response.finish_reasons,
        usage=Usage(cache_read=counts.cache_read, reasoning=counts.reasoning),
    )


def _opened(value: Json) -> Json:
    found = parsed(value)
    return value if found is None else found


def own_id(response_id: str | None) -> str | None:
    """Return the provider's id of a response that the gateway packed into one of its own."""
    if response_id is None or not response_id.startswith("resp_"):
        return response_id
    packed = response_id[5:]
    try:
        text = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return response_id
    _, mark, inner = text.rpartition("response_id:")
    return inner if mark and inner and text.startswith(_PACKED) else response_id
