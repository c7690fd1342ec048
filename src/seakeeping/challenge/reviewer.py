"""The demo's reviewer: labels what the queue asks for, with what people really said.

The demo's answers come with human judgements. Whoever looks at the demo should see how a few dozen
labels turn a detector's rate into an estimate, so a reviewer goes through the queue as a person
would, through the same API, and says of each answer what people said of it.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from seakeeping import metrics
from seakeeping.challenge.answers import LabelledAnswer

AUTHOR = "demo reviewer"
_TIMEOUT_S = 8.0
_PATH = "/api/labels/queue?name=faithfulness&limit={limit}"


class Reviewer:
    """Labels answers of the demo through the API.

    Args:
        endpoint: the server's base URL.
        key: a key with the scopes read and act, where the server wants one.
        answers: what people said, by the answer's text.
    """

    def __init__(self, endpoint: str, key: str | None, answers: Iterable[LabelledAnswer]) -> None:
        self._endpoint = endpoint
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._truth = {one.text: one.is_faithful for one in answers}

    def review(self, limit: int) -> int:
        """Label at most ``limit`` answers of the queue; return how many.

        A server that is away or busy is asked another time, and counted.
        """
        try:
            waiting = self._get(_PATH.format(limit=limit))["items"]
            return sum(self._label(one["trace_id"], one["span_id"]) for one in waiting)
        except (OSError, ValueError, KeyError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            metrics.ERRORS.labels("challenge.reviewer", type(error).__name__).inc()
            return 0

    def _label(self, trace_id: str, span_id: str) -> int:
        place = f"/api/interactions/{quote(trace_id, safe='')}/{quote(span_id, safe='')}"
        truth = self._truth.get(self._get(place)["answer_text"] or "")
        if truth is None:  # somebody else's traffic is not ours to judge
            return 0
        label = {
            "trace_id": trace_id, "span_id": span_id, "name": "faithfulness",
            "value": float(truth), "author": AUTHOR,
        }  # fmt: skip
        self._send("/api/labels", json.dumps({"labels": [label]}).encode())
        return 1

    def _get(self, path: str) -> Any:
        return json.loads(self._send(path, None))

    def _send(self, path: str, body: bytes | None) -> bytes:
        headers = {**self._headers, "Content-Type": "application/json"} if body else self._headers
        request = urllib.request.Request(self._endpoint + path, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            answer: bytes = response.read()
        return answer
