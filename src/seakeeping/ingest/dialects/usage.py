"""Token counts from any provider's usage object, in OpenTelemetry's sense.

There, ``input_tokens`` include cached and ``output_tokens`` include reasoning ones. On the wire
Anthropic's and Langfuse's input leaves the cached tokens out, and Gemini's output leaves the
thoughts out. Where a total is given it decides which it was; otherwise a part that exceeds the
whole does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seakeeping.ingest.dialects.values import count_of, dig, words
from seakeeping.records import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; None where not told."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    total: int | None = None

    @property
    def is_empty(self) -> bool:
        """Say whether nothing was told."""
        return self.input is None and self.output is None and self.total is None

    def completed(self, other: "Usage") -> "Usage":
        """Return this with what only ``other`` tells."""
        if other is NO_USAGE or self is other:
            return self
        return Usage(
            other.input if self.input is None else self.input,
            other.output if self.output is None else self.output,
            other.cache_read if self.cache_read is None else self.cache_read,
            other.cache_write if self.cache_write is None else self.cache_write,
            other.reasoning if self.reasoning is None else self.reasoning,
            other.total if self.total is None else self.total,
        )


NO_USAGE = Usage()

_INPUT = words("""
input_tokens prompt_tokens inputTokens promptTokens prompt_token_count promptTokenCount
input_token_count input prompt_eval_count inputTokenCount
""")
_OUTPUT = words("""
output_tokens completion_tokens outputTokens completionTokens candidates_token_count
candidatesTokenCount generated_token_count output eval_count outputTokenCount
""")
_TOTAL = ["total_tokens", "totalTokens", "total_token_count", "totalTokenCount", "total"]
_CACHE_READ = words("""
cache_read_input_tokens cache_read_tokens cacheReadInputTokens cacheReadInputTokenCount
input_cache_read cached_content_token_count cachedContentTokenCount cachedInputTokens
cached_tokens input_cached_tokens input_cached
""")
_CACHE_WRITE = words("""
cache_creation_input_tokens cache_write_input_tokens cache_write_tokens cacheWriteInputTokens
input_cache_creation input_cache_write
""")
_REASONING = words("""
reasoning_tokens reasoningTokens thoughts_token_count thoughtsTokenCount output_reasoning
output_reasoning_tokens
""")
_INPUT_DETAILS = words("""
prompt_tokens_details input_tokens_details input_token_details inputTokenDetails
inputTokensDetails
""")
_OUTPUT_DETAILS = words("""
completion_tokens_details output_tokens_details output_token_details outputTokenDetails
outputTokensDetails
""")
_READ_IN_DETAILS = ["cached_tokens", "cache_read", "cacheReadTokens"]
_WRITTEN_IN_DETAILS = ["cache_creation", "cache_write_tokens", "cache_write"]
_REASONING_IN_DETAILS = ["reasoning_tokens", "reasoning", "reasoningTokens"]


def usage_of(value: Json) -> Usage:
    """Return the tokens that a usage object of any provider tells."""
    if not isinstance(value, dict):
        return NO_USAGE
    return whole_usage(
        Usage(
            input=_count(value, _INPUT),
            output=_count(value, _OUTPUT),
            cache_read=_part(value, _CACHE_READ, _INPUT_DETAILS, _READ_IN_DETAILS),
            cache_write=_part(value, _CACHE_WRITE, _INPUT_DETAILS, _WRITTEN_IN_DETAILS),
            reasoning=_part(value, _REASONING, _OUTPUT_DETAILS, _REASONING_IN_DETAILS),
            total=_count(value, _TOTAL),
        )
    )


def _count(value: JsonObject, names: Sequence[str]) -> int | None:
    for name in names:
        if name in value:
            found = count_of(value[name])
            if found is not None:
                return found
    return None


def _part(
    value: JsonObject, names: Sequence[str], holders: Sequence[str], inner: Sequence[str]
) -> int | None:
    found = _count(value, names)
    if found is not None:
        return found
    for holder in holders:
        details = dig(value, holder)
        if isinstance(details, dict):
            return _count(details, inner)
    return None


def whole_usage(told: Usage) -> Usage:
    """Return the usage with cached tokens within the input and reasoning ones within the output."""
    cached = (told.cache_read or 0) + (told.cache_write or 0)
    reasoning = told.reasoning or 0
    tokens_in, tokens_out = told.input, told.output
    if tokens_in is None or (not cached and not reasoning):
        return told
    adds_cached = cached > tokens_in
    adds_reasoning = tokens_out is not None and reasoning > tokens_out
    if told.total is not None and tokens_out is not None:
        missing = told.total - tokens_in - tokens_out
        adds_cached = cached > 0 and missing in (cached, cached + reasoning)
        adds_reasoning = reasoning > 0 and missing in (reasoning, cached + reasoning)
        if adds_cached and adds_reasoning and missing != cached + reasoning:
            adds_reasoning = False
    return Usage(
        tokens_in + cached if adds_cached else tokens_in,
        tokens_out + reasoning if adds_reasoning and tokens_out is not None else tokens_out,
        told.cache_read,
        told.cache_write,
        told.reasoning,
        told.total,
    )
