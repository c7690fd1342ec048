import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from seakeeping.control.supervisor import Role, Supervisor

CHILDREN = Path(__file__).parent / "children"


class Tree:
    """A supervisor over toy children, with patience for what must come true."""

    def __init__(self, tmp_path: Path, *roles: Role) -> None:
        env = {**os.environ, "PYTHONPATH": str(CHILDREN)}
        self.status_file = tmp_path / "status.json"
        self.supervisor = Supervisor(roles, tmp_path, env)

    def during(self, check: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the tree while ``check`` runs, then stop it."""

        async def both() -> None:
            running = asyncio.create_task(self.supervisor.run())
            try:
                await asyncio.wait_for(check(), 30)
            finally:
                self.supervisor.stop()
                await running

        asyncio.run(both())

    async def until(self, claim: Callable[[], bool]) -> None:
        """Wait until the claim holds."""
        while not claim():
            await asyncio.sleep(0.02)

    def part(self, name: str) -> dict[str, Any]:
        return self.supervisor.status()[name]


def role(name: str, trace: Path, **limits: float) -> Role:
    return Role(name, f"{name}_child", {"trace": str(trace), "answer": 42}, **limits)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_a_child_gets_its_settings_and_tells_its_facts(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    tree = Tree(tmp_path, role("obedient", trace))

    async def check() -> None:
        await tree.until(lambda: tree.part("obedient")["state"] == "running")

    tree.during(check)
    assert json.loads(lines(trace)[0])["answer"] == 42
    assert tree.part("obedient")["flavour"] == "calm"
    assert tree.part("obedient")["restarts"] == 0


def test_a_child_that_is_killed_comes_back_with_a_new_pid(tmp_path: Path) -> None:
    tree = Tree(tmp_path, role("obedient", tmp_path / "trace"))

    async def check() -> None:
        await tree.until(lambda: tree.part("obedient")["state"] == "running")
        first = tree.part("obedient")["pid"]
        os.kill(first, 9)
        await tree.until(lambda: tree.part("obedient")["restarts"] == 1)
        await tree.until(lambda: tree.part("obedient")["state"] == "running")
        assert tree.part("obedient")["pid"] != first
        assert tree.part("obedient")["last_exit"] == -9

    tree.during(check)


def test_a_child_that_keeps_dying_is_restarted_ever_more_slowly(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    tree = Tree(tmp_path, role("crashing", trace))

    async def check() -> None:
        await tree.until(lambda: tree.part("crashing")["restarts"] >= 3)

    began = time.monotonic()
    tree.during(check)
    assert time.monotonic() - began > 0.4 + 0.8, "two pauses at least were waited out"
    assert tree.part("crashing")["last_exit"] == 3


@pytest.mark.parametrize("signal_number", [None, 19])
def test_a_child_that_falls_silent_is_killed_and_restarted(
    tmp_path: Path, signal_number: int | None
) -> None:
    name = "silent" if signal_number is None else "obedient"
    tree = Tree(tmp_path, role(name, tmp_path / "trace", hang_s=0.6))

    async def check() -> None:
        await tree.until(lambda: tree.part(name)["state"] == "running")
        if signal_number is not None:  # SIGSTOP: only SIGKILL ends a stopped process
            os.kill(tree.part(name)["pid"], signal_number)
        await tree.until(lambda: tree.part(name)["restarts"] >= 1)

    tree.during(check)
    assert tree.part(name)["last_exit"] == -9


def test_a_child_that_can_never_work_ends_the_tree_instead_of_being_tried_for_ever(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace"
    tree = Tree(tmp_path, role("obedient", tmp_path / "other"), role("refusing", trace))

    async def check() -> None:
        await tree.until(lambda: tree.supervisor.refused is not None)

    tree.during(check)
    assert tree.supervisor.refused == "refusing"
    assert lines(trace) == ["started"]
    assert "seakeeping: no such place (choose another)" in capfd.readouterr().err


def test_one_part_dying_leaves_the_others_alone(tmp_path: Path) -> None:
    tree = Tree(tmp_path, role("crashing", tmp_path / "one"), role("obedient", tmp_path / "two"))

    async def check() -> None:
        await tree.until(lambda: tree.part("obedient")["state"] == "running")
        await tree.until(lambda: tree.part("crashing")["restarts"] >= 2)

    tree.during(check)
    assert len(lines(tmp_path / "two")) == 1
    assert tree.part("obedient")["restarts"] == 0


def test_stopping_ends_every_child_and_says_so_in_the_status_file(tmp_path: Path) -> None:
    tree = Tree(tmp_path, role("obedient", tmp_path / "trace"))
    pids: list[int] = []

    async def check() -> None:
        await tree.until(lambda: tree.part("obedient")["state"] == "running")
        pids.append(tree.part("obedient")["pid"])

    tree.during(check)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    status = json.loads(tree.status_file.read_text())
    assert status["roles"]["obedient"]["state"] == "stopped"
    assert status["roles"]["obedient"]["pid"] is None


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    program = (
        "import asyncio,os,sys;from pathlib import Path;"
        "from seakeeping.control.supervisor import Role,Supervisor;"
        f"r=Role('obedient','obedient_child',{{'trace':{str(trace)!r}}});"
        f"asyncio.run(Supervisor([r],Path({str(tmp_path)!r}),dict(os.environ)).run())"
    )

    async def live_and_die() -> int:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, env={**os.environ, "PYTHONPATH": str(CHILDREN)}
        )
        status = tmp_path / "status.json"
        while not (status.exists() and "running" in status.read_text()):
            await asyncio.sleep(0.02)
        pid: int = json.loads(status.read_text())["roles"]["obedient"]["pid"]
        parent.kill()
        await parent.wait()
        return pid

    pid = asyncio.run(asyncio.wait_for(live_and_die(), 30))
    deadline = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
