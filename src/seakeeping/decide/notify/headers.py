"""What stands above a message: credentials, signature, and headers that the target asks for.

Signatures follow the Standard Webhooks specification 1.0: ``webhook-id`` is the key by which a
repeated delivery is told from a new message, ``webhook-timestamp`` the moment of this attempt, and
``webhook-signature`` is ``v1,`` and the base64 of the HMAC-SHA256 of ``id.timestamp.body``.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from seakeeping.decide.notify.failures import DeliveryFailed
from seakeeping.records import NotificationTarget

_PREFIX = "header."


def signature(secret: str, key: str, at: int, body: bytes) -> str:
    """Return the signature of a body; a secret that begins with ``whsec_`` is base64 behind it.

    >>> signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...     1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = b".".join((key.encode(), str(at).encode(), body))
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise DeliveryFailed("the secret begins with whsec_ but no base64 follows") from None


def signed_headers(secret: str | None, key: str, now: float, body: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks; unsigned where there is no secret."""
    headers = {"webhook-id": key, "webhook-timestamp": str(int(now))}
    if secret is not None:
        headers["webhook-signature"] = signature(secret, key, int(now), body)
    return headers


def credentials(target: NotificationTarget, secret: str | None, default: str) -> dict[str, str]:
    """Return the ``Authorization`` header that the option ``auth`` asks for (bearer, basic)."""
    scheme = target.options.get("auth", default)
    if secret is None or scheme == "hmac":
        return {}
    if scheme == "bearer":
        return {"Authorization": f"Bearer {secret}"}
    if scheme == "basic":
        return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    raise DeliveryFailed(f"unknown auth {scheme!r}", hint="bearer, basic or hmac")


def own_headers(options: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a target's options ask for: ``header.X-Scope-OrgID: team``."""
    return {
        name.removeprefix(_PREFIX): text
        for name, text in options.items()
        if name.startswith(_PREFIX)
    }
