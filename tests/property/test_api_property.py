"""Whatever is asked, the API answers: a result or a named mistake, never a failure of ours."""

import tempfile
from pathlib import Path
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seakeeping.web.filters import EVALUATIONS, INTERACTIONS
from seakeeping.web.testing import Client, MemoryStore, StillClock, fill, make_room

CLOCK = StillClock()
ROOM = make_room(fill(MemoryStore(), CLOCK.now()), Path(tempfile.gettempdir()) / "nowhere", CLOCK)
CLIENT = Client(ROOM.app)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUE = TEXT | st.sampled_from(
    ["true", "false", "1", "0", "-1", "1e9", "live", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
     "0001-01-01T00:00:00+14:00", "unsupported", "cargo-search"]
)  # fmt: skip
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


NAME = st.sampled_from([p.name for p in (*INTERACTIONS, *EVALUATIONS)]) | TEXT


@QUIET
@given(
    st.sampled_from(["/api/interactions", "/api/evaluations", "/api/budgets", "/api/metrics",
                     "/api/services", "/interactions"]),
    st.dictionaries(NAME, VALUE, max_size=4),
)  # fmt: skip
def test_any_question_is_answered_or_named_as_wrong(path: str, query: dict[str, str]) -> None:
    assert CLIENT.get(f"{path}?{urlencode(query)}").status in (200, 400)


@QUIET
@given(st.sampled_from(["/api/traces/", "/api/interactions/x/", "/services/", "/interactions/x/",
                        "/static/", "/"]), TEXT)  # fmt: skip
def test_any_address_is_there_or_is_not(path: str, rest: str) -> None:
    assert CLIENT.get(path + quote(rest, safe="")).status in (200, 404)
