"""Pages: nothing hostile gets through, what is missing says so, an absent store shows."""

import html.parser
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from seakeeping.web.testing import (
    Client,
    MemoryDecided,
    MemoryStore,
    StillClock,
    TestRoom,
    fill,
    fill_decided,
    make_room,
)
from seakeeping.web.testing.decided_sample import INCIDENT

CLOCK = StillClock()
SHOWPIECE = f"/interactions/{'5a11':0>32}/{'5a11':0>16}"
HOSTILE = f"/interactions/{'bad1':0>32}/{'bad1':0>16}"
EVERY_PAGE = [
    "/", "/?window=30d", "/interactions", "/interactions?label=unsupported", SHOWPIECE, HOSTILE,
    "/services/cargo-search", "/services/crew-chat?window=24h", "/services/customs-forms",
    "/objectives", "/objectives?q=cargo&state=BREACH", "/objectives/cargo-search/availability",
    "/objectives/cargo-search/faithfulness", "/objectives/crew-chat/faithfulness",
    "/incidents", "/incidents?state=open", f"/incidents/{INCIDENT}", "/incidents/bad1", "/alerts",
    "/review", f"/review?trace_id={'5a11':0>32}&span_id={'5a11':0>16}",
]  # fmt: skip


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRoom]:
    folder = tmp_path_factory.mktemp("room")
    (folder / "run").mkdir()
    roles = {"store": {"state": "running"}, "pipeline": {"state": "restarting", "restarts": 2}}
    status = {"at": CLOCK.now(), "roles": roles}
    (folder / "run" / "status.json").write_bytes(orjson.dumps(status))
    decided = fill_decided(MemoryDecided(CLOCK), CLOCK.now())
    made = make_room(fill(MemoryStore(), CLOCK.now()), folder, CLOCK, decided)
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(room: TestRoom) -> Client:
    return Client(room.app)


