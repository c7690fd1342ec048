"""Who may call: keys with scopes, and what a browser must not be talked into.

Without any key the server listens on loopback only. There the danger is the user's own browser: a
web page may post to ``localhost`` (cross-site request forgery) or make its own name resolve to it
(DNS rebinding). So a request must be addressed to a name we know (``Host``) and must not come from
another site's page (``Origin``, ``Sec-Fetch-Site``). As soon as one key exists every request needs
one, and a name proves nothing any more.
"""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from seakeeping.config.keys import Scope, hash_key
from seakeeping.errors import BadSetting, Refused
from seakeeping.ingest.otlp import Encoding, status_body
from seakeeping.metrics import REFUSED

UNAUTHENTICATED, PERMISSION_DENIED = 16, 7
"""gRPC's codes for no key and for a key without the scope."""

OTLP_PATHS = ("/v1/", "/api/public/otel/")
_OPEN_PATHS = ("/healthz", "/readyz")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

ALL_SCOPES = frozenset[str](Scope)


class KeyRing:
    """The keys as last read: looking one up never waits for the ledger."""

    def __init__(
        self,
        stored: Callable[[], Mapping[str, frozenset[str]]],
        own: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> None:
        """Read the keys.

        Args:
            stored: returns the scopes of every valid key by its `hash_key`; may block.
            own: the same of keys that the node made for its own parts and for this run. Nobody
                needs a key because of them.
        """
        self._stored = stored
        self._own = dict(own)
        self._scopes: Mapping[str, frozenset[str]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the keys again; call it off the event loop. Raises what ``stored`` raises."""
        self._scopes = dict(self._stored())

    @property
    def has_keys(self) -> bool:
        """Whether any key exists, so that every caller needs one."""
        return bool(self._scopes)

    def scopes(self, key: str) -> frozenset[str] | None:
        """Return the scopes of a key, None where there is no such key.

        Compares with every stored hash in constant time, so the answer's time tells nothing.
        """
        digest = hash_key(key)
        found = None
        for stored, scopes in (*self._scopes.items(), *self._own.items()):
            if hmac.compare_digest(stored, digest):
                found = scopes
        return found


class Guard:
    """Decides about one request after the other. Every refusal is counted by its reason."""

    def __init__(self, keys: KeyRing, *, host: str, hosts: Iterable[str] = ()) -> None:
        """Guard a server that listens on ``host`` and is also known as ``hosts``.

        Raises:
            BadSetting: the address is not a loopback one, and there is no key.
        """
        self.keys = keys
        self._own = frozenset(name.lower().rstrip(".") for name in hosts)
        self._names = self._own | {host.lower(), "localhost"}
        if not is_loopback(host) and not keys.has_keys:
            raise BadSetting(
                f"host is {host}, which others can reach, and no key exists",
                hint="make one with `seakeeping key create`, or listen on 127.0.0.1",
            )

    def admit(
        self, headers: Mapping[str, str], method: str, needed: Scope | None
    ) -> frozenset[str]:
        """Return the scopes of the caller.

        Args:
            headers: by lower-case name.
            method: of the HTTP request.
            needed: the scope that the request takes; None: none, it is open to all.

        Raises:
            Refused: 401 without a valid key, 403 without the scope or from a foreign page.
        """
        self._check_origin(headers, method)
        if not self.keys.has_keys:
            self._check_host(headers)
            return ALL_SCOPES
        return ALL_SCOPES if needed is None else self.admit_key(credential(headers), needed)

    def admit_key(self, key: str | None, needed: Scope) -> frozenset[str]:
        """Return the scopes of a key, all of them while there is no key; raises Refused."""
        if not self.keys.has_keys:
            return ALL_SCOPES
        scopes = self.keys.scopes(key) if key else None
        if scopes is None:
            raise _refusal(
                "unknown_key" if key else "no_key",
                "the key is not known here" if key else "a key is needed",
                status=401,
                hint="send it as `Authorization: Bearer sk-sea-...` or `x-api-key`",
            )
        if needed not in scopes and Scope.ADMIN not in scopes:
            raise _refusal("scope", f"the key does not have the scope {needed}")
        return scopes

    def _check_host(self, headers: Mapping[str, str]) -> None:
        name = _host_name(headers.get("host", ""))
        if name not in self._names and not is_loopback(name):
            raise _refusal(
                "host",
                f"requests to the name {name[:80]!r} are not answered",
                hint="add it to the setting `hosts`, or create a key",
            )

    def _check_origin(self, headers: Mapping[str, str], method: str) -> None:
        origin = headers.get("origin")
        if origin is not None:
            parts = urlsplit(origin)
            is_ours = parts.netloc == headers.get("host") and parts.netloc != ""
            if not is_ours and (parts.hostname or "") not in self._own:
                raise _foreign(origin)
        elif method not in _SAFE_METHODS and _is_cross_site(headers):
            raise _foreign("another site")


def _is_cross_site(headers: Mapping[str, str]) -> bool:
    return headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def _foreign(origin: str) -> Refused:
    return _refusal(
        "origin",
        f"a page of {origin[:80]} may not call this server",
        hint="add its host to the setting `hosts` if you trust it",
    )


def _refusal(reason: str, message: str, *, status: int = 403, hint: str = "") -> Refused:
    REFUSED.labels(reason).inc()
    return Refused(message, status=status, hint=hint)


def is_loopback(host: str) -> bool:
    """Return whether a name or address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host_name(header: str) -> str:
    """Return the name of a ``Host`` header, without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0].lower().rstrip(".") if ":" in header else header.lower()


def credential(headers: Mapping[str, str]) -> str | None:
    """Return the key that a request carries, or None.

    ``Authorization: Bearer KEY``, ``x-api-key: KEY``, or ``Authorization: Basic``, whose password
    is the key, as Langfuse's SDKs and browsers send it (user name alone: that is the key).
    """
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if scheme.lower() == "basic":
        return _basic(value.strip())
    return headers.get("x-api-key") or None


def _basic(value: str) -> str | None:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password or user or None


def required_scope(method: str, path: str) -> Scope | None:
    """Return the scope that a request needs; None for the health checks."""
    if path in _OPEN_PATHS:
        return None
    if path.startswith(OTLP_PATHS):
        return Scope.RECEIVE
    if method in _SAFE_METHODS:
        return Scope.READ
    return Scope.ADMIN if method == "DELETE" else Scope.ACT


class GuardMiddleware:
    """ASGI middleware: lets through what the guard admits, and answers the rest.

    What a caller may do is in ``scope["state"]["scopes"]`` afterwards.
    """

    def __init__(
        self,
        app: ASGIApp,
        guard: Guard,
        required: Callable[[str, str], Scope | None] = required_scope,
    ) -> None:
        self._app = app
        self._guard = guard
        self._required = required

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "not served"})
            return
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        try:
            scopes = self._guard.admit(headers, method, self._required(method, path))
        except Refused as error:
            await refusal_response(error, path, headers)(scope, receive, send)
            return
        scope.setdefault("state", {})["scopes"] = scopes
        await self._app(scope, receive, send)


def refusal_response(error: Refused, path: str, headers: Mapping[str, str]) -> Response:
    """Return a refusal as the caller expects it: ``google.rpc.Status``, or our JSON error."""
    extra = {"WWW-Authenticate": 'Basic realm="seakeeping"'} if error.status == 401 else {}
    if path.startswith(OTLP_PATHS):
        encoding, media_type = encoding_of(headers.get("content-type", ""))
        code = UNAUTHENTICATED if error.status == 401 else PERMISSION_DENIED
        body = status_body(encoding or Encoding.JSON, code, str(error))
        return Response(body, error.status, extra, media_type)
    document = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    return JSONResponse(document, error.status, extra)


_MEDIA_TYPES = {
    "application/x-protobuf": Encoding.PROTOBUF,
    "application/json": Encoding.JSON,
}


def encoding_of(content_type: str) -> tuple[Encoding | None, str]:
    """Return the encoding that a ``Content-Type`` names and the type to answer in.

    None for an unknown type; those are answered in JSON.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    encoding = _MEDIA_TYPES.get(media_type)
    return encoding, media_type if encoding else "application/json"
