"""What holds of every ledger: one suite over SQLite and a real PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from tests.contract.conftest import FakeClock

from seakeeping.config.keys import hash_key
from seakeeping.errors import StoreTooNew
from seakeeping.store.ledger import Ledger, open_at


def test_a_key_opens_its_scopes_until_it_is_revoked(ledger: Ledger) -> None:
    key, secret = ledger.create_key("ci", {"receive", "read"}, by="admin")
    assert ledger.key_scopes() == {hash_key(secret): frozenset({"receive", "read"})}
    assert ledger.revoke_key(key.id, by="admin")
    assert not ledger.revoke_key(key.id, by="admin")
    assert ledger.key_scopes() == {}
    assert [k.revoked_at is None for k in ledger.list_keys()] == [False]


def test_the_secret_of_a_key_is_not_kept(ledger: Ledger) -> None:
    _, secret = ledger.create_key("ci", {"admin"}, by="admin")
    assert secret not in str(ledger.dump())


def test_the_audit_lists_newest_first_and_pages(ledger: Ledger, clock: FakeClock) -> None:
    for number in range(5):
        clock.at += 1
        ledger.audit("ann", "look", f"thing-{number % 2}", {"number": number})
    entries = ledger.audit_entries(limit=2)
    assert [entry.detail["number"] for entry in entries] == [4, 3]
    older = ledger.audit_entries(limit=10, before=entries[-1].id)
    assert [entry.detail["number"] for entry in older] == [2, 1, 0]
    assert {entry.subject for entry in ledger.audit_entries(subject="thing-1")} == {"thing-1"}
    assert older[-1].at == clock.at - 4


def test_what_changes_the_ledger_is_audited(ledger: Ledger) -> None:
    key, _ = ledger.create_key("ci", {"read"}, by="ann")
    ledger.revoke_key(key.id, by="ben")
    ledger.put_resource("Route", "chat", {"to": "a"}, by="cia", expected=0)
    ledger.delete_resource("Route", "chat", by="dan")
    ledger.erase("user-1", by="eva", interactions=3)
    actions = [(entry.actor, entry.action) for entry in reversed(ledger.audit_entries())]
    assert actions == [
        ("ann", "key.create"),
        ("ben", "key.revoke"),
        ("cia", "Route.put"),
        ("dan", "Route.delete"),
        ("eva", "subject.erase"),
    ]


def test_a_resource_is_changed_only_by_who_saw_its_version(ledger: Ledger) -> None:
    first = ledger.put_resource("Route", "chat", {"to": "a"}, by="ann", expected=0)
    assert first is not None
    assert first.version == 1
    assert ledger.put_resource("Route", "chat", {"to": "b"}, by="ben", expected=0) is None
    second = ledger.put_resource("Route", "chat", {"to": "b"}, by="ben", expected=1)
    assert ledger.resource("Route", "chat") == second
    assert ledger.put_resource("Route", "chat", {"to": "c"}, by="ann", expected=1) is None
    assert ledger.resources("Route") == [second]
    assert ledger.resource("Route", "other") is None


def test_deleting_a_resource_twice_says_so(ledger: Ledger) -> None:
    ledger.put_resource("Route", "chat", {}, by="ann", expected=0)
    assert ledger.delete_resource("Route", "chat", by="ann")
    assert not ledger.delete_resource("Route", "chat", by="ann")


def test_a_lease_has_one_holder_until_it_expires(ledger: Ledger, clock: FakeClock) -> None:
    mine = ledger.acquire("controller", "node-a", 10.0)
    assert mine is not None
    assert mine.fence == 1
    assert ledger.acquire("controller", "node-b", 10.0) is None
    clock.at += 10.5
    theirs = ledger.acquire("controller", "node-b", 10.0)
    assert theirs is not None
    assert theirs.fence == 2
    assert ledger.acquire("controller", "node-a", 10.0) is None


def test_renewing_a_lease_keeps_its_fence(ledger: Ledger, clock: FakeClock) -> None:
    first = ledger.acquire("controller", "node-a", 10.0)
    clock.at += 5
    again = ledger.acquire("controller", "node-a", 10.0)
    assert first is not None
    assert again is not None
    assert (again.fence, again.expires_at) == (first.fence, first.expires_at + 5)


def test_a_released_lease_is_free_at_once(ledger: Ledger) -> None:
    ledger.acquire("controller", "node-a", 1000.0)
    ledger.release("controller", "node-b")  # not the holder: nothing happens
    assert ledger.acquire("controller", "node-b", 10.0) is None
    ledger.release("controller", "node-a")
    taken = ledger.acquire("controller", "node-b", 10.0)
    assert taken is not None
    assert taken.fence == 2


def _together(count: int, act: Callable[[int], object]) -> list[object]:
    barrier = threading.Barrier(count)

    def go(number: int) -> object:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(go, range(count)))


def test_of_many_who_want_a_lease_at_once_one_gets_it(url: str, ledger: Ledger) -> None:
    nodes = [open_at(url) for _ in range(4)]
    for attempt in range(3):
        name = f"lease-{attempt}"

        def take(n: int, name: str = name) -> object:
            return nodes[n].acquire(name, f"node-{n}", 60.0)

        taken = _together(4, take)
        assert sum(lease is not None for lease in taken) == 1
    for node in nodes:
        node.close()


def test_of_many_who_change_a_resource_at_once_one_succeeds(url: str, ledger: Ledger) -> None:
    nodes = [open_at(url) for _ in range(4)]
    for expected in range(3):

        def put(n: int, expected: int = expected) -> object:
            return nodes[n].put_resource("Route", "chat", {}, by=f"node-{n}", expected=expected)

        done = _together(4, put)
        assert sum(made is not None for made in done) == 1
    for node in nodes:
        node.close()


def test_erasing_a_user_again_adds_up_and_moves_the_time(ledger: Ledger, clock: FakeClock) -> None:
    ledger.erase("user-1", by="ann", interactions=3)
    clock.at += 100
    ledger.erase("user-1", by="ann", interactions=2)
    assert ledger.erased() == {"user-1": clock.at}
    assert [erasure.interactions for erasure in ledger.erasures()] == [5]


def test_what_was_written_is_there_after_reopening(url: str, ledger: Ledger) -> None:
    ledger.create_key("ci", {"read"}, by="ann")
    again = open_at(url)
    assert [key.name for key in again.list_keys()] == ["ci"]
    again.close()


def test_a_newer_ledger_is_refused(url: str, ledger: Ledger) -> None:
    engine = create_engine(make_url(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE meta SET value = '99' WHERE key = 'schema_version'"))
    engine.dispose()
    with pytest.raises(StoreTooNew, match="schema 99"):
        open_at(url)


def test_opening_at_once_from_many_nodes_makes_one_ledger(url: str) -> None:
    ledgers = _together(4, lambda _: open_at(url))
    for ledger in ledgers:
        assert isinstance(ledger, Ledger)
        assert ledger.list_keys() == []
        ledger.close()


def test_a_dump_fills_an_empty_ledger_and_is_refused_by_a_full_one(
    url: str, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.create_key("ci", {"read"}, by="ann")
    ledger.put_resource("Route", "chat", {"to": "a"}, by="ann", expected=0)
    ledger.erase("user-1", by="eva", interactions=3)
    dumped = ledger.dump()
    other = open_at(f"sqlite:///{tmp_path / 'other.db'}")
    other.load(dumped)
    assert other.dump() == dumped
    other.audit("ann", "after", "restore", {})
    assert other.audit_entries()[0].id > max(entry["id"] for entry in dumped["audit"])
    with pytest.raises(IntegrityError):
        other.load(dumped)
    other.close()
