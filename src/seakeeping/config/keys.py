"""API keys: how they are made, and what of them is stored.

A key is 256 random bits, so its plain SHA-256 is safe to store: there is nothing to guess, and
nothing to slow down. Scopes say what a key opens; ``admin`` opens everything.
"""

import hashlib
import secrets
from enum import StrEnum

PREFIX = "sk-sea-"


class Scope(StrEnum):
    """What a key opens."""

    RECEIVE = "receive"
    READ = "read"
    ACT = "act"
    ADMIN = "admin"


def mint_key() -> str:
    """Return a new key; it is shown once and never stored."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_key(key: str) -> str:
    """Return what is stored of a key: its SHA-256 in hexadecimal."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
