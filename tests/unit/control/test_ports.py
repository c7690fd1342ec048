import os
import socket

import pytest

from seakeeping.control.ports import free_port, owner, require_free
from seakeeping.errors import PortTaken


@pytest.fixture
def taken() -> "socket.socket":
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def test_a_taken_port_is_reported_with_its_owner(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with taken, pytest.raises(PortTaken) as caught:
        require_free("127.0.0.1", port, setting="port")
    assert f"process {os.getpid()}" in str(caught.value)
    assert "--port" in caught.value.hint


def test_the_owner_of_a_port_is_found_by_its_socket(taken: socket.socket) -> None:
    with taken:
        found = owner(taken.getsockname()[1])
    assert found is not None
    assert found[0] == os.getpid()


def test_a_free_port_has_no_owner_and_passes() -> None:
    port = free_port()
    assert owner(port) is None
    require_free("127.0.0.1", port, setting="port")


def test_an_address_that_is_not_ours_is_refused_with_the_reason() -> None:
    with pytest.raises(PortTaken, match="cannot be used"):
        require_free("192.0.2.1", 4318, setting="port")
