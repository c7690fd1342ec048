"""The pages of what is decided, and their buttons: everything works without script."""

import html.parser
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from seakeeping.records import AlertState, BudgetState, IncidentState
from seakeeping.web.standing import STALE_S
from seakeeping.web.testing import (
    Answer,
    Client,
    MemoryDecided,
    MemoryStore,
    StillClock,
    TestRoom,
    fill,
    fill_decided,
    make_room,
)
from seakeeping.web.testing.decided_sample import INCIDENT, OLD_INCIDENT
from seakeeping.web.testing.sample import HOSTILE_NAME


@pytest.fixture
def room(tmp_path: Path) -> Iterator[TestRoom]:
    clock = StillClock()
    decided = fill_decided(MemoryDecided(clock), clock.now())
    store = MemoryStore()
    full = fill(MemoryStore(), clock.now())
    recent = clock.now() - 7200
    store.add([c for c in full.calls if c.started_at > recent], full.scores, full.spans)
    made = make_room(store, tmp_path, clock, decided)
    yield made
    made.close()


@pytest.fixture
def client(room: TestRoom) -> Client:
    return Client(room.app)


class _Words(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def words(answer: Answer) -> str:
    return " ".join(" ".join(_Words(answer.text).words).split())


def post(client: Client, url: str, **fields: str) -> Answer:
    return client.send("POST", url, body=urlencode(fields).encode())


# objectives


def test_the_list_shows_interval_target_and_budget_of_each(client: Client) -> None:
    text = words(client.get("/objectives"))
    for shown in (
        "availability", "97 % 96.8 to 97.2 %", "504 % over", "needs about 110 labels",
        "cold start: corrected by the detector's shipped error rates", "Cost per answer",
    ):  # fmt: skip
        assert shown in text


def test_the_list_is_narrowed_by_its_form(client: Client) -> None:
    text = words(client.get("/objectives?q=refusals&label=service%3Dharbour-assistant"))
    assert "Answers, not refusals" in text
    assert "Cost per answer" not in text


def test_a_wrong_parameter_shows_the_list_and_what_is_wrong(client: Client) -> None:
    answer = client.get("/objectives?srot=name")
    assert answer.status == 400
    assert "unknown parameter 'srot'" in words(answer)
    assert "Cost per answer" in words(answer)


def test_old_readings_say_so_and_are_grey(room: TestRoom, client: Client) -> None:
    room.decided.at = room.room.clock.now() - STALE_S - 90
    for url in ("/objectives", "/objectives/cargo-search/availability", "/"):
        text = words(client.get(url))
        assert "Budgets are as of 2 min ago" in text
    assert "STALE" in words(client.get("/"))
    assert "objectives stale" in client.get("/objectives").text


def test_nothing_measured_yet_is_told(tmp_path: Path) -> None:
    made = make_room(MemoryStore(), tmp_path, StillClock())
    text = words(Client(made.app).get("/objectives"))
    assert "Nothing was measured yet" in text
    made.close()


def test_one_objective_is_told_in_full(client: Client) -> None:
    text = words(client.get("/objectives/cargo-search/availability"))
    for shown in (
        "Objective 99.5 % in 30d", "Good events 97 %", "3,560 bad of 590 allowed",
        "misses 99.5 %", "page 14.4x", "firing page 6x", "region eu-north",
        "apiVersion: openslo/v1",
        "of the default pack: a document of your own replaces it",
    ):  # fmt: skip
        assert shown in text


def test_an_estimate_leads_to_its_review(client: Client) -> None:
    body = client.get("/objectives/crew-chat/faithfulness").text
    assert "/review?service=crew-chat&amp;name=faithfulness" in body
    assert "Give about 110 more labels" in body


def test_hostile_names_lead_back_to_their_page(client: Client) -> None:
    text = client.get("/objectives?q=ferry").text
    link = next(p for p in text.split('"') if p.startswith("/objectives/%3Cferry"))
    assert client.get(link).status == 200


def test_an_objective_that_can_promise_nothing_says_so(room: TestRoom, client: Client) -> None:
    first = room.decided.measured[0]
    objective = replace(first.budget.objective, name="odd", service="nobody-at-all")
    budget = replace(first.budget, objective=objective, state=BudgetState.NO_DATA)
    room.decided.measured.append(replace(first, budget=budget))
    text = client.get("/objectives/odd").text
    assert "What it promises is doubtful" in text
    assert "no service &#39;nobody-at-all&#39; has sent anything lately" in text


def test_an_unknown_objective_names_the_nearest(client: Client) -> None:
    answer = client.get("/objectives/cargo-search/availabilty")
    assert answer.status == 404
    assert "did you mean 'cargo-search/availability'" in words(answer)


def test_a_store_that_is_away_leaves_the_budget_on_the_page(room: TestRoom, client: Client) -> None:
    room.store.is_away = True
    answer = client.get("/objectives/cargo-search/availability")
    assert answer.status == 200
    assert "Good events 97 %" in words(answer)
    assert "Events, slices and examples cannot be read" in words(answer)


def test_a_ledger_that_is_away_is_a_page_that_says_so(room: TestRoom, client: Client) -> None:
    room.decided.is_away = True
    for url in ("/objectives", "/alerts", "/incidents", f"/incidents/{INCIDENT}"):
        answer = client.get(url)
        assert answer.status == 503
        assert "the ledger does not answer" in words(answer)
    assert client.get("/").status == 200  # the wall goes on without budgets


# alerts and silences


def test_alerts_are_shown_with_what_they_mean(client: Client) -> None:
    text = words(client.get("/alerts"))
    assert "2 firing, 1 pending, 1 silenced" in text
    assert "spends its 30d budget 9.7 times too fast" in text
    assert "acknowledged by ada" in text
    assert "Worst slices: region=eu-north" in text


def test_a_button_acknowledges_and_leads_back(room: TestRoom, client: Client) -> None:
    alert = next(
        a for a in room.decided.alerts()
        if a.state is AlertState.FIRING and a.acknowledged_by is None
    )  # fmt: skip
    for _ in range(2):  # pressed twice is pressed once
        answer = post(client, f"/alerts/{alert.fingerprint}/acknowledge")
        assert (answer.status, answer.headers["location"]) == (303, "/alerts")
    assert room.decided.known_alerts[alert.fingerprint].acknowledged_by == "local"


def test_an_unknown_alert_cannot_be_acknowledged(client: Client) -> None:
    assert post(client, "/alerts/0000/acknowledge").status == 404


def test_a_silence_is_made_and_ended(room: TestRoom, client: Client) -> None:
    answer = post(
        client, "/silences", matchers='service="cargo-search"\nseverity=~"page"', duration="6h",
        comment="rolling back",
    )  # fmt: skip
    assert answer.status == 303
    made = room.decided.silences()[0]
    now = room.room.clock.now()
    assert [str(m) for m in made.matchers] == ['service="cargo-search"', 'severity=~"page"']
    assert (made.ends_at - now, made.created_by, made.comment) == (21_600, "local", "rolling back")
    assert "3 silenced" in words(client.get("/alerts"))
    assert post(client, f"/silences/{made.id}/end").status == 303
    assert room.decided.known_silences[made.id].ends_at == now


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"matchers": "nonsense"}, "'nonsense' is no matcher"),
        ({"matchers": ""}, "a silence needs a matcher"),
        ({"duration": "9y"}, "unknown duration '9y'"),
        ({"comment": " "}, "a silence needs a comment"),
    ],
)
def test_a_wrong_silence_is_named_and_what_was_typed_is_kept(
    room: TestRoom, client: Client, fields: dict[str, str], message: str
) -> None:
    given = {"matchers": 'service="x"', "duration": "2h", "comment": "because", **fields}
    answer = post(client, "/silences", **given)
    assert answer.status == 400
    assert message in words(answer)
    assert given["comment"].strip() in answer.text
    assert len(room.decided.silences()) == 2


