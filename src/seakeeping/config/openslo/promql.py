"""As much of PromQL as counts events: sums of rates of plain counters, and their differences.

    sum(rate(NAME{LABEL="VALUE", ...}[{{.window}}])) - sum(rate(...))

Such an expression means the same whoever evaluates it: increments of some counters. Anything else
(offsets, other functions, arithmetic) means something that we would have to guess, so it is refused
with the place where it begins.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seakeeping.errors import BadInput
from seakeeping.records import Match, MetricSelector, pattern

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<range>\[\s*(?:\{\{\s*\.window\s*\}\}|[0-9a-z]+)\s*\])
      | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<sign>=~|!~|!=|[-={}(),+*/<>@\[\]%^])
    )""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_PLAIN_CHOICE = re.compile(r"[\w\-/ :@#]+(?:\|[\w\-/ :@#]+)*", re.ASCII)


MOST_DEEP = 50
"""Parentheses in one expression."""


class NotPlain(ValueError):
    """An expression that is no sum of rates of plain counters."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Increments of ``plus`` without those of ``minus``."""

    plus: MetricSelector
    minus: MetricSelector | None = None


def read_counted(text: str) -> Counted:
    """Return what an expression counts; raises NotPlain.

    >>> read_counted('sum(rate(errors_total{code="500"}[{{.window}}]))').plus.name
    'errors_total'
    """
    reading = _Reading(text)
    counted = reading.difference()
    reading.end()
    return counted


def read_pattern(text: str) -> str:
    """Return the pattern if RE2 can read it; raises NotPlain."""
    try:
        pattern.check(text)
    except BadInput as error:
        raise NotPlain(f"{error.message} ({error.hint})") from error
    return text


class _Reading:
    """A cursor over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        if sum(token == "(" for _, token in self._tokens) > MOST_DEEP:
            raise NotPlain("is nested too deep")

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise NotPlain(f"does not end before {self._seen()!r}")

    def difference(self) -> Counted:
        first = self._term()
        if self._accept("-"):
            second = self._term()
            if first.minus or second.minus:
                raise NotPlain("takes away more than once")
            first = Counted(first.plus, second.plus)
        self._skip_zero()
        return first

    def selector(self) -> MetricSelector:
        if not self._peek("name") and not self._sees("{"):
            raise NotPlain(f"has {self._seen()!r}, where a metric belongs")
        name = self._next("name") if self._peek("name") else ""
        where: list[Match] = []
        if self._accept("{"):
            while not self._accept("}"):
                where.append(self._matcher())
                if not self._accept(","):
                    self._need("}")
                    break
        return _named(name, where)

    def _term(self) -> Counted:
        if self._accept("("):
            inner = self.difference()
            self._need(")")
            return inner
        if self._word("sum"):
            self._need("(")
            inner = self.difference()
            self._need(")")
            self._refuse_grouping()
            return inner
        if self._word("rate") or self._word("increase"):
            self._need("(")
            selector = self.selector()
            self._next("range")
            self._need(")")
            return Counted(selector)
        if self._is_function():
            raise NotPlain(f"uses {self._seen()}, which is not read")
        return self._bare()

    def _bare(self) -> Counted:
        selector = self.selector()
        if self._peek("range"):
            raise NotPlain("is a range, where a rate belongs")
        return Counted(selector)

    def _is_function(self) -> bool:
        after = self._tokens[self._at + 1 : self._at + 2]
        return self._peek("name") and bool(after) and after[0][1] in ("(", "by", "without")

    def _refuse_grouping(self) -> None:
        if self._peek("name") and self._seen() in ("by", "without"):
            raise NotPlain("groups the result; write one objective a group")

    def _skip_zero(self) -> None:
        """Skip ``or vector(0)``, which says what a sum of nothing is: here it is nothing anyway."""
        start = self._at
        if not (self._word("or") or self._word("OR")):
            return
        if self._word("on"):
            self._need("(")
            self._need(")")
        if not self._word("vector"):
            self._at = start
            return
        self._need("(")
        if self._next("number") != "0":
            raise NotPlain("adds a number")
        self._need(")")

    def _matcher(self) -> Match:
        label, sign = self._next("name"), self._next("sign")
        if sign not in ("=", "!=", "=~", "!~"):
            raise NotPlain(f"{sign!r} compares no label")
        return match_of(label, sign, _unquoted(self._next("text")))

    def _peek(self, kind: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at][0] == kind

    def _next(self, kind: str) -> str:
        if not self._peek(kind):
            raise NotPlain(f"has {self._seen()!r}, where a {kind} belongs")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _seen(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else "the end"

    def _sees(self, sign: str) -> bool:
        return self._peek("sign") and self._seen() == sign

    def _accept(self, sign: str) -> bool:
        found = self._sees(sign)
        self._at += found
        return found

    def _need(self, sign: str) -> None:
        if not self._accept(sign):
            raise NotPlain(f"has {self._seen()!r}, where {sign!r} belongs")

    def _word(self, word: str) -> bool:
        after = self._tokens[self._at + 1 : self._at + 2]
        is_call = word in ("or", "OR", "on") or (bool(after) and after[0][1] == "(")
        found = self._peek("name") and self._seen() == word and is_call
        self._at += found
        return found


def match_of(label: str, sign: str, value: str) -> Match:
    """Return a label matcher as a match; a pattern of plain choices becomes the choices."""
    is_in = sign in ("=", "=~")
    if "~" not in sign:
        return Match(label, (value,), is_in)
    read_pattern(value)
    inner = value[1:-1] if value.startswith("(") and value.endswith(")") else value
    if _PLAIN_CHOICE.fullmatch(inner):
        return Match(label, tuple(dict.fromkeys(inner.split("|"))), is_in)
    return Match(label, (value,), is_in, is_pattern=True)


def _named(name: str, where: Sequence[Match]) -> MetricSelector:
    rest = tuple(match for match in where if match.dimension != "__name__")
    told = [match for match in where if match.dimension == "__name__"]
    if not name and len(told) == 1 and told[0].is_in and not told[0].is_pattern:
        (name, *more) = told[0].values
        if not more and name:
            return MetricSelector(name, rest)
    if not name or told:
        raise NotPlain("names no single metric")
    return MetricSelector(name, rest)


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    if text.startswith("`"):
        return inner
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), inner)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found or found.lastgroup is None:
            raise NotPlain(f"cannot be read at {text[at : at + 20].strip()!r}")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()
