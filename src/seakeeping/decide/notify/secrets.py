"""Secrets of targets: read from the environment when a message is sent, and masked in every text.

A receiver may echo the address or the key it was called with, and so may a library's error or its
log; so each text that is kept or shown passes the mask, which knows a secret also as it is spelt in
addresses and headers.
"""

import base64
import logging
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote, urlsplit

from seakeeping.decide.notify.failures import DeliveryFailed
from seakeeping.records import NotificationTarget

_LONG_ENOUGH = 6
"""Parts of a secret address shorter than this (``v1``, ``api``) are no secrets."""


def secret_of(target: NotificationTarget, environ: Mapping[str, str]) -> str | None:
    """Return the secret of a target, None where it has none.

    Raises DeliveryFailed where its variable is not set, or holds what no header can carry.
    """
    if target.secret_env is None:
        return None
    secret = environ.get(target.secret_env, "").strip()
    if not secret:
        raise DeliveryFailed(
            f"the environment variable {target.secret_env} is not set",
            hint="set it where Seakeeping runs and start it again",
        )
    if not secret.isascii() or not secret.isprintable():
        raise DeliveryFailed(
            f"the environment variable {target.secret_env} holds characters that no header carries"
        )
    return secret


def is_address(secret: str | None) -> bool:
    """Whether a secret is a whole address, as Slack's incoming webhooks are."""
    return secret is not None and secret.startswith(("https://", "http://"))


class Mask:
    """Replaces the secrets of targets in a text by ``***``.

    >>> from seakeeping.records import TargetKind
    >>> mask = Mask([NotificationTarget("pager", TargetKind.PAGERDUTY, secret_env="KEY")],
    ...     {"KEY": "s3cr3t-key"})
    >>> mask("no such key: s3cr3t-key")
    'no such key: ***'
    """

    def __init__(self, targets: Iterable[NotificationTarget], environ: Mapping[str, str]) -> None:
        found = {form for target in targets for form in _forms_of(target, environ)}
        self._forms = sorted(found, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text with every secret masked."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text


def _forms_of(target: NotificationTarget, environ: Mapping[str, str]) -> Iterator[str]:
    if password := _password(target.url or ""):
        yield from _spellings(password)
    secret = environ.get(target.secret_env or "", "").strip()
    if not secret:
        return
    yield from _spellings(secret)
    parts = _parts(secret) if "://" in secret else secret.split(":")
    for part in parts:
        if len(part) >= _LONG_ENOUGH:
            yield from _spellings(part)


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:  # a broken address is told of where it is used
        return None


def _parts(address: str) -> Iterator[str]:
    """Yield what may be secret of an address: everything but the host."""
    rest = address.partition("://")[2]
    before, _, host_and_path = rest.rpartition("@")
    yield from before.split(":")
    path = host_and_path.partition("/")[2]
    if path:
        yield path
        yield from path.replace("?", "/").replace("&", "/").replace("=", "/").split("/")


def _spellings(secret: str) -> Iterator[str]:
    encoded = base64.b64encode(secret.encode(errors="replace")).decode()
    yield from {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), unquote(secret)}
    yield from (encoded, encoded.rstrip("="))


class _OnlyWarnings(logging.Filter):
    """Keeps a library from logging addresses, headers and bodies, which it does when debugging."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record may be logged."""
        return record.levelno >= logging.WARNING


def quiet(logger: str) -> None:
    """Keep what a library says below warnings out of every log, whatever its level is set to."""
    found = logging.getLogger(logger)
    if not any(isinstance(one, _OnlyWarnings) for one in found.filters):
        found.addFilter(_OnlyWarnings())