def test_the_form_is_filled_from_an_alert(client: Client) -> None:
    link = next(
        p.replace("&amp;", "&") for p in client.get("/alerts").text.split('"')
        if p.startswith("/alerts?silence=")
    )  # fmt: skip
    assert 'alertname="' in words(client.get(link.partition("#")[0]))


# incidents


def test_incidents_are_listed_and_narrowed(client: Client) -> None:
    text = words(client.get("/incidents"))
    assert "Release v42 in eu-north explains 93 % of the excess" in text
    assert "No cause found" in text
    assert "No cause found" not in words(client.get("/incidents?state=open"))
    assert "explains 93 %" not in words(client.get("/incidents?state=resolved"))
    only = words(client.get(f"/incidents?{urlencode({'service': HOSTILE_NAME})}"))
    assert "explains 93 %" not in only
    assert client.get("/incidents?state=closed").status == 400


def test_an_incident_is_told_in_full(client: Client) -> None:
    text = words(client.get(f"/incidents/{INCIDENT}"))
    for shown in (
        "release = v42", "region = eu-north", "+26.8 pp +23.1 pp to +30.6 pp", "93 %",
        "hashes hold", "1 min 30 s before the onset", "acknowledged by ada",
        "diagnosed → mitigating", "rates that rose: +6.1 pp", "The fee is 42 euro a night",
    ):  # fmt: skip
        assert shown in text


