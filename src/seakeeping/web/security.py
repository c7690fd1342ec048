"""What a browser may do with our pages, and which browsers may change anything.

Every answer carries a Content-Security-Policy without ``unsafe-inline``: all script and style comes
from our own files, so text from an app's users, even if it were ever rendered wrongly, cannot run.
A request that changes something and comes from another site's page is refused: browsers say where a
request comes from (``Sec-Fetch-Site``, else ``Origin``), and programs send neither.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seakeeping.errors import Refused
from seakeeping.web.answers import problem

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def is_cross_site(headers: Headers) -> bool:
    """Tell whether a browser sent this request from a page of another site."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


class BrowserSafety:
    """ASGI middleware: the headers on every answer, and no changes from other sites' pages.

    ``data_paths`` are left to the guard of the receivers: telemetry is posted by programs.
    """

    def __init__(self, app: ASGIApp, *, data_paths: Iterable[str] = ("/v1/",)) -> None:
        self._app = app
        self._data_paths = tuple(data_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or scope["path"].startswith(self._data_paths):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        app: ASGIApp = refused or self._app
        await app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["method"] in _SAFE_METHODS or not is_cross_site(Headers(scope=scope)):
            return None
        error = Refused(
            "a page of another site may not change anything here",
            hint="send the request from this site, or from a program",
        )
        return problem(Request(scope), error)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
