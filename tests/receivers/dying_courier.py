"""A process that puts messages and delivers them, and dies by SIGKILL at its n-th step.

Its one child after the other has one more step to live, until one lives to the
end; after each death a new child does the rest, as after a restart. A step is every statement and
every commit of the ledger, and every byte stream to or from a receiver, before and after.

    python -m tests.receivers.dying_courier FOLDER KIND URL ENV_NAME   prints the number of steps
"""

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from tests.receivers.samples import a_message, a_resolution, an_alert
from tests.receivers.slack import CHANNEL
from urllib3.connection import HTTPConnection

from seakeeping.clock import SystemClock
from seakeeping.decide.notify.courier import Courier
from seakeeping.records import Notification, NotificationTarget, TargetKind
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.outbox import DeliveryState, Outbox

MOST_STEPS = 2000


def messages(target: str) -> list[Notification]:
    return [
        a_message(target=target),
        a_message([an_alert("latency")], target=target, group_key="bot/latency"),
        a_resolution(2, target=target),
    ]


def work(ledger: Ledger, target: NotificationTarget) -> None:
    """Put and deliver everything; what was done before is not done again."""
    name = target.name
    outbox = Outbox(ledger)
    outbox.recover()
    for message in messages(name):
        outbox.put(message)
    courier = Courier(outbox, [target], SystemClock())
    while courier.deliver_due().delivered:
        pass
    assert set(outbox.counts()) == {(name, DeliveryState.DELIVERED)}, outbox.deliveries()


def die_at(step: int) -> None:
    """Kill this process at its ``step``-th step from now, never where it is 0."""
    left = step

    def tick(*_: object, **__: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, tick)
    for name in ("request", "getresponse"):
        setattr(HTTPConnection, name, ticking(getattr(HTTPConnection, name), tick))


def ticking(method: Callable[..., Any], tick: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tick()
        result = method(*args, **kwargs)
        tick()
        return result

    return wrapped


def in_child(task: Callable[[], None]) -> int:
    """Return how a child ended that did a task: 0, or a negative signal."""
    if (child := os.fork()) == 0:
        status = 1
        try:
            task()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, kind: str, url: str, secret_env: str) -> None:
    options = {"channel": CHANNEL, "per_minute": "60000"}
    empty = folder / "empty.db"
    open_at(f"sqlite:///{empty}").close()
    for step in range(1, MOST_STEPS):
        target = NotificationTarget(f"it-{step}", TargetKind(kind), url, secret_env, options)
        place = shutil.copy(empty, folder / f"{step}.db")

        def live(at: int, to: NotificationTarget = target, place: str = str(place)) -> None:
            ledger = open_at(f"sqlite:///{place}")
            die_at(at)
            work(ledger, to)

        ended = in_child(lambda live=live, at=step: live(at))  # type: ignore[misc]
        assert ended in (0, -signal.SIGKILL), ended
        rest = in_child(lambda live=live: live(0))  # type: ignore[misc]
        assert rest == 0, f"after a death at step {step}"
        if ended == 0:
            print(step)
            return
    raise AssertionError("it never came to its end")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:5])
