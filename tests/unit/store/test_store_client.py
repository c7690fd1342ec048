"""Addresses of stores, and which of their errors pass."""

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from seakeeping.errors import BadSetting, StoreUnavailable
from seakeeping.store.client import StoreClient, StoreError, address_of, sorted_error


def test_an_address_has_all_its_parts() -> None:
    address = address_of("clickhouses://ann:p%40ss@db.example/metrics")
    assert (address.host, address.port, address.user) == ("db.example", 8443, "ann")
    assert (address.password, address.is_secure, address.database) == ("p@ss", True, "metrics")


def test_the_embedded_store_is_opened_by_its_token() -> None:
    address = address_of("http://127.0.0.1:9999", "secret")
    assert (address.port, address.password, address.database) == (9999, "secret", "seakeeping")
    assert "secret" not in address.shown


@pytest.mark.parametrize("url", ["", "postgresql://h/db", "clickhouse://", "file:///x"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="clickhouse://"):
        address_of(url)


@pytest.mark.parametrize("name", ["a-b", "1x", "x;y", "a/b", "a b"])
def test_the_database_has_to_be_a_plain_name(name: str) -> None:
    with pytest.raises(BadSetting, match="database name"):
        address_of(f"clickhouse://h/{name}")


@pytest.mark.parametrize("code", [159, 202, 210, 241, 252, 394, 1001])
def test_what_may_pass_is_unavailable(code: int) -> None:
    error = sorted_error(DatabaseError("server response: Code: 1. why", code=code), "x")
    assert isinstance(error, StoreUnavailable)


@pytest.mark.parametrize("code", [47, 60, 62, 53])
def test_a_wrong_statement_stays_wrong(code: int) -> None:
    error = sorted_error(DatabaseError("server response: Code: 1. why", code=code), "x")
    assert isinstance(error, StoreError)
    assert error.number == code


def test_a_full_disk_says_so() -> None:
    full = "server response: Code: 1001. std::exception: No space left on device"
    error = sorted_error(DatabaseError(full, code=1001), "x")
    assert isinstance(error, StoreUnavailable)
    assert "disk is full" in str(error)


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    error = sorted_error(OperationalError("Error executing HTTP request"), "http://h:1")
    assert isinstance(error, StoreUnavailable)
    assert "http://h:1" in str(error)


def test_messages_leave_out_the_statement_and_its_values() -> None:
    text = "server response: Code: 47. Unknown x In scope SELECT 'secret'. (for url http://u)"
    assert "secret" not in str(sorted_error(DatabaseError(text, code=47), "x"))


def test_nothing_is_sent_before_the_first_question() -> None:
    client = StoreClient(address_of("http://127.0.0.1:1", "t"))
    assert not client.ping(0.5)
    with pytest.raises(StoreUnavailable):
        client.read("SELECT 1")
    with pytest.raises(StoreUnavailable):
        client.command("SELECT 1")
    with pytest.raises(StoreUnavailable):
        list(client.stream("SELECT 1", "TabSeparated"))
    client.close()
