"""Slack: one living message a group of alerts, posted once and then brought up to date.

With a bot token (scope ``chat:write``) the first message of a group is posted and each later one
changes it, so a channel shows one message a problem with where it stands; a reminder is also said
in its thread and to the channel. Slack has no key for repeated posts, so the key stands in the
message's metadata: when an earlier attempt may have arrived, the channel is searched for it first
(``channels:history``; ``channel`` must be the channel's id for that). With an incoming webhook's
address each message stands alone.

Limits (https://docs.slack.dev/reference/block-kit/blocks): 50 blocks, header 150 characters,
section 3000; a message a second and channel.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from seakeeping.decide.notify.blocks import fallback, message_blocks
from seakeeping.decide.notify.exchange import LIMIT_BYTES, Answer, accepted, post, retry_after
from seakeeping.decide.notify.failures import DeliveryFailed, Undeliverable
from seakeeping.decide.notify.secrets import is_address, secret_of
from seakeeping.decide.notify.sender import Envelope, Surroundings
from seakeeping.decide.notify.wording import change_line
from seakeeping.metrics import ERRORS
from seakeeping.records import JsonObject, NotificationTarget

URL = "https://slack.com/api"
_EVENT = "seakeeping_notification"

_FINAL = frozenset({
    "invalid_arguments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long",
    "msg_too_long", "no_text", "too_many_attachments", "invalid_metadata_format",
    "invalid_metadata_schema", "metadata_too_large",
})  # fmt: skip
"""What Slack says of the message itself; all else is about the token, the channel or the day."""

_FORMS = frozenset({"conversations.history", "conversations.replies"})
"""Methods that read: they take forms only."""

_NO_LOOK = frozenset(
    {"missing_scope", "channel_not_found", "not_in_channel", "not_allowed_token_type"}
)
"""Why a channel cannot be searched, however often one asks."""

_PAGE = 100
_MOST_PAGES = 5
_LARGEST_PAGE = 8 * 2**20

_GONE = frozenset({
    "message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found",
})  # fmt: skip
"""The message that was to be changed is no more: a new one takes its place."""


class SlackRefused(DeliveryFailed):
    """Slack answered with an ``error``."""

    def __init__(self, method: str, error: str, retry_after_s: float = 0.0) -> None:
        super().__init__(f"Slack answers {method} with {error}", retry_after_s=retry_after_s)
        self.error = error


class Slack:
    """Speaks to one channel.

    ``secret_env`` holds a bot token (then the option ``channel`` is needed), or the address of an
    incoming webhook. Options: ``channel``, ``ca_file``.
    """

    def __init__(self, target: NotificationTarget, surroundings: Surroundings) -> None:
        self._target = target
        self._with = surroundings

    def send(self, envelope: Envelope) -> JsonObject:
        """Post or change the message. Raises as ``Sender`` says."""
        secret = secret_of(self._target, self._with.environ)
        if secret is None:
            raise DeliveryFailed(f"the target {self._target.name} names no secret_env")
        content = self._content(envelope)
        if is_address(secret):
            self._answer(secret, content, {})
            return {}
        return self._live(envelope, secret, content)

    def _content(self, envelope: Envelope) -> dict[str, Any]:
        notification = envelope.notification
        if notification.change is not None:
            return {"text": fallback(change_line(notification.change))}
        return {
            "text": fallback(notification),
            "blocks": message_blocks(notification, self._with.external_url),
        }

    def _live(self, envelope: Envelope, token: str, content: Mapping[str, Any]) -> JsonObject:
        channel = self._target.options.get("channel")
        if not channel:
            raise DeliveryFailed(f"the target {self._target.name} has no option channel")
        place = self._place_of(envelope, token, channel)
        if place is not None and not self._update(token, place, content):
            place = None
        if place is None:
            place = self._post(token, {"channel": channel, **content, **_marked(envelope.key)})
        if envelope.notification.reason == "repeat":
            self._remind(envelope, token, place)
        is_closed = envelope.notification.status == "resolved"
        return {**place, "is_closed": is_closed}

    def _place_of(self, envelope: Envelope, token: str, channel: str) -> dict[str, str] | None:
        """Return where the living message is, None where a new one is to be begun."""
        last = envelope.receipt
        if last and last.get("ts") and not last.get("is_closed"):
            return {"channel": str(last["channel"]), "ts": str(last["ts"])}
        if envelope.attempt == 1:
            return None
        oldest = f"{envelope.notification.at - 60:.6f}"
        asked = {"channel": channel, "oldest": oldest}
        ts = self._found(token, "conversations.history", asked, envelope.key)
        return None if ts is None else {"channel": channel, "ts": ts}

    def _found(self, token: str, method: str, asked: Mapping[str, Any], key: str) -> str | None:
        """Return the place of the message that bears a key, None where nobody can say."""
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = {**asked, "limit": _PAGE, "include_all_metadata": "true"}
            try:
                answer = self._call(token, method, page | ({"cursor": cursor} if cursor else {}))
            except SlackRefused as error:
                if error.error in _NO_LOOK:  # rather said twice than not at all
                    ERRORS.labels("slack", "SlackRefused").inc()
                    return None
                raise
            if (ts := _bearing(key, answer.get("messages"))) is not None:
                return ts
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None
        return None

    def _update(self, token: str, place: Mapping[str, str], content: Mapping[str, Any]) -> bool:
        try:
            self._call(token, "chat.update", {**place, **content})
        except SlackRefused as error:
            if error.error in _GONE:
                return False
            raise
        return True

    def _post(self, token: str, content: Mapping[str, Any]) -> dict[str, str]:
        answer = self._call(token, "chat.postMessage", content)
        if not answer.get("ts") or not answer.get("channel"):
            raise DeliveryFailed("Slack's answer says not where the message is")
        return {"channel": str(answer["channel"]), "ts": str(answer["ts"])}

    def _remind(self, envelope: Envelope, token: str, place: Mapping[str, str]) -> None:
        was_tried = envelope.attempt > 1
        if was_tried and self._found(token, "conversations.replies", place, envelope.key):
            return
        reply = {
            "channel": place["channel"],
            "thread_ts": place["ts"],
            "reply_broadcast": True,
            "text": fallback(envelope.notification),
        }
        self._post(token, {**reply, **_marked(envelope.key)})

    def _call(self, token: str, method: str, content: Mapping[str, Any]) -> dict[str, Any]:
        url = f"{(self._target.url or URL).rstrip('/')}/{method}"
        headers = {"Authorization": f"Bearer {token}"}
        if method in _FORMS:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self._answer(url, content, headers)
        try:
            found = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise DeliveryFailed(f"Slack's answer to {method} is no JSON") from None
        if isinstance(found, dict) and found.get("ok") is True:
            return found
        error = str(found.get("error")) if isinstance(found, dict) else "no object"
        if error in _FINAL:
            raise Undeliverable(f"Slack answers {method} with {error}")
        pause = retry_after(answer.headers, self._with.clock.now())
        raise SlackRefused(method, error[:100], pause)

    def _answer(self, url: str, content: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        sent = {"Content-Type": "application/json; charset=utf-8", **headers}
        is_form = "form" in sent["Content-Type"]
        answer = post(
            url,
            urlencode(content).encode() if is_form else orjson.dumps(content),
            sent,
            timeout_s=self._with.timeout_s,
            ca_file=self._target.options.get("ca_file"),
            limit_bytes=_LARGEST_PAGE if is_form else LIMIT_BYTES,
        )
        return accepted(answer, now=self._with.clock.now())


def _bearing(key: str, messages: object) -> str | None:
    """Return the place of the message whose metadata hold a key."""
    for message in messages if isinstance(messages, list) else []:
        metadata = message.get("metadata") or {}
        if (metadata.get("event_payload") or {}).get("key") == key:
            return str(message.get("ts"))
    return None


def _marked(key: str) -> dict[str, Any]:
    return {"metadata": {"event_type": _EVENT, "event_payload": {"key": key}}}
