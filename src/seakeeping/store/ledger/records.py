"""What the ledger hands out. All times are Unix seconds, UTC."""

from dataclasses import dataclass

from seakeeping.records import JsonObject


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is known afterwards: never the secret itself."""

    id: str
    name: str
    scopes: frozenset[str]
    created_at: float
    revoked_at: float | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, and when; never changed, never deleted."""

    id: int
    at: float
    actor: str
    action: str
    subject: str
    detail: JsonObject


@dataclass(frozen=True, slots=True)
class Resource:
    """A document that the API owns; ``version`` grows by one with each change."""

    kind: str
    name: str
    version: int
    document: JsonObject
    updated_at: float
    updated_by: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one holder to do something alone, until ``expires_at``.

    ``fence`` grows with every change of holder: what acts under a lease hands it on, so that an
    action of a holder that lost its lease can be told apart.
    """

    name: str
    holder: str
    expires_at: float
    fence: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """A user whose data was erased."""

    user_id: str
    at: float
    by: str
    interactions: int
