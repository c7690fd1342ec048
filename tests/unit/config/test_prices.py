"""Prices: a dated name hits its model, a sibling does not, the unknown costs None."""

import pytest

from seakeeping.config import Price, PriceTable, load_resources


def price(model: str, input: float = 1.0, output: float | None = 2.0, **rest: object) -> Price:
    providers = frozenset({str(rest.pop("provider", "openai"))})
    return Price(providers, model, input, output, **rest)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shipped() -> PriceTable:
    resources, findings = load_resources(None)
    assert findings == []
    return resources.prices


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-4o", "gpt-4o"),
        ("openai", "GPT-4o-2024-08-06", "gpt-4o"),
        ("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("azure.ai.openai", "gpt-4.1-nano", "gpt-4.1-nano"),
        ("openai", "gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
        ("openai", "text-embedding-3-small", "text-embedding-3-small"),
        ("anthropic", "claude-opus-4-20250514", "claude-opus-4"),
        ("anthropic", "claude-opus-4-5-20251101", "claude-opus-4-5"),
        ("aws.bedrock", "us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
        ("gcp.vertex_ai", "claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet"),
        ("gcp.gemini", "models/gemini-2.5-flash-preview-05-20", "gemini-2.5-flash"),
        ("gcp.gemini", "gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("mistral_ai", "mistral-large-latest", "mistral-large"),
        ("deepseek", "deepseek-chat", "deepseek-chat"),
        (None, "anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
    ],
)
def test_names_as_reported_hit_their_model(
    shipped: PriceTable, provider: str | None, model: str, expected: str
) -> None:
    found = shipped.find(provider, model)
    assert found is not None
    assert found.model == expected


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-realtime-preview"),
        ("openai", "gpt-4o-audio"),
        ("openai", "gpt-4-32k"),
        ("openai", "gpt-4"[:3]),
        ("openai", "gpt-99"),
        ("anthropic", "claude-opus-4-99"),
        ("gcp.gemini", "gemini-2.5-flash-image"),
        ("nobody", "gpt-4o"),
        ("openai", "claude-opus-4"),
        ("openai", ""),
        ("openai", None),
        ("openai", "my-fine-tune"),
    ],
)
def test_a_sibling_or_a_stranger_has_no_price(
    shipped: PriceTable, provider: str, model: str | None
) -> None:
    assert shipped.find(provider, model) is None
    assert shipped.cost(provider, model, 100, 100) is None


def test_cost_is_by_kind_of_token() -> None:
    table = PriceTable.of([price("m", 3.0, 15.0, cache_read=0.3, cache_write=3.75)])
    cost = table.cost("openai", "m", 1000, 200, cache_read_tokens=500, cache_write_tokens=300)
    assert cost == pytest.approx((200 * 3 + 500 * 0.3 + 300 * 3.75 + 200 * 15) / 1e6)


def test_cached_tokens_without_a_price_are_plain_input() -> None:
    table = PriceTable.of([price("m", 3.0, 15.0)])
    assert table.cost("openai", "m", 1000, 0, 500, 300) == pytest.approx(0.003)


def test_more_cached_than_input_never_costs_less_than_nothing() -> None:
    table = PriceTable.of([price("m", 3.0, 15.0, cache_read=0.3)])
    assert table.cost("openai", "m", 10, 0, 500) == pytest.approx(500 * 0.3 / 1e6)


def test_a_missing_count_is_a_missing_cost() -> None:
    table = PriceTable.of([price("chat"), price("embed", 0.1, None)])
    assert table.cost("openai", "chat", None, 5) is None
    assert table.cost("openai", "chat", 5, None) is None
    assert table.cost("openai", "embed", 10, None) == pytest.approx(1e-6)
    assert table.cost("openai", "chat", 0, 0) == 0


def test_the_later_row_wins() -> None:
    table = PriceTable.of([price("m", 1.0), price("m", 5.0)])
    found = table.find("openai", "m")
    assert found is not None
    assert found.input == 5.0


def test_a_row_for_one_provider_leaves_the_others() -> None:
    both = Price(frozenset({"openai", "azure.ai.openai"}), "m", 1.0, 1.0)
    table = PriceTable.of([both, price("m", 5.0)])
    for provider, expected in (("openai", 5.0), ("azure.ai.openai", 1.0)):
        found = table.find(provider, "m")
        assert found is not None
        assert found.input == expected


def test_without_a_provider_only_an_agreed_price_counts() -> None:
    table = PriceTable.of([price("m", 1.0), price("m", 5.0, provider="other"), price("n")])
    assert table.find(None, "m") is None
    assert table.find(None, "n") is not None


def test_shipped_prices_are_sane(shipped: PriceTable) -> None:
    for offers in shipped.prices.values():
        for row in offers:
            assert 0 < row.input < 200
            assert row.output is None or row.output >= row.input
            assert row.cache_read is None or row.cache_read < row.input
            assert row.cache_write is None or row.cache_write >= row.input
