"""How commands talk to a running server: standard library only, retrying as the server asks."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from seakeeping.errors import BadInput, NotFound, Refused, SeakeepingError, Unavailable

_RETRYABLE = (429, 502, 503, 504)
_LONGEST_PAUSE_S = 5.0
_MOST_TOLD = 20_000

TRANSFER_S = 60.0
"""Patience of a command that carries much, in seconds."""


@dataclass(frozen=True, slots=True)
class Client:
    """A server, and how long to try.

    Args:
        endpoint: e.g. ``http://127.0.0.1:4318``.
        key: API key, if the server wants one.
        patience_s: how long to go on while the server cannot be reached, or asks to come back
            later; a person waits at most a few seconds, a transfer longer.
        sleep: the pause between tries.
    """

    endpoint: str
    key: str | None = None
    patience_s: float = 5.0
    sleep: Callable[[float], None] = time.sleep

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Send a body and return the answer's; tries again while the server says so.

        Raises:
            BadInput: the server refused the body (HTTP 4xx).
            Refused: a key is missing or lacks the scope.
            Unavailable: the server cannot be reached or stayed busy for too long.
        """
        return self._tried(lambda: self._once("POST", path, body, headers))

    def get(self, path: str) -> bytes:
        """Return what is at a path; raises as ``post`` does, and NotFound."""
        return self._tried(lambda: self._once("GET", path, None, {}))

    def get_json(self, path: str) -> Any:
        """Return the JSON at a path; raises as ``get`` does."""
        return json.loads(self.get(path))

    def _tried(self, call: Callable[[], bytes]) -> bytes:
        deadline = time.monotonic() + self.patience_s
        while True:
            try:
                return call()
            except Unavailable as error:
                if time.monotonic() + error.retry_after_s > deadline:
                    raise
                self.sleep(min(error.retry_after_s, _LONGEST_PAUSE_S))

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> bytes:
        request = urllib.request.Request(
            self.endpoint.rstrip("/") + path, data=body, headers=dict(headers), method=method
        )
        if self.key:
            request.add_header("Authorization", f"Bearer {self.key}")
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            with error:
                raise _failure(error) from error
        except OSError as error:
            raise Unavailable(
                f"{self.endpoint} cannot be reached: {error}", hint="is `seakeeping up` running?"
            ) from error


def _failure(error: urllib.error.HTTPError) -> SeakeepingError:
    told, hint = _told(error)
    if error.code in _RETRYABLE:
        return Unavailable(told, retry_after_s=_retry_after_s(error), hint=hint)
    if error.code in (401, 403):
        return Refused(told, status=error.code, hint="pass --key" if error.code == 401 else hint)
    if error.code == 404:
        return NotFound(told, hint=hint)
    return BadInput(told, hint=hint)


def _told(error: urllib.error.HTTPError) -> tuple[str, str]:
    """Return what the server says went wrong and what to do, however it says it."""
    text = error.read(_MOST_TOLD).decode(errors="replace")
    try:
        problem = json.loads(text)["error"]
        return f"the server says: {problem['message']}", problem["hint"]
    except (ValueError, KeyError, TypeError):  # a proxy between, or no server of ours
        return f"the server refused it with HTTP {error.code}: {text}", ""


def _retry_after_s(error: urllib.error.HTTPError) -> float:
    try:
        return max(0.1, float(error.headers.get("Retry-After", "1")))
    except ValueError:  # a date; none of our servers sends one
        return 1.0
