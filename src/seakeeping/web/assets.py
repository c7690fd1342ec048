"""The files a browser gets: style, script, icons. All ours or vendored, none from elsewhere.

They are read once; an address carries the digest of all of them, so that browsers keep them for
ever and never use an old one with a new page.
"""

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import guess_type

from starlette.requests import Request
from starlette.responses import Response

from seakeeping.errors import NotFound

_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Assets:
    """Every static file of the package, by its path below ``static``."""

    def __init__(self) -> None:
        self._files = dict(_read(files("seakeeping.web") / "static", ""))
        digest = hashlib.sha256(b"".join(self._files[name] for name in sorted(self._files)))
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Return the address of a file."""
        if name not in self._files:
            raise NotFound(f"no asset {name!r}")
        return f"/static/{name}?v={self.version}"

    async def serve(self, request: Request) -> Response:
        """Answer with a file."""
        name = request.path_params["path"]
        if name not in self._files:
            raise NotFound(f"no asset {name!r}")
        suffix = name[name.rfind(".") :]
        media_type = _TYPES.get(suffix) or guess_type(name)[0] or "text/plain"
        return Response(self._files[name], media_type=media_type, headers=_KEPT)


def _read(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _read(entry, f"{prefix}{entry.name}/")
        else:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found
