"""What every test shares: the fixture folder, and captures that a clone does not carry."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of fixtures that come with the repository."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of captures and data beside the checkout, or skip."""
    folder = Path(os.environ.get("SEAKEEPING_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("only ../shared can feed this")
    return folder
