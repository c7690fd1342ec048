"""A server that does with a connection what a test says, byte by byte."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Misbehave = Callable[[socket.socket, threading.Event], None]


@contextmanager
def hostile_server(misbehave: Misbehave) -> Iterator[str]:
    """Yield the host and port of a server whose every connection is handed to ``misbehave``.

    The event is set when the test is over.
    """
    ending = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            misbehave(connection, ending)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=serve, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ending.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


def hang(connection: socket.socket, ending: threading.Event) -> None:
    """Take the connection and say nothing."""
    ending.wait(60)


def drip(connection: socket.socket, ending: threading.Event) -> None:
    """Send a header that never ends, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not ending.wait(0.02):
        connection.sendall(b"x")


def drip_body(connection: socket.socket, ending: threading.Event) -> None:
    """Send an answer whose body never ends, a byte at a time."""
    _read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not ending.wait(0.02):
        connection.sendall(b"x")


def drip_greeting(connection: socket.socket, ending: threading.Event) -> None:
    """Greet as a mail server that never comes to the point."""
    connection.sendall(b"220-")
    while not ending.wait(0.02):
        connection.sendall(b"x")


def pour(connection: socket.socket, ending: threading.Event) -> None:
    """Send an answer that never ends, as fast as it is read."""
    _read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not ending.is_set():
        connection.sendall(b"x" * 65_536)


def saying(answer: bytes) -> Misbehave:
    """Send these bytes to whatever is asked, and close."""

    def misbehave(connection: socket.socket, ending: threading.Event) -> None:
        _read_request(connection)
        connection.sendall(answer)

    return misbehave


def reset(connection: socket.socket, ending: threading.Event) -> None:
    """Cut the connection in the middle of the request."""
    connection.recv(10)
    linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _read_request(connection: socket.socket) -> None:
    """Read all of a request: what is left unread would make of the close a reset."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (chunk := connection.recv(65_536)):
            return
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    left = int(length[1]) - len(body) if length else 0
    while left > 0 and (chunk := connection.recv(65_536)):
        left -= len(chunk)
