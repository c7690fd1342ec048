"""One spelling for each provider, finish reason, operation and error class.

Emitters name the same thing in many ways (``az.ai.openai``, ``OpenAI``, ``google_vertexai``); an
SLI that groups by provider or error needs one. The OpenTelemetry spelling rules; the raw one stays
in the interaction's attributes. A framework (LangChain, Strands) is not a provider.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from seakeeping.ingest.dialects.values import words
from seakeeping.records import FinishReason


def _spellings(table: str) -> Mapping[str, str]:
    """Return ``spelling -> name`` of a table with lines ``name: spelling spelling ...``."""
    lines = (line.partition(":") for line in table.strip().splitlines())
    return MappingProxyType(
        {spelling: name.strip() for name, _, rest in lines for spelling in rest.split()}
    )


_PROVIDER_SPELLINGS = _spellings("""
openai: openai openai.chat openai.responses openai.completion openai-chat open_ai openai_responses
azure.ai.openai: azure.ai.openai az.ai.openai azure azure_openai azure-openai azureopenai
azure.ai.openai: azure.openai
azure.ai.openai: azure-openai.chat azure.chat azure-openai.responses azure_ai_openai
azure.ai.inference: azure.ai.inference az.ai.inference azure_ai azure_ai_inference azure-ai
anthropic: anthropic anthropic.messages anthropic-messages claude
aws.bedrock: aws.bedrock bedrock aws aws_bedrock amazon_bedrock amazon-bedrock bedrock_converse
aws.bedrock: bedrock_runtime aws-bedrock amazon aws.bedrock-runtime
gcp.vertex_ai: gcp.vertex_ai vertex_ai vertexai google_vertexai google-vertex vertex vertex-ai
gcp.vertex_ai: google.vertex.chat google-vertexai google_vertex google.vertex vertex_ai_beta
gcp.gemini: gcp.gemini gemini google_genai google-gla google.generative-ai google-generativeai
gcp.gemini: google_generativeai google-genai google_gla google.generativeai
gcp.gen_ai: gcp.gen_ai google gcp google_ai google-ai
mistral_ai: mistral_ai mistral mistralai mistral.chat mistral-ai
x_ai: x_ai xai xai.chat x.ai x-ai grok
cohere: cohere cohere.chat cohere_chat
deepseek: deepseek deepseek.chat deep_seek
groq: groq groq.chat
ibm.watsonx.ai: ibm.watsonx.ai watsonx watsonx.ai ibm ibm_watsonx ibm-watsonx-ai
moonshot_ai: moonshot_ai moonshot moonshotai kimi
perplexity: perplexity perplexity_ai pplx perplexity.chat
ollama: ollama chatollama ollama_chat ollama.chat
huggingface: huggingface hugging_face hugging-face huggingface_hub
together_ai: together_ai together togetherai together.ai together-ai
fireworks_ai: fireworks_ai fireworks fireworks-ai
openrouter: openrouter open_router
""")

_FRAMEWORKS = frozenset(
    words("""
