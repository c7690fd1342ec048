"""What a model call costs, from a table that users edit: ``kind: PriceTable``.

A price is found by provider and the longest model name that the reported one begins with, where
what is left over is only a date or a version (``gpt-4o-2024-08-06`` is a ``gpt-4o``, but
``gpt-4o-mini`` is not). A model nobody priced costs None, never 0: a wrong sum that looks right
is worse than a gap that shows.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seakeeping.config.document import Section, Value, each

PER_TOKENS = 1_000_000

_REST = re.compile(
    r"(?:[-@:_](?:\d{4}-\d{2}-\d{2}|\d{3,8}|latest|stable|v\d+(?::\d+)?"
    r"|(?:preview|exp|beta)(?:-\d{2}-\d{2,4})?))*"
)
"""What may follow a model's name without making it another model."""

_REGION = re.compile(r"^(?:us|eu|apac|global|jp|au|ca)\.")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens; None: not offered, or charged like plain input."""

    providers: frozenset[str]
    model: str
    input: float
    output: float | None
    cache_read: float | None = None
    cache_write: float | None = None

    def cost(
        self, input_tokens: int, output_tokens: int, cache_read: int, cache_write: int
    ) -> float:
        """Return US dollars; ``input_tokens`` include those read from and written to a cache."""
        plain = max(0, input_tokens - cache_read - cache_write)
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        total = plain * self.input + cache_read * read + cache_write * write
        return (total + output_tokens * (self.output or 0.0)) / PER_TOKENS


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All prices by model name."""

    prices: Mapping[str, tuple[Price, ...]]

    @classmethod
    def of(cls, prices: Iterable[Price]) -> "PriceTable":
        """Return the table of these prices; of two for the same model the later one counts."""
        found: dict[str, dict[frozenset[str], Price]] = {}
        for price in prices:
            found.setdefault(price.model, {}).pop(price.providers, None)
            found[price.model][price.providers] = price
        return cls({model: tuple(reversed(by.values())) for model, by in found.items()})

    def find(self, provider: str | None, model: str | None) -> Price | None:
        """Return the price of a model as a provider reports it, or None.

        Without a provider the model's name decides, if all that offer it charge the same.
        """
        if not model:
            return None
        for provider_, name in _readings(provider, model.lower()):
            if price := self._longest(provider_, name):
                return price
        return None

    def cost(
        self,
        provider: str | None,
        model: str | None,
        input_tokens: int | None,
        output_tokens: int | None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
    ) -> float | None:
        """Return the US dollars of a call, or None where a price or a count is missing.

        Args:
            provider: in OTel spelling; None: by the model's name alone.
            model: as requested or as answered, dated or not.
            input_tokens: all of them, cached ones included.
            output_tokens: all of them, reasoning included; may be None where output is free.
            cache_read_tokens: those of the input that came from a cache.
            cache_write_tokens: those of the input that were put into one.
        """
        price = self.find(provider, model)
        if price is None or input_tokens is None:
            return None
        if output_tokens is None and price.output:
            return None
        return price.cost(
            input_tokens, output_tokens or 0, cache_read_tokens or 0, cache_write_tokens or 0
        )

    def _longest(self, provider: str | None, name: str) -> Price | None:
        for end in range(len(name), 0, -1):
            offers = self.prices.get(name[:end])
            if offers and _REST.fullmatch(name, end):
                return _offer(offers, provider)
        return None


def _offer(offers: tuple[Price, ...], provider: str | None) -> Price | None:
    if provider is not None:
        return next((price for price in offers if provider in price.providers), None)
    rates = {(p.input, p.output, p.cache_read, p.cache_write) for p in offers}
    return offers[0] if len(rates) == 1 else None


def _readings(provider: str | None, model: str) -> Iterable[tuple[str | None, str]]:
    """Yield what provider and model may mean: as reported, then without path, region and vendor.

    Routers report ``anthropic/claude-...`` and Bedrock ``us.anthropic.claude-...``.
    """
    yield provider, model
    short = _REGION.sub("", model.rpartition("/")[2])
    yield provider, short
    vendor, dot, rest = short.partition(".")
    if dot and vendor.isalpha():
        yield provider, rest


def read_price_table(document: Section) -> tuple[Price, ...]:
    """Return the prices of a ``PriceTable`` document; raises BadResource."""
    document.done("kind", "version", "name", "prices")
    return tuple(each(document.need("prices").items(), _read_price))


def _read_price(value: Value) -> Price:
    row = value.section()
    row.done("provider", "model", "input", "output", "cache_read", "cache_write")
    return Price(
        providers=frozenset(row.need("provider").texts()),
        model=row.need("model").text().lower(),
        input=row.need("input").number(low=0),
        output=_optional(row, "output"),
        cache_read=_optional(row, "cache_read"),
        cache_write=_optional(row, "cache_write"),
    )


def _optional(row: Section, key: str) -> float | None:
    value = row.get(key)
    return None if value is None else value.number(low=0)
