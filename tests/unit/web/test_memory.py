"""Staying small: what glibc offers is used, and nothing breaks where it is not there."""

import pytest

from seakeeping.web import memory


def test_free_memory_is_given_back_or_there_is_none() -> None:
    held = [bytes(1 << 16) for _ in range(200)]
    del held
    memory.give_back()
    assert memory.give_back() in (True, False)


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_C", object())
    assert not memory.few_arenas()
    assert not memory.give_back()
