"""A real Prometheus scrapes the budgets, and answers with the names that Sloth's boards ask for."""

import time
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from tests.receivers.prometheus import RunningPrometheus, running_prometheus

from seakeeping.clock import SystemClock
from seakeeping.observe.budget import Counted, columns_of, measure_all
from seakeeping.records import Counts, Indicator, Objective, Reading
from seakeeping.web.events import EventHub
from seakeeping.web.health import Health
from seakeeping.web.reader import Reader
from seakeeping.web.room import Place
from seakeeping.web.testing.served import served

pytestmark = pytest.mark.needs_prometheus

HERE = '{sloth_id="shop-availability",sloth_service="shop",sloth_slo="availability"}'
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def reading() -> Reading:
    """Return a budget of which two fifths are left: 6 bad of 1,000 at 99 %."""
    objective = Objective(
        "shop/availability", "shop", Indicator("availability", "calls", "good calls"), 0.99
    )
    period = [1000, 6, 1000, 6, 0, 0, 0.04, 8]
    look = np.array([[columns_of(Counts(100, 2, 100, 2))]])
    (budget,) = measure_all([Counted(objective, period)], time.time(), (3600,), look)
    return Reading(budget, {}, None, 5000.0, 41.5, TRACE)


def await_value(server: RunningPrometheus, expression: str) -> float:
    """Return the value of an expression as soon as there is one."""
    end = time.monotonic() + 30
    while not server.series(expression, time.time()):
        assert time.monotonic() < end, f"nothing was scraped for {expression}"
        time.sleep(0.1)
    return server.value(expression, time.time())


def test_prometheus_reads_what_sloths_boards_ask_for(tmp_path: Path) -> None:
    found = [reading()]
    reader = Reader()
    place = Place(tmp_path, tmp_path / "run", 1 << 20, "http://127.0.0.1:4318")
    health = Health(place, reader, lambda: None, SystemClock(), lambda: found)
    with served(Starlette(routes=health.routes()), EventHub()) as url:
        config = (
            "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: seakeeping, "
            f"static_configs: [{{targets: ['{url.removeprefix('http://')}']}}]}}]\n"
        )
        with running_prometheus(tmp_path, config) as server:
            remaining = "slo:period_error_budget_remaining:ratio" + HERE
            assert await_value(server, remaining) == pytest.approx(1 - 0.005 / 0.01)
            for name, value in {
                "slo:objective:ratio": 0.99,
                "slo:error_budget:ratio": 0.01,
                "slo:time_period:days": 30,
                "slo:sli_error:ratio_rate1h": 0.02,
                "slo:sli_error:ratio_rate30d": 0.005,
                "slo:period_burn_rate:ratio": 0.5,
                "seakeeping_slo_budget_remaining_ratio": 0.4,
                "seakeeping_slo_bad_events_total": 41.5,
                "sloth_slo_info": 1,
            }.items():
                expression = name + HERE
                assert await_value(server, expression) == pytest.approx(value), name
            state = 'seakeeping_slo_state{seakeeping_slo_state="UNCERTAIN"}'
            assert await_value(server, state) == 1
            found.clear()  # an objective that is gone is not told any more
            end = time.monotonic() + 30
            while server.series(remaining, time.time()):
                assert time.monotonic() < end
                time.sleep(0.2)
    reader.close()
