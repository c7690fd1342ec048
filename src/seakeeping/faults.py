"""A fault of one part must not end the whole: it is counted each time, and said once.

Whoever does many independent things one after the other (objectives, stages, chores, messages) does
each of them within ``of``. What an `Unavailable` means is for the caller to decide: it passes.
"""

import sys
import traceback
from types import TracebackType

from seakeeping.errors import Unavailable
from seakeeping.metrics import ERRORS


class Faults:
    """The faults of the parts of one whole; for one thread.

    Args:
        where: the whole, as ``seakeeping_handled_errors_total`` names it.
        passing: errors that are not held up here.
    """

    def __init__(
        self, where: str, *, passing: tuple[type[Exception], ...] = (Unavailable,)
    ) -> None:
        self._where = where
        self._passing = passing
        self._failing: set[str] = set()

    def of(self, part: str = "") -> "_Part":
        """Hold up what goes wrong within; it is said again once the part has worked."""
        return _Part(self, part)

    def passes(self, error: BaseException) -> bool:
        """Tell whether an error is not held up here."""
        return not isinstance(error, Exception) or isinstance(error, self._passing)

    def tell(self, part: str, error: BaseException) -> None:
        """Count an error, and say it on standard error unless the part failed before."""
        ERRORS.labels(self._where, type(error).__name__).inc()
        if part not in self._failing:
            self._failing.add(part)
            whose = f"{self._where}: {part}" if part else self._where
            said = f"{type(error).__name__}: {error}{_place(error)}"
            print(f"seakeeping: {whose}: {said}", file=sys.stderr, flush=True)

    def works(self, part: str) -> None:
        """Take note that a part went well."""
        self._failing.discard(part)


class _Part:
    """One part, for a ``with`` statement."""

    def __init__(self, faults: Faults, name: str) -> None:
        self._faults, self._name = faults, name

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None:
            self._faults.works(self._name)
            return False
        if self._faults.passes(error):
            return False
        self._faults.tell(self._name, error)
        return True


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
