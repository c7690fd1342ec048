"""Which attributes hold content, and which an interaction already has as a field.

No text is stored twice: what the interaction holds in normal form leaves the span's attributes.
Canonical fields leave only the interaction's own ``attributes``; everything unknown stays in both.
"""

from enum import IntEnum
from functools import lru_cache

from seakeeping.ingest.dialects.values import words


class Place(IntEnum):
    """Where an attribute's value is kept."""

    REST = 0
    FIELD = 1
    INPUT = 2
    OUTPUT = 3
    TOOLS = 4
    DOCUMENTS = 5
    GROUP = 6


_INPUT = frozenset(
    words("""
gen_ai.input.messages gen_ai.system_instructions gen_ai.prompt input.value
langfuse.observation.input mlflow.spanInputs ai.prompt ai.prompt.messages ai.prompt.format
traceloop.entity.input gen_ai.task.input
gen_ai.request.messages gen_ai.request.instructions langsmith.inputs request_data
""")
)
_OUTPUT = frozenset(
    words("""
gen_ai.output.messages gen_ai.completion output.value langfuse.observation.output
mlflow.spanOutputs ai.response.text ai.response.object ai.response.toolCalls
ai.response.reasoning ai.response.files ai.result.text ai.result.object ai.result.toolCalls
traceloop.entity.output gen_ai.task.output response_data langsmith.outputs
""")
)
_TOOLS = frozenset(
    ("gen_ai.tool.definitions", "gen_ai.request.tools", "ai.prompt.tools", "mlflow.chat.tools")
)
_FIELDS = frozenset(
    words("""
gen_ai.operation.name gen_ai.request.model gen_ai.response.model gen_ai.response.id
gen_ai.conversation.id gen_ai.usage.input_tokens gen_ai.usage.output_tokens
gen_ai.usage.prompt_tokens gen_ai.usage.completion_tokens gen_ai.usage.cache_read.input_tokens
gen_ai.usage.cache_read_input_tokens gen_ai.usage.reasoning.output_tokens
gen_ai.usage.reasoning_tokens gen_ai.response.time_to_first_chunk gen_ai.request.stream
gen_ai.is_streaming llm.is_streaming user.id session.id gen_ai.prompt.name gen_ai.prompt.version
llm.token_count.prompt llm.token_count.completion llm.token_count.prompt_details.cache_read
llm.token_count.completion_details.reasoning llm.request.model_name llm.response.model_name
llm.cost.total operation.cost input.mime_type output.mime_type openinference.span.kind
langfuse.observation.type langfuse.observation.model.name langfuse.observation.prompt.name
langfuse.observation.prompt.version langfuse.environment langfuse.release logfire.json_schema
seakeeping.traffic seakeeping.tenant seakeeping.route seakeeping.region seakeeping.release
""")
)
_INPUT_LISTS = ("llm.input_messages.", "llm.prompts.", "llm.prompt.")
_OUTPUT_LISTS = ("llm.output_messages.", "llm.choices.", "gen_ai.completion.", "llm.completion.")
_TOOL_LISTS = ("llm.tools.", "llm.request.functions.")
GROUP_PREFIX = "seakeeping.group."


@lru_cache(maxsize=16384)
def place_of(key: str) -> Place:
    """Return where an attribute of a model call is kept."""
    if key in _FIELDS:
        return Place.FIELD
    if key in _INPUT or key.startswith(_INPUT_LISTS):
        return Place.INPUT
    if key in _OUTPUT or key.startswith(_OUTPUT_LISTS):
        return Place.OUTPUT
    if key == "gen_ai.retrieval.documents" or key.startswith("retrieval.documents."):
        return Place.DOCUMENTS
    if key in _TOOLS or key.startswith(_TOOL_LISTS):
        return Place.TOOLS
    if key.startswith("gen_ai.prompt.") and key[14:15].isdigit():
        return Place.INPUT
    return Place.GROUP if key.startswith(GROUP_PREFIX) else Place.REST
