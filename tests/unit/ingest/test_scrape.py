import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prometheus_client import REGISTRY

from seakeeping.errors import BadSetting
from seakeeping.ingest.scrape import Scraper

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def target(answer: Answer) -> Iterator[str]:
    """Serve ``answer`` for every GET on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the scraper cut a slow answer off

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sends(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def scraped(answer: Answer, **limits: float) -> tuple[dict[str, float | None], str | None]:
    with target(answer) as address:
        scraper = Scraper(f"http://{address}/metrics", **limits)  # type: ignore[arg-type]
        return {p.name: p.value for p in scraper.scrape()}, scraper.error


def test_a_target_is_scraped_with_its_name_and_time() -> None:
    class Clock:
        def now(self) -> float:
            return 100.0

        def monotonic(self) -> float:
            return 5.0

    with target(sends(b"queue 3\n")) as address:
        points = Scraper(f"http://{address}", service_name="vllm", clock=Clock()).scrape()
        queue, up, duration = points
        assert (queue.name, queue.value, queue.at) == ("queue", 3.0, 100.0)
        assert queue.resource == {"service.name": "vllm", "service.instance.id": address}
        assert {p.service_name for p in points} == {"vllm"}
        assert (up.name, up.value, duration.name, duration.value) == (
            "up",
            1.0,
            "scrape_duration_seconds",
            0.0,
        )
        assert Scraper(f"http://{address}").scrape()[0].service_name == address


def test_the_request_asks_for_text_and_carries_the_password() -> None:
    seen: dict[str, str] = {}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.update(handler.headers, path=handler.path)
        sends(b"")(handler)

    with target(answer) as address:
        Scraper(f"http://me:p%40ss@{address}/m?a=b").scrape()
        assert seen["path"] == "/m?a=b"
        assert seen["Authorization"] == "Basic bWU6cEBzcw=="
        assert "openmetrics-text" in seen["Accept"]
        Scraper(f"http://{address}").scrape()
        assert seen["path"] == "/metrics"


def test_gzip_and_openmetrics_are_understood() -> None:
    body = gzip.compress(b"a 1 1700000000.5\n# EOF\n")
    answer = sends(
        body, Content_Encoding="gzip", Content_Type="application/openmetrics-text; version=1.0.0"
    )
    with target(answer) as address:
        assert Scraper(f"http://{address}").scrape()[0].at == 1_700_000_000.5


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (sends(b"", 503), "answered 503"),
        (sends(b"", 302, Location="http://127.0.0.1:1/"), "answered 302"),
        (sends(b"<html>"), "line 1: neither a comment nor a sample"),
        (sends(b"\xff 1"), "not UTF-8"),
        (sends(b"a 1\n" * 300), "more than 1000 bytes"),
        (sends(gzip.compress(b"a 1\n" * 300), Content_Encoding="gzip"), "more than 1000 bytes"),
        (sends(b"a 1\n" * 50, Content_Encoding="gzip"), "not gzip"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_bad_answer_is_told_and_the_target_is_down(answer: Answer, error: str) -> None:
    values, told = scraped(answer, limit_bytes=1000)
    assert values["up"] == 0.0
    assert set(values) == {"up", "scrape_duration_seconds"}
    assert error in (told or "")


def test_an_answer_that_ends_early_is_not_taken_for_whole() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"a 1\n")

    values, told = scraped(answer)
    assert values["up"] == 0.0
    assert "missing" in (told or "")


@pytest.mark.parametrize("part", ["header", "body"])
def test_a_target_that_drips_is_cut_off(part: str) -> None:
    stop = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if part == "body":
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b"a")
            if stop.wait(0.02):
                break

    began = time.monotonic()
    values, told = scraped(answer, timeout_s=0.2)
    stop.set()
    assert time.monotonic() - began < 3
    assert values["up"] == 0.0
    assert "longer than 0.2 s" in (told or "")


def counted(error: str) -> float:
    labels = {"where": "scrape", "error": error}
    return REGISTRY.get_sample_value("seakeeping_handled_errors_total", labels) or 0.0


def test_nobody_there_is_counted() -> None:
    with target(sends(b"")) as address:
        scraper = Scraper(f"http://{address}")
    before = counted("ConnectionRefusedError")
    assert [p.value for p in scraper.scrape() if p.name == "up"] == [0.0]
    assert "Connection refused" in (scraper.error or "")
    assert counted("ConnectionRefusedError") == before + 1


def test_a_target_that_comes_back_is_up() -> None:
    answers = iter([sends(b"", 503), sends(b"a 1")])
    with target(lambda handler: next(answers)(handler)) as address:
        scraper = Scraper(f"http://{address}")
        scraper.scrape()
        assert scraper.error is not None
        assert next(iter(scraper.scrape())).name == "a"
        assert scraper.error is None


@pytest.mark.parametrize(
    "url",
    ["", "host:8000", "file:///etc/passwd", "http://", "http://h:port", "ftp://h/", "http://h:0/"],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="scrape target"):
        Scraper(url)
