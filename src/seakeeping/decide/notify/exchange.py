"""One HTTP exchange with a receiver that may do anything: hang, drip, redirect, talk for ever.

One limit holds for all of it, from the connection to the last byte: a socket's own time-out begins
anew with every byte. The answer is read up to a limit. A redirect is followed only to the same
host, with the same method and body (307, 308): a message and its credentials go nowhere else.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.client import HTTPException
from urllib.parse import SplitResult, urljoin, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from seakeeping.decide.notify.failures import DeliveryFailed, Undeliverable

TIMEOUT_S = 10.0
LIMIT_BYTES = 64 * 1024
MOST_REDIRECTS = 3
LONGEST_RETRY_AFTER_S = 900.0

_MAY_PASS = frozenset({401, 403, 404, 407, 408, 409, 410, 421, 423, 424, 425, 426, 429})
"""Refusals that say nothing about the message: credentials, place, pace, and states that pass."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered: ``headers`` in lower case, ``body`` as far as it was read."""

    host: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def excerpt(self) -> str:
        """The begin of the body, for an error's text."""
        text = " ".join(self.body[:400].decode("utf-8", "replace").split())
        return "".join(c for c in text if c.isprintable())[:200]


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float = TIMEOUT_S,
    ca_file: str | None = None,
    limit_bytes: int = LIMIT_BYTES,
) -> Answer:
    """Post a body and return the answer, whatever its status; its body up to ``limit_bytes``.

    Raises DeliveryFailed where there is none within ``timeout_s``.
    """
    place = checked(url)
    for _ in range(MOST_REDIRECTS + 1):
        answer = _post_once(place, body, headers, timeout_s, ca_file, limit_bytes)
        if answer.status not in (307, 308):
            return answer
        place = _followed(place, answer)
    raise DeliveryFailed(f"{place.hostname} redirects more than {MOST_REDIRECTS} times")


def accepted(answer: Answer, *, now: float) -> Answer:
    """Return an answer of a receiver that took the message.

    Raises DeliveryFailed, or Undeliverable where the receiver refuses the message itself.
    """
    if 200 <= answer.status < 300:
        return answer
    told = f"{answer.host} answered {answer.status}"
    if answer.excerpt:
        told += f": {answer.excerpt}"
    if answer.status < 400 or answer.status in _MAY_PASS or answer.status >= 500:
        raise DeliveryFailed(told, retry_after_s=retry_after(answer.headers, now))
    raise Undeliverable(told)


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """Return the seconds that ``Retry-After`` asks for (a number or a date), 0 without it.

    >>> retry_after({"retry-after": "30"}, now=0)
    30.0
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), LONGEST_RETRY_AFTER_S))
    try:
        asked = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    asked = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    return min(max(0.0, asked.timestamp() - now), LONGEST_RETRY_AFTER_S)


def checked(url: str) -> SplitResult:
    """Return the parts of an http or https address without a password; raises DeliveryFailed."""
    try:
        place = urlsplit(url)
        is_good = place.scheme in ("http", "https") and bool(place.hostname) and place.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise DeliveryFailed(
            "the target's address is no http or https address", hint="https://host/path"
        )
    if place.username is not None:
        raise DeliveryFailed(
            f"the address of {place.hostname} holds a user or password",
            hint="name an environment variable with the secret instead",
        )
    return place


def _post_once(
    place: SplitResult,
    body: bytes,
    headers: Mapping[str, str],
    timeout_s: float,
    ca_file: str | None,
    limit_bytes: int,
) -> Answer:
    host = str(place.hostname)
    held: socket.socket | None = None
    path = f"{place.path or '/'}{'?' * bool(place.query)}{place.query}"
    sent = {"User-Agent": "seakeeping", "Accept-Encoding": "identity", **headers}
    try:
        with (
            closing(_connection(place, timeout_s, ca_file)) as connection,
            # a connection forgets its socket once an answer without a length is read from it
            aborted_after(timeout_s, lambda: connection.sock or held),
        ):
            connection.connect()
            held = connection.sock
            connection.request("POST", path, body, sent, preload_content=False)
            response = connection.getresponse()
            content = response.read(limit_bytes, decode_content=False)
    except TimeoutError as error:
        raise DeliveryFailed(f"{host}: no answer within {timeout_s:g} s") from error
    except (HTTPError, HTTPException, OSError) as error:
        raise DeliveryFailed(f"{host}: {_reason(error)}") from None
    except ValueError as error:  # e.g. a header that cannot be sent; its text would show it
        raise DeliveryFailed(f"{host}: cannot be asked ({type(error).__name__})") from None
    found = {name.lower(): value for name, value in response.headers.items()}
    return Answer(host, response.status, found, content)


def _connection(
    place: SplitResult, timeout_s: float, ca_file: str | None
) -> HTTPConnection | HTTPSConnection:
    host = str(place.hostname)
    if place.scheme == "http":
        return HTTPConnection(host, place.port, timeout=timeout_s)
    return HTTPSConnection(host, place.port, timeout=timeout_s, ssl_context=trusted(ca_file))


@lru_cache(maxsize=16)
def trusted(ca_file: str | None) -> ssl.SSLContext:
    """Return the trust in a file of certificates, or in those that the system trusts.

    Raises DeliveryFailed where the file cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise DeliveryFailed(f"the certificates of ca_file cannot be read: {error}") from error


def _followed(place: SplitResult, answer: Answer) -> SplitResult:
    try:
        found = urlsplit(urljoin(place.geturl(), answer.headers.get("location", "")))
        is_same = (found.scheme, found.hostname, found.port, found.username) == (
            place.scheme, place.hostname, place.port, None,
        )  # fmt: skip
    except ValueError:
        is_same = False
    if not is_same:
        raise DeliveryFailed(
            f"{place.hostname} redirects elsewhere, which is not followed",
            hint="write the final address into the target",
        )
    return found


def _reason(error: Exception) -> str:
    """Return why an exchange failed, in words that hold no more of the address than the host."""
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or type(error).__name__}"
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    told = getattr(cause, "strerror", None) if isinstance(cause, OSError) else None
    return str(told) if told else type(error).__name__


@contextmanager
def aborted_after(
    timeout_s: float, connected: Callable[[], socket.socket | None]
) -> Iterator[None]:
    """Cut the connection of an exchange after a time, however slowly bytes still come.

    Raises TimeoutError where the time ran out within the block.
    """
    is_late = threading.Event()

    def abort() -> None:
        is_late.set()
        found = connected()
        if found is not None:
            with suppress(OSError):  # it may be closed already
                socket.socket.shutdown(found, socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s, abort)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if is_late.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
    if is_late.is_set():
        raise TimeoutError
