"""Tool definitions in one form, from the spellings of OpenAI, Anthropic, Bedrock and others."""

from seakeeping.ingest.dialects.parts import mapping_of
from seakeeping.ingest.dialects.values import parsed, text_of
from seakeeping.records import Json, JsonObject


def tools_of(value: Json) -> tuple[JsonObject, ...] | None:
    """Return tools as ``{"type", "name", "description", "parameters"}``, None if there are none."""
    found = parsed(value)
    if isinstance(found, dict):
        found = list(found.values()) if "name" not in found and "function" not in found else [found]
    if not isinstance(found, (list, tuple)):
        return None
    return tuple(_tool(item) for item in map(parsed, found) if isinstance(item, dict)) or None


def _tool(item: JsonObject) -> JsonObject:
    inner = mapping_of(item.get("function")) or mapping_of(item.get("toolSpec")) or item
    tool: dict[str, Json] = {
        "type": text_of(item.get("type")) or "function",
        "name": text_of(inner.get("name")),
    }
    description = text_of(inner.get("description"))
    if description:
        tool["description"] = description
    for name in ("parameters", "input_schema", "inputSchema", "parameters_json_schema"):
        schema = parsed(inner.get(name))
        if isinstance(schema, dict):
            tool["parameters"] = schema.get("json", schema) if name == "inputSchema" else schema
            break
    return tool
