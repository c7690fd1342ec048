"""Slack's Web API and incoming webhooks as documented: limits of Block Kit, errors, message places.

https://docs.slack.dev/reference/block-kit/blocks, /reference/methods/chat.postMessage
"""

import re
from typing import Any

import orjson
from tests.receivers.http import Receiver, Reply, Request, json_reply

TOKEN = "xoxb-1234567890-abcdefghij"
CHANNEL = "C0123456789"
HOOK = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
_LINK = re.compile(r"<https?://[^<>|]+\|[^<>]+>")
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class SlackReceiver(Receiver):
    """One channel. ``posted`` are messages in order; a reply has a ``thread_ts``."""

    def __init__(
        self, *, scopes: frozenset[str] = frozenset({"chat:write", "channels:history"})
    ) -> None:
        super().__init__()
        self.posted: list[dict[str, Any]] = []
        self.updates = 0
        self.hooked: list[dict[str, Any]] = []
        self._scopes = scopes

    @property
    def api(self) -> str:
        return f"{self.url}/api"

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [message for message in self.posted if "thread_ts" not in message]

    def answer(self, request: Request) -> Reply:
        if request.path == HOOK:
            return self._hook(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return json_reply(ok=False, error="invalid_auth")
        match request.path.removeprefix("/api/"):
            case "chat.postMessage":
                return self._post(request.json)
            case "chat.update":
                return self._update(request.json)
            case "conversations.history" | "conversations.replies":
                return self._read(request)
        return json_reply(ok=False, error="unknown_method")

    def _post(self, message: dict[str, Any]) -> Reply:
        if message.get("channel") != CHANNEL:
            return json_reply(ok=False, error="channel_not_found")
        if error := message_fault(message):
            return json_reply(ok=False, error=error)
        ts = f"{1_790_000_000 + len(self.posted)}.{len(self.posted):06d}"
        self.posted.append({**message, "ts": ts})
        return json_reply(ok=True, channel=CHANNEL, ts=ts, message={})

    def _update(self, message: dict[str, Any]) -> Reply:
        if error := message_fault(message):
            return json_reply(ok=False, error=error)
        for known in self.posted:
            if known["ts"] == message.get("ts") and message.get("channel") == CHANNEL:
                known.update({k: message[k] for k in ("text", "blocks") if k in message})
                self.updates += 1
                return json_reply(ok=True, channel=CHANNEL, ts=known["ts"])
        return json_reply(ok=False, error="message_not_found")

    def _read(self, request: Request) -> Reply:
        if "channels:history" not in self._scopes:
            return json_reply(ok=False, error="missing_scope", needed="channels:history")
        if "urlencoded" not in request.headers["content-type"]:
            return json_reply(ok=False, error="invalid_arguments")
        asked = request.form
        thread = asked.get("ts")
        found = [
            message
            for message in self.posted
            if (message.get("thread_ts") == thread or message["ts"] == thread)
        ]
        if request.path.endswith("history"):
            oldest = float(asked.get("oldest", 0))
            found = [m for m in self.messages if float(m["ts"]) >= oldest]
        if asked.get("include_all_metadata") != "true":
            found = [{k: v for k, v in m.items() if k != "metadata"} for m in found]
        found.reverse()  # the newest first
        begin, size = int(asked.get("cursor", 0)), int(asked["limit"])
        end = begin + size if begin + size < len(found) else ""
        return json_reply(
            ok=True,
            messages=found[begin : begin + size],
            response_metadata={"next_cursor": str(end)},
        )

    def _hook(self, request: Request) -> Reply:
        message = request.json
        if message_fault(message):
            return Reply(400, b"invalid_payload")
        self.hooked.append(message)
        return Reply(200, b"ok")


def message_fault(message: dict[str, Any]) -> str | None:
    """Return the error that Slack would answer, None for a message that it takes."""
    if not message.get("text") and not message.get("blocks"):
        return "no_text"
    if not _is_escaped(message.get("text", "")):
        return "unescaped"
    if utf16(message.get("text", "")) > 4000:
        return "msg_too_long"
    blocks = message.get("blocks", [])
    if len(blocks) > 50 or any(_is_bad(block) for block in blocks):
        return "invalid_blocks"
    metadata = message.get("metadata")
    if metadata is not None and set(metadata) != {"event_type", "event_payload"}:
        return "invalid_metadata_format"
    return "metadata_too_large" if len(orjson.dumps(metadata)) > 16_000 else None


def _is_bad(block: dict[str, Any]) -> bool:
    text = block.get("text", {})
    match block["type"]:
        case "header":
            return text["type"] != "plain_text" or not 1 <= utf16(text["text"]) <= 150
        case "section":
            return (
                text["type"] != "mrkdwn"
                or not 1 <= utf16(text["text"]) <= 3000
                or not _is_escaped(text["text"])
            )
        case "context":
            return not 1 <= len(block["elements"]) <= 10 or not all(
                1 <= utf16(element["text"]) <= 3000 for element in block["elements"]
            )
    return True


def _is_escaped(text: str) -> bool:
    rest = _LINK.sub("", text)
    return "<" not in rest and ">" not in rest and not _ENTITY.search(rest)
