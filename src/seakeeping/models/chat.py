"""One question to an OpenAI-compatible endpoint (``POST /v1/chat/completions``), and its answer.

No SDK: one JSON body each way. What fails says whether to try again. The key stands in the header
alone; it is taken from the environment when the call is made and is in no message of ours.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import urllib3

from seakeeping.errors import SeakeepingError

TIMEOUT_S = 60.0
MOST_BYTES = 4 * 2**20
"""A longer answer is refused: nobody judges with a novel."""

_TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class ModelFailed(SeakeepingError):
    """A model endpoint did not answer as it should; ``is_passing`` where trying again may help."""

    code = "model_failed"

    def __init__(self, message: str, *, is_passing: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.is_passing = is_passing


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """What a model said, and the tokens it counted (None where it did not say)."""

    text: str
    input_tokens: int | None
    output_tokens: int | None


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """An endpoint and a model of it.

    ``url`` is the base address, with or without ``/v1``. ``key_env`` names the environment variable
    of the key, None where none is needed.
    """

    url: str
    model: str
    key_env: str | None = None
    timeout_s: float = TIMEOUT_S
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=2, retries=False),
        compare=False, repr=False,
    )  # fmt: skip

    @property
    def address(self) -> str:
        """Where the question is posted."""
        base = self.url.rstrip("/")
        return f"{base}/chat/completions" if base.endswith("/v1") else f"{base}/v1/chat/completions"

    def ask(self, messages: Sequence[Mapping[str, str]], *, max_tokens: int = 300) -> ChatAnswer:
        """Return the answer at temperature 0. Raises ModelFailed."""
        body = {
            "model": self.model, "messages": list(messages), "temperature": 0,
            "max_tokens": max_tokens,
        }  # fmt: skip
        try:
            response = self._pool.request(
                "POST", self.address, body=json.dumps(body).encode(), headers=self._headers(),
                timeout=self.timeout_s, redirect=False, preload_content=False,
            )  # fmt: skip
            try:
                content = response.read(MOST_BYTES + 1, decode_content=True)
            finally:
                response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ModelFailed(
                f"{self.url} does not answer: {type(error).__name__}", is_passing=True
            ) from error
        if response.status != 200:
            raise ModelFailed(
                f"{self.url} answered {response.status}",
                is_passing=response.status in _TRY_AGAIN,
                hint="is the key right, and the model's name?" if response.status < 500 else "",
            )
        return _answer(content, self.url)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.key_env is not None:
            key = os.environ.get(self.key_env)
            if not key:
                raise ModelFailed(
                    f"the environment has no {self.key_env}", is_passing=False,
                    hint="set it to the key of the endpoint",
                )  # fmt: skip
            headers["Authorization"] = f"Bearer {key}"
        return headers


def _answer(content: bytes, url: str) -> ChatAnswer:
    if len(content) > MOST_BYTES:
        raise ModelFailed(f"{url} answered with more than {MOST_BYTES} bytes", is_passing=False)
    try:
        body = json.loads(content)
        text = body["choices"][0]["message"]["content"]
        usage = body.get("usage") or {}
        if not isinstance(text, str):
            raise TypeError("content")
        return ChatAnswer(
            text, _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens")
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelFailed(
            f"{url} answered with something else than a chat completion", is_passing=False
        ) from error


def _tokens(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and value >= 0 else None