class Reader(html.parser.HTMLParser):
    """Collects the elements of a page, its ids, its inline code, and the text between tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def having(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for _, attrs in self.elements if name in attrs]


@pytest.mark.parametrize("url", EVERY_PAGE)
def test_no_page_holds_inline_script_or_style(client: Client, url: str) -> None:
    page = Reader(client.get(url).text)
    for tag, attrs in page.elements:
        assert tag not in ("style", "iframe", "object", "embed")
        assert tag != "script" or (attrs.get("src") or "").startswith("/static/")
        assert "style" not in attrs
        assert not any(name.startswith("on") for name in attrs)


@pytest.mark.parametrize("url", EVERY_PAGE)
def test_every_page_has_one_heading_a_title_a_language_and_unique_ids(
    client: Client, url: str
) -> None:
    page = Reader(client.get(url).text)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == tags.count("title") == tags.count("main") == 1
    assert dict(page.elements)["html"]["lang"] == "en"
    ids = [attrs["id"] for attrs in page.having("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("url", EVERY_PAGE)
def test_whatever_is_labelled_by_an_id_has_that_id(client: Client, url: str) -> None:
    page = Reader(client.get(url).text)
    ids = {attrs["id"] for attrs in page.having("id")}
    assert {attrs["aria-labelledby"] for attrs in page.having("aria-labelledby")} <= ids
    assert {attrs["data-readout"] for attrs in page.having("data-readout")} <= ids


@pytest.mark.parametrize("url", EVERY_PAGE)
def test_every_page_loads_only_our_own_files(client: Client, url: str) -> None:
    page = Reader(client.get(url).text)
    addresses = [a["src"] for a in page.having("src")]
    addresses += [a["href"] for tag, a in page.elements if tag in ("link", "use")]
    assert addresses
    for address in addresses:
        assert client.get((address or "").partition("#")[0]).status == 200


def test_hostile_text_stays_text(client: Client) -> None:
    body = client.get(HOSTILE).text
    assert "<script>alert" not in body
    assert "<img src=x" not in body
    page = Reader(body)
    assert "49" not in page.text
    assert page.text.count("<script>alert(1)</script>") >= 5


def test_hostile_names_make_links_that_lead_back(client: Client) -> None:
    page = Reader(client.get("/").text)
    links = [a["href"] or "" for a in page.having("href") if "ferry" in (a["href"] or "")]
    assert links
    answer = client.get(links[0])
    assert answer.status == 200
    assert "<ferry> & \"sons\" 'ltd'/a?b=c#d" in Reader(answer.text).text


def test_a_finding_marks_answer_and_evidence_by_code_points(client: Client) -> None:
    page = Reader(client.get(HOSTILE).text)
    marks = [attrs for tag, attrs in page.elements if tag == "mark"]
    assert [m["class"] for m in marks] == ["unsupported", "passage"]
    for mark in marks:
        assert (mark["aria-label"] or "").startswith("The ferry sails at noon.")
        assert mark["data-finding"] == "1"
        assert mark["tabindex"] == "0"


def test_the_wall_names_the_raw_rate_for_what_it_is(client: Client) -> None:
    text = Reader(client.get("/").text).text
    assert "Flagged by detector" in text
    assert "uncorrected, " in text
    assert "hallucination" not in text.lower()


def test_the_worst_service_comes_first_with_its_state_as_a_word(client: Client) -> None:
    text = Reader(client.get("/").text).text
    assert text.index("cargo-search") < text.index("harbour-assistant")
    assert "BREACH" in text
    assert "504 % over" in text
    assert "good 97 % , 96.8 to 97.2 %" in text


def test_the_strip_shows_the_parts_of_the_process_tree(client: Client) -> None:
    text = Reader(client.get("/").text).text
    assert "running store" in text
    assert "restarting pipeline 2 restarts" in text


def test_a_service_without_content_names_the_variable_to_set(client: Client) -> None:
    text = Reader(client.get("/").text).text
    assert "100 % of its calls came without their content" in text
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true" in text


def test_an_empty_wall_tells_how_to_send_the_first_trace(tmp_path: Path) -> None:
    made = make_room(MemoryStore(), tmp_path, CLOCK)
    text = Client(made.app).get("/").text
    assert "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318" in text
    assert "opentelemetry-instrument python your_app.py" in text
    made.close()


def test_a_call_without_content_names_the_variable_too(client: Client, room: TestRoom) -> None:
    call = next(c for c in room.store.calls if c.service_name == "customs-forms")
    text = Reader(client.get(f"/interactions/{call.trace_id}/{call.span_id}").text).text
    assert "Content was not captured" in text
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in text


def test_the_interaction_page_shows_conversation_scores_and_trace(client: Client) -> None:
    text = Reader(client.get(SHOWPIECE).text).text
    for shown in (
        "The fee is 42 euro a night", "number mismatch", "calls search_rules", "rules#0",
        "skipped: not applicable", "1.84 s", "310 ms", "then 22.9 tokens/s", "512 cached",
        "$0.00042", "vector search", "error timeout", "conv-17", "harbour 12", "server.address",
    ):  # fmt: skip
        assert shown in text


def test_a_store_that_is_away_is_a_banner_on_every_page(tmp_path: Path) -> None:
    store = MemoryStore()
    store.is_away = True
    made = make_room(store, tmp_path, CLOCK)
    client = Client(made.app)
    for url in ("/", "/interactions", "/services/shop", SHOWPIECE):
        answer = client.get(url)
        assert answer.status == 503
        assert "the store does not answer" in Reader(answer.text).text
        assert 'role="alert"' in answer.text
    assert "No calls yet" not in client.get("/").text
    made.close()


def test_a_wall_heals_when_the_store_comes_back(tmp_path: Path) -> None:
    store = fill(MemoryStore(), CLOCK.now())
    made = make_room(store, tmp_path, CLOCK)
    client = Client(made.app)
    store.is_away = True
    assert client.get("/").status == 503
    store.is_away = False
    assert client.get("/").status == 200
    made.close()


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("/services/nobody", 404, "no call of a service 'nobody'"),
        ("/interactions/a/b", 404, "no call b in trace a"),
        ("/nothing", 404, "Nothing is at /nothing."),
        ("/?window=2h", 400, "unknown window '2h'"),
        ("/interactions?servce=x", 400, "unknown parameter 'servce'"),
        ("/interactions?since=now", 400, "must be an ISO-8601 time"),
        ("/static/nothing.js", 404, "no asset 'nothing.js'"),
        ("/static/../app.py", 404, "no asset"),
    ],
)
def test_a_wrong_address_is_a_page_that_says_what_is_wrong(
    client: Client, url: str, status: int, words: str
) -> None:
    answer = client.get(url)
    assert answer.status == status
    assert answer.headers["content-type"].startswith("text/html")
    assert words in Reader(answer.text).text


def test_a_wrong_filter_keeps_what_was_typed(client: Client) -> None:
    page = Reader(client.get("/interactions?service=shop&since=now").text)
    typed = {a.get("name"): a.get("value") for tag, a in page.elements if tag == "input"}
    assert (typed["service"], typed["since"]) == ("shop", "now")


def test_older_calls_are_a_link_away(client: Client) -> None:
    page = Reader(client.get("/interactions?service=cargo-search").text)
    older = next(a["href"] or "" for a in page.having("rel") if a["rel"] == "next")
    second = client.get(older)
    assert second.status == 200
    assert "Newest" in Reader(second.text).text


def test_the_theme_of_the_cookie_is_on_the_page_from_the_start(client: Client) -> None:
    assert 'data-theme="dark"' in client.get("/", {"cookie": "theme=dark"}).text
    assert "data-theme=" not in client.get("/", {"cookie": 'theme=dark"><script>'}).text


def test_a_lone_surrogate_does_not_break_the_page(tmp_path: Path) -> None:
    store = fill(MemoryStore(), CLOCK.now())
    call = store.interaction(*SHOWPIECE.removeprefix("/interactions/").split("/"))
    assert call is not None
    object.__setattr__(call, "answer_text", "broken \ud83d text")
    made = make_room(store, tmp_path, CLOCK)
    assert "broken ? text" in Client(made.app).get(SHOWPIECE).text
    made.close()


def test_assets_are_kept_for_ever_under_a_name_that_changes_with_them(client: Client) -> None:
    page = Reader(client.get("/").text)
    address = next(a["href"] or "" for tag, a in page.elements if tag == "link")
    answer = client.get(address)
    assert "immutable" in answer.headers["cache-control"]
    assert "v=" in address


@pytest.mark.parametrize("name", ["htmx", "htmx-sse", "uplot"])
def test_what_is_vendored_comes_with_its_licence(client: Client, name: str) -> None:
    assert client.get(f"/static/vendor/{name}.min.js").status == 200
    licence = client.get(f"/static/vendor/{name}.LICENSE").text
    assert "Permission to use" in licence or "Permission is hereby granted" in licence


def test_health_and_readiness(client: Client, room: TestRoom) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status == 503
    assert answer.json()["checks"] == {
        "spool": False, "pipeline": False, "store": True, "controller": True,
    }  # fmt: skip


def test_metrics_are_prometheus_text(client: Client) -> None:
    answer = client.get("/metrics")
    assert answer.status == 200
    assert "# TYPE seakeeping_handled_errors_total counter" in answer.text


def test_the_wall_leads_to_what_is_wrong_now(client: Client) -> None:
    page = Reader(client.get("/").text)
    assert "2 alerts firing" in page.text
    assert "Release v42 in eu-north explains 93 %" in page.text
    assert f"/incidents/{INCIDENT}" in [a["href"] for a in page.having("href")]
    assert "harbour-assistant: slow answers" not in page.text  # resolved
