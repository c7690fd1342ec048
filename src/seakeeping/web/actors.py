"""Who does something: the name of the key that a request carries, for timelines and the audit.

Without any key everybody is on this machine, and is called ``local``. The names of keys are read
with the keys; a key that was made a moment ago is called by the beginning of its hash until then.
"""

from collections.abc import Callable, Mapping

from starlette.requests import Request

from seakeeping.config.keys import hash_key
from seakeeping.ingest.guard import credential

LOCAL = "local"


class Actors:
    """Tells who sent a request.

    ``stored`` returns the name of every valid key by its hash; it may block.
    """

    def __init__(self, stored: Callable[[], Mapping[str, str]]) -> None:
        self._stored = stored
        self._names: Mapping[str, str] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the names again; call it off the event loop."""
        self._names = dict(self._stored())

    def of(self, request: Request) -> str:
        """Return the name of who sent a request."""
        key = credential(request.headers)
        if key is None or not self._names:
            return LOCAL
        digest = hash_key(key)
        return self._names.get(digest, f"key {digest[:8]}")
