"""Faults: one part that fails is counted and said, and holds up no other."""

import pytest

from seakeeping.errors import StoreUnavailable
from seakeeping.faults import Faults
from seakeeping.metrics import ERRORS


def counted(where: str, error: str) -> float:
    value: float = ERRORS.labels(where, error)._value.get()
    return value


def test_the_other_parts_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    faults, done, before = Faults("galley"), list[str](), counted("galley", "ZeroDivisionError")
    for part, by in (("bread", 1), ("soup", 0), ("fish", 2)):
        with faults.of(part):
            assert 1 / by
            done.append(part)
    assert done == ["bread", "fish"]
    assert counted("galley", "ZeroDivisionError") == before + 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("seakeeping: galley: soup: ZeroDivisionError: division by zero (")
    assert "test_faults.py:" in line


def test_each_is_counted_and_a_spell_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    faults, before = Faults("galley"), counted("galley", "ValueError")
    for is_bad in (True, True, False, True):
        with faults.of("soup"):
            if is_bad:
                raise ValueError("salt")
    assert counted("galley", "ValueError") == before + 3
    assert capsys.readouterr().err.count("salt") == 2


def test_what_the_caller_decides_about_passes() -> None:
    with pytest.raises(StoreUnavailable), Faults("galley").of("soup"):
        raise StoreUnavailable("away")
    with Faults("galley", passing=()).of("soup"):
        raise StoreUnavailable("away")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_whoever_ends_the_process_ends_it(kind: type[BaseException]) -> None:
    with pytest.raises(kind), Faults("galley", passing=()).of("soup"):
        raise kind