langchain langchain-core langgraph langsmith strands strands-agents llamaindex llama_index
llama-index haystack crewai autogen ag2 agno pydantic_ai pydantic-ai semantic_kernel
semantic-kernel microsoft.semantic_kernel microsoft.agents microsoft.agent_framework
microsoft_agents agent_framework vercel vercel.ai ai-sdk traceloop langfuse litellm dspy
instructor mlflow google_adk gcp.vertex.agent openai_agents openai-agents guardrails smolagents
mastra unknown _other custom none
""")
)


def provider_of(spelling: str | None) -> str | None:
    """Return the provider in OpenTelemetry spelling; None for a framework or no name."""
    if not spelling:
        return None
    lowered = spelling.strip().lower().replace(" ", "_")
    if lowered in _FRAMEWORKS:
        return None
    return _PROVIDER_SPELLINGS.get(lowered, lowered or None)


_FAMILIES = re.compile(
    r"(?P<openai>gpt-|chatgpt-|o[134](?:-|$)|davinci)|(?P<anthropic>claude-)|(?P<gcp_gemini>gemini-)"
    r"|(?P<x_ai>grok-)|(?P<deepseek>deepseek-)|(?P<cohere>command-)"
    r"|(?P<aws_bedrock>(?:(?:us|eu|apac|global|us-gov)\.)?"
    r"(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen)\.[a-z])"
)
_DOTTED = {"gcp_gemini": "gcp.gemini", "aws_bedrock": "aws.bedrock"}


def provider_in_model(model: str | None) -> str | None:
    """Return the provider that a model's name gives away, None where it may be anybody's.

    Routers write ``vendor/model``, Bedrock ``region.vendor.model``; some families have one vendor.
    """
    if model is None:
        return None
    vendor, slash, _ = model.lower().partition("/")
    if slash:
        return _PROVIDER_SPELLINGS.get(vendor)
    found = _FAMILIES.match(model.lower())
    name = found.lastgroup if found is not None else None
    return _DOTTED.get(name, name) if name is not None else None


_FINISH_SPELLINGS = _spellings(f"""
{FinishReason.STOP}: stop end_turn stop_sequence eos eos_token end complete completed finish
{FinishReason.STOP}: finished done pause_turn stopsequence endturn
{FinishReason.TOOL}: tool tool_calls tool_call tool_use function_call tool-calls tooluse
{FinishReason.TOOL}: function_calls
{FinishReason.LENGTH}: length max_tokens max_output_tokens model_length maxtokens incomplete
{FinishReason.LENGTH}: model_context_window_exceeded max_completion_tokens truncated
{FinishReason.FILTER}: filter content_filter content-filter refusal safety recitation blocklist
{FinishReason.FILTER}: prohibited_content spii content_filtered guardrail_intervened language
{FinishReason.FILTER}: image_safety guardrail blocked
{FinishReason.ERROR}: error failed error_toxic malformed_function_call cancelled
{FinishReason.ERROR}: unexpected_tool_call
""")


def finish_reason_of(spelling: str) -> str:
    """Return the normal form (stop, tool, length, filter, error); an unknown one in lower case."""
    lowered = spelling.strip().lower()
    lowered = lowered.removeprefix("finish_reason_").removeprefix("finishreason.")
    return _FINISH_SPELLINGS.get(lowered, lowered)


def finish_reasons_of(spellings: Iterable[str]) -> tuple[str, ...]:
    """Return the normal forms in order."""
    return tuple(finish_reason_of(s) for s in spellings if s and s.strip())


_OPERATION_SPELLINGS = _spellings("""
text_completion: completion completions text-completion
chat: chat_completion chat.completions message messages responses response llm llm_request
chat: inference converse
embeddings: embedding embed
retrieval: vector_db_retrieve retrieve search
execute_tool: tool
invoke_agent: agent
invoke_workflow: execute_task workflow chain
""")


def operation_of(spelling: str) -> str:
    """Return the OpenTelemetry name of an operation; an unknown one in lower case."""
    lowered = spelling.strip().lower()
    return _OPERATION_SPELLINGS.get(lowered, lowered)


_DATE = re.compile(r"-20\d\d-\d\d-\d\d$")


def undated(model: str) -> str:
    """Return the model that was asked for, where only the dated one that answered is told."""
    return _DATE.sub("", model)


_STATUS_TEXT = re.compile(
    r"(?:error code|status[_ ]?code|http status|http|status)\D{0,3}\b([45]\d\d)\b"
    r"|\b([45]\d\d)\s+(?:too many|internal|bad|service|gateway|unauthor|forbidden|not found|"
    r"client error|server error|overloaded|resource_exhausted|unavailable|request)",
    re.IGNORECASE,
)
_STATUS_CLASSES: Mapping[int, str] = MappingProxyType(
    {
        401: "auth",
        402: "auth",
        403: "auth",
        407: "auth",
        408: "timeout",
        429: "rate_limit",
        499: "client",
        504: "timeout",
        529: "overloaded",
    }
)
_CLASSES_OF_WORDS = _spellings("""
rate_limit: ratelimit throttl toomanyrequests resourceexhausted quota
overloaded: overloaded serviceunavailable modelnotready unavailable
timeout: timeout timedout deadlineexceeded
auth: authentication permissiondenied unauthorized forbidden accessdenied apikey
invalid_request: badrequest invalidrequest unprocessable notfound validationexception
invalid_request: invalidargument contextwindow contextlength contentpolicy requesttoolarge
invalid_request: conflicterror badformat
server: internalserver servererror apierror badgateway apistatus internalerror internalfailure
client: connection cancel keyboardinterrupt abort client
""")


_API_ERROR = re.compile(r"api_?(?:call|status|response)?_?error$", re.IGNORECASE)


def http_status_in(text: str) -> int | None:
    """Return the HTTP error status that a message such as ``Error code: 429 - {...}`` names."""
    found = _STATUS_TEXT.search(text)
    return int(found.group(1) or found.group(2)) if found else None


_STATUS_NAMES: Mapping[str, int] = MappingProxyType(
    {
        "ratelimiterror": 429,
        "authenticationerror": 401,
        "permissiondeniederror": 403,
        "internalservererror": 500,
        "overloaded_error": 529,
        "rate_limit_error": 429,
    }
)


def http_status_named(raw: str | None, text: str) -> int | None:
    """Return the HTTP status that an SDK's error class stands for, None where it has several."""
    told = f"{raw or ''} {text}".lower()
    found = next((status for name, status in _STATUS_NAMES.items() if name in told), None)
    is_limit = found is None and error_class_of(raw, None, text) == "rate_limit"
    return 429 if is_limit else found


def error_class_of(raw: str | None, status: int | None, text: str) -> str:
    """Return the class of an error from its HTTP status, its raw type, or its text.

    One of rate_limit, overloaded, timeout, auth, invalid_request, server, client. The status says
    most; 503 is overloaded. What has neither a status nor a telling name failed on our side of the
    wire when an exception is named (client), else on theirs (server).
    """
    if status is not None and status >= 400:
        is_hidden = status == 500 and "overloaded_error" in text
        return "overloaded" if is_hidden else _class_of_status(status)
    for told in (raw or "", text):
        found = _class_of_words(told)
        if found is not None:
            return found
    if raw and _API_ERROR.search(raw):
        return "server"
    return "client" if raw and raw not in ("_OTHER", "error") else "server"


def _class_of_status(status: int) -> str:
    known = _STATUS_CLASSES.get(status)
    if known is not None:
        return known
    if status == 503:
        return "overloaded"
    return "invalid_request" if status < 500 else "server"


def _class_of_words(told: str) -> str | None:
    if told.isdigit() and 400 <= int(told) <= 599:
        return _class_of_status(int(told))
    squeezed = re.sub(r"[^a-z]", "", told[:2000].lower())
    return next((name for word, name in _CLASSES_OF_WORDS.items() if word in squeezed), None)
