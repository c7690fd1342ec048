"""Why a message did not arrive: it may work later, or it never will.

Only what is wrong with the message itself is final. A receiver that is away, overloaded, moved or
refuses our credentials can be mended, so its messages wait. What stands in these errors is kept in
the ledger and shown: they hold no address beyond the host, and no secret.
"""

from seakeeping.errors import SeakeepingError, Unavailable


class DeliveryFailed(Unavailable):
    """A receiver did not take a message; trying again may help.

    ``retry_after_s`` is what the receiver asked for, 0 where it did not say.
    """

    code = "delivery_failed"

    def __init__(self, message: str, *, retry_after_s: float = 0.0, hint: str = "") -> None:
        super().__init__(message, retry_after_s=retry_after_s, hint=hint)


class Undeliverable(SeakeepingError):
    """A receiver will never take this message."""

    code = "undeliverable"
