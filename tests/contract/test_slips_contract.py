"""What people see of the outbox, the same on SQLite and on PostgreSQL."""

import pytest
from tests.contract.test_outbox_contract import LABELS, change, deliver, message

from seakeeping.records import Incident, IncidentState, Severity
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.outbox import DeliveryState, Outbox
from seakeeping.store.ledger.slips import LARGEST_READ, Slips
from seakeeping.store.ledger.tables import OUTBOX


@pytest.fixture
def outbox(ledger: Ledger) -> Outbox:
    return Outbox(ledger)


@pytest.fixture
def slips(ledger: Ledger) -> Slips:
    return Slips(ledger)


def test_a_line_tells_what_a_message_is_about(outbox: Outbox, slips: Slips) -> None:
    incident = Incident("i7", "t", "bot", IncidentState.OPEN, Severity.PAGE, 1_789_999_000.0)
    outbox.put(message(incident=incident))
    (slip,), (whole,) = slips.find(), outbox.deliveries()
    assert (slip.labels, slip.alerts, slip.change) == ({"service": "bot", **LABELS}, 1, None)
    assert (slip.incident_id, slip.reason) == ("i7", "new")
    shared = ("id", "key", "target", "state", "attempts", "due_at", "made_at", "done_at", "error")
    assert [getattr(slip, name) for name in shared] == [getattr(whole, name) for name in shared]


def test_a_change_is_told_whole(outbox: Outbox, slips: Slips) -> None:
    outbox.put(change("deploy-7"))
    (slip,) = slips.find()
    assert slip.change == outbox.due()[0].notification.change
    assert (slip.reason, slip.alerts, slip.incident_id) == ("change", 0, None)


@pytest.mark.parametrize("text", ["\ud800", "日本語 \U0001f6a8", "a\"b'c", "<script>", "\x1b[31m"])
def test_any_text_comes_through(outbox: Outbox, slips: Slips, text: str) -> None:
    outbox.put(message(group_labels={"service": text}, common_labels={}))
    labels = slips.find()[0].labels
    assert labels["service"] == outbox.deliveries()[0].notification.group_labels["service"]


def test_lines_are_narrowed_by_target_and_state_and_paged(outbox: Outbox, slips: Slips) -> None:
    outbox.put(*(message(n, group_key=f"g{n}") for n in range(5)), message(target="chat"))
    deliver(outbox, outbox.due(target="pager")[0])
    assert len(slips.find(target="pager")) == 5
    assert [s.target for s in slips.find(target="chat")] == ["chat"]
    (done,) = slips.find(state=DeliveryState.DELIVERED)
    assert (done.state, done.attempts) == (DeliveryState.DELIVERED, 1)
    assert slips.find(target="chat", state=DeliveryState.DELIVERED) == []
    first = slips.find(limit=4)
    rest = slips.find(limit=4, before=first[-1].id)
    ids = [slip.id for slip in (*first, *rest)]
    assert len(rest) == 2
    assert ids == sorted(ids, reverse=True)


def test_only_the_last_message_of_a_group_is_not_past(outbox: Outbox, slips: Slips) -> None:
    outbox.put(message(), message(2), message(group_key="other"), message(target="chat"))
    assert [(slip.id, slip.is_past) for slip in reversed(slips.find())] == [
        (1, True), (2, False), (3, False), (4, False),
    ]  # fmt: skip


def test_one_line_is_found_by_its_id(outbox: Outbox, slips: Slips) -> None:
    outbox.put(message(), message(2))
    found = slips.get(2)
    assert found is not None
    assert found.id == 2
    assert slips.get(3) is None


def test_a_message_of_another_version_is_shown_all_the_same(
    outbox: Outbox, slips: Slips, ledger: Ledger
) -> None:
    outbox.put(message())
    with ledger.transaction() as connection:
        connection.execute(OUTBOX.update().values(payload={"change": {"new": "shape"}}))
    (slip,) = slips.find()
    assert (slip.target, slip.labels, slip.alerts) == ("pager", {}, None)


def test_a_message_too_large_for_a_line_is_named_by_its_key(outbox: Outbox, slips: Slips) -> None:
    outbox.put(message(annotations={"summary": "x" * LARGEST_READ}))
    (slip,) = slips.find()
    assert (slip.labels, slip.alerts) == ({}, None)
    assert slip.key == "pager/bot/availability/1"
