"""The ledger that is there, for commands that only read it: looking must not make one."""

from pathlib import Path

from seakeeping.config import Settings
from seakeeping.errors import NotFound
from seakeeping.store import Ledger, open_ledger
from seakeeping.store.ledger.ledger import FILE_NAME

_FILE_URL = "sqlite:///"


def open_known(settings: Settings) -> Ledger:
    """Return the ledger that the settings name.

    Raises:
        NotFound: it is a file that is not there, so these are not the settings that were meant.
        LedgerUnavailable: the database does not answer.
    """
    url = settings.ledger or f"{_FILE_URL}{settings.data / FILE_NAME}"
    path = Path(url.removeprefix(_FILE_URL).partition("?")[0])
    if url.startswith(_FILE_URL) and not path.exists():
        place = settings.ledger or settings.data
        raise NotFound(f"no ledger in {place}", hint="--data names the data folder of a node")
    return open_ledger(settings)
