"""The one error tree: each says what happened, with what, and what to do next.

SeakeepingError
|-- BadInput                 a user's input is wrong; carries its place
|   |-- BadPayload           a telemetry body that cannot be decoded (HTTP 400)
|   |   `-- PayloadTooLarge  over the limit, also after inflation (HTTP 413)
|   |-- BadSetting           a setting that is unknown or out of range
|   `-- BadResource          a document of ``seakeeping.d`` that does not hold
|-- NotFound                 nothing of that name is here (HTTP 404)
|-- Refused                  a caller may not do this (HTTP 401, 403)
|-- Unavailable              try again later; carries ``retry_after_s``
|   |-- SpoolFull            the bounded spool has no room (HTTP 429)
|   |-- SpoolBroken          the spool cannot be written, e.g. the disk is full (HTTP 503)
|   `-- StoreUnavailable     the telemetry store does not answer
|-- StoreTooNew              the data was written by a newer version
|-- SpoolTaken               another process writes to the same spool
|-- PortTaken                somebody else listens there
`-- EvaluatorFailed          an evaluator raised, hung or died
"""

from collections.abc import Sequence


class SeakeepingError(Exception):
    """What happened, and what to do next.

    Args:
        message: what happened, with what.
        hint: what the reader can do next; may be empty.
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class BadInput(SeakeepingError):
    """A user's input is wrong; ``place`` says where: ``file:line: key``, or a path in a body."""

    code = "bad_input"

    def __init__(self, message: str, *, place: str = "", hint: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.place = place


class BadPayload(BadInput):
    """A telemetry body that cannot be decoded."""

    code = "bad_payload"


class PayloadTooLarge(BadPayload):
    """A body over the limit, counted after inflation."""

    code = "payload_too_large"


class BadSetting(BadInput):
    """A setting that is unknown, or whose value is out of range."""

    code = "bad_setting"


class BadResource(BadInput):
    """A resource document that does not hold; ``others`` are its further faults."""

    code = "bad_resource"

    def __init__(
        self,
        message: str,
        *,
        place: str = "",
        hint: str = "",
        others: Sequence["BadResource"] = (),
    ) -> None:
        super().__init__(message, place=place, hint=hint)
        self.others = tuple(others)


class NotFound(SeakeepingError):
    """Nothing of that name is here, or not any more."""

    code = "not_found"


class Refused(SeakeepingError):
    """The caller may not do this."""

    code = "refused"

    def __init__(self, message: str, *, status: int = 403, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Unavailable(SeakeepingError):
    """Nothing is wrong with the request: try again after ``retry_after_s``."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after_s: float = 1.0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class SpoolFull(Unavailable):
    """The bounded spool has no room for this body."""

    code = "spool_full"


class SpoolBroken(Unavailable):
    """The spool cannot be written: the disk is full or gone."""

    code = "spool_broken"


class StoreUnavailable(Unavailable):
    """The telemetry store does not answer, or answered with an error that may pass."""

    code = "store_unavailable"


class StoreTooNew(SeakeepingError):
    """The data was written by a newer version of Seakeeping than this one."""

    code = "store_too_new"


class SpoolTaken(SeakeepingError):
    """Another process writes to the same spool."""

    code = "spool_taken"


class PortTaken(SeakeepingError):
    """Somebody else listens on the port."""

    code = "port_taken"


class EvaluatorFailed(SeakeepingError):
    """An evaluator raised, ran over its time limit, or its process died."""

    code = "evaluator_failed"
