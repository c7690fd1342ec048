from pathlib import Path

import pytest

from seakeeping.store.engine.damage import (
    BROKEN_CODES,
    FULL_BELOW_BYTES,
    FULL_CODES,
    ROOM_BYTES,
    SETTLED_S,
    Damage,
    free_bytes,
)


class Machine:
    """A disk and a clock that a test sets."""

    def __init__(self, free: int = 10 * ROOM_BYTES) -> None:
        self.free = free
        self.at = 100.0
        self.damage = Damage(lambda: self.free, lambda: self.at)

    def later(self, seconds: float = SETTLED_S + 1) -> str | None:
        self.at += seconds
        return self.damage.reason_to_start_anew()


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_healthy_engine_goes_on(machine: Machine) -> None:
    machine.damage.note(60)  # UNKNOWN_TABLE
    assert machine.later() is None


@pytest.mark.parametrize("code", sorted(BROKEN_CODES))
def test_part_that_cannot_be_read_asks_for_a_fresh_start(machine: Machine, code: int) -> None:
    machine.damage.note(code)
    assert machine.later() == "a part cannot be read"


@pytest.mark.parametrize("code", sorted(FULL_CODES))
def test_statement_that_found_the_disk_full_asks_for_a_fresh_start(
    machine: Machine, code: int
) -> None:
    machine.damage.note(code)
    assert machine.later() == "the disk is full"


def test_disk_that_is_full_for_a_moment_is_seen_and_remembered(machine: Machine) -> None:
    machine.free = FULL_BELOW_BYTES - 1
    assert machine.later(SETTLED_S / 2) is None
    machine.free = 10 * ROOM_BYTES
    assert machine.later() == "the disk is full"


def test_fresh_start_does_not_wait_for_room(machine: Machine) -> None:
    machine.free = 0
    assert machine.later() == "the disk is full"


def test_engine_that_started_on_a_full_disk_goes_on_until_it_is_full_another_time() -> None:
    machine = Machine(free=0)
    machine.damage.note(min(FULL_CODES))
    assert machine.later() is None
    machine.free = ROOM_BYTES
    assert machine.later() is None
    machine.free = 0
    assert machine.later() == "the disk is full"


def test_young_engine_is_not_started_anew_at_once(machine: Machine) -> None:
    machine.damage.note(246)
    assert machine.later(SETTLED_S / 2) is None
    assert machine.later(SETTLED_S / 2) is not None


def test_free_bytes_are_those_of_the_folder_s_disk(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
