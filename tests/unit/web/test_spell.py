"""Numbers as people read them: short, with a unit, and a dash where nothing is known."""

from collections.abc import Callable

import pytest

from seakeeping.web import spell


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (7, "7"), (1234, "1,234"), (12_345, "12.3 k"), (4_560_000, "4.56 M"), (2.5, "2.5")],
)
def test_a_count_is_short(value: float, shown: str) -> None:
    assert spell.count(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50 %"),
        (0.024, "2.4 %"),
        (0.00123, "0.12 %"),
        (0.99982, "99.982 %"),
        (0.995, "99.5 %"),
        (0.9999999, ">99.9999 %"),
        (0.0000001, "<0.0001 %"),
        (-0.25, "-25 %"),
    ],
)
def test_a_share_is_finer_near_its_ends(value: float, shown: str) -> None:
    assert spell.ratio(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.999, "99 %"), (1.0, "100 %"), (-0.001, "-1 %"), (0.57, "57 %"), (-3.2, "-320 %")],
)
def test_a_budget_is_never_shown_fuller_than_it_is(value: float, shown: str) -> None:
    assert spell.whole_ratio(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 s"),
        (0.00064, "640 us"),
        (0.085, "85 ms"),
        (0.9996, "1,000 ms"),
        (1.239, "1.24 s"),
        (12, "12 s"),
        (123, "2 min 3 s"),
        (11_040, "3 h 4 min"),
        (200_000, "2 d"),
    ],
)
def test_a_duration_has_the_unit_that_fits(value: float, shown: str) -> None:
    assert spell.seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "$0"), (0.00042, "$0.00042"), (1.2, "$1.20"), (12_345, "$12,345"), (0.05, "$0.05")],
)
def test_a_cost_is_in_dollars(value: float, shown: str) -> None:
    assert spell.usd(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.4, "0.4"), (12, "12"), (1340, "1,340")])
def test_a_rate_is_a_number_a_minute(value: float, shown: str) -> None:
    assert spell.rate(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(0, "0x"), (0.4, "0.4x"), (14.44, "14.4x")])
def test_a_burn_rate_is_a_factor(value: float, shown: str) -> None:
    assert spell.burn(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 B"), (512, "512 B"), (4_404_019, "4.2 MiB"), (5e12, "4,657 GiB")],
)
def test_bytes_have_binary_units(value: float, shown: str) -> None:
    assert spell.size(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-4, "now"), (0.4, "now"), (12, "12 s ago"), (61, "1 min ago"), (7300, "2 h ago"),
     (400_000, "4 d ago")],
)  # fmt: skip
def test_an_age_is_whole_and_never_in_the_future(value: float, shown: str) -> None:
    assert spell.age(value) == shown


def test_a_moment_is_utc_to_the_second() -> None:
    assert spell.utc(1_764_000_000.9) == "2025-11-24 16:00:00Z"


@pytest.mark.parametrize(
    "spelling",
    [
        spell.count, spell.ratio, spell.whole_ratio, spell.seconds, spell.usd, spell.rate,
        spell.burn, spell.size, spell.utc, spell.age,
    ],
)  # fmt: skip
def test_a_missing_value_is_a_dash_never_a_zero(spelling: Callable[[float | None], str]) -> None:
    assert spelling(None) == "\u2013"


def test_a_long_text_is_clipped_to_one_line() -> None:
    assert spell.clip("a\n b\t c") == "a b c"
    assert spell.clip("x" * 500, 10) == "x" * 9 + "…"
    assert spell.clip(None) == ""
    assert spell.clip(" " * 900 + "x", 10).endswith("…")