def test_a_broken_chain_is_told(room: TestRoom, client: Client) -> None:
    room.decided.broken_chains.add(INCIDENT)
    assert "not intact: entry 2 was changed" in words(client.get(f"/incidents/{INCIDENT}"))


def test_an_incident_is_acknowledged_once(room: TestRoom, client: Client) -> None:
    known = room.decided.known_incidents
    known[INCIDENT] = replace(known[INCIDENT], acknowledged_by=None, acknowledged_at=None)
    assert "Acknowledge" in client.get(f"/incidents/{INCIDENT}").text
    for _ in range(2):
        answer = post(client, f"/incidents/{INCIDENT}/acknowledge")
        assert (answer.status, answer.headers["location"]) == (303, f"/incidents/{INCIDENT}")
    actions = [entry.action for entry in known[INCIDENT].timeline]
    assert actions.count("acknowledged") == 2  # one in the sample, one now
    assert known[INCIDENT].acknowledged_by == "local"


def test_resolving_by_hand_needs_a_reason(room: TestRoom, client: Client) -> None:
    url = f"/incidents/{INCIDENT}/resolve"
    assert post(client, url, reason="  ").status == 400
    assert room.decided.known_incidents[INCIDENT].state is not IncidentState.RESOLVED
    assert post(client, url, reason="v42 is rolled back").status == 303
    text = words(client.get(f"/incidents/{INCIDENT}"))
    assert "v42 is rolled back" in text
    assert "Resolve by hand" not in text


def test_what_is_over_has_no_buttons(client: Client) -> None:
    assert "<form" not in client.get(f"/incidents/{OLD_INCIDENT}").text


@pytest.mark.parametrize("url", ["/incidents/none", "/incidents/none/acknowledge"])
def test_an_unknown_incident_is_a_page_that_says_so(client: Client, url: str) -> None:
    answer = post(client, url) if url.endswith("acknowledge") else client.get(url)
    assert answer.status == 404
    assert "no incident 'none'" in words(answer)


@pytest.mark.parametrize(
    "url",
    ["/alerts/x/acknowledge", "/silences", "/silences/x/end", f"/incidents/{INCIDENT}/resolve",
     f"/incidents/{INCIDENT}/acknowledge", "/review"],
)  # fmt: skip
def test_another_sites_page_presses_no_button(room: TestRoom, client: Client, url: str) -> None:
    answer = client.send("POST", url, {"sec-fetch-site": "cross-site"}, b"reason=x")
    assert answer.status == 403
    assert client.send("POST", url, {"origin": "https://evil.example"}, b"reason=x").status == 403
    assert room.decided.known_incidents[INCIDENT].state is IncidentState.MITIGATING


def test_an_incident_without_a_service_links_to_none(room: TestRoom, client: Client) -> None:
    known = room.decided.known_incidents
    known[INCIDENT] = replace(known[INCIDENT], service="")
    listed, one = client.get("/incidents"), client.get(f"/incidents/{INCIDENT}")
    assert (listed.status, one.status) == (200, 200)
    assert 'href="/incidents?service="' not in listed.text
    assert 'href="/services/?window' not in one.text
