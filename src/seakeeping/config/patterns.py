"""What a secret or a person's data looks like in text.

Regular expressions find candidates; where the field has a checksum (Luhn for cards, ISO 7064 for
IBANs) or a rule (no social security number begins with 9), it decides, for a mask over an order
number helps nobody.

Nearly all text holds nothing to mask, and every text is looked at, so what counts is the cost of
finding nothing. Each pattern stands behind gates that are cheap to ask at once for a whole text: a
long word without spaces, a run of digits, a telling piece of text. Runs are found in the text's
*shape*, one byte a character (digit, capital, other word character, separator, else).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


def _always(_: str) -> bool:
    return True


class Gate(StrEnum):
    """What a text must have for a pattern to be tried at all."""

    NONE = "none"
    LONG_WORD = "long word"
    DIGITS = "digits"
    IBAN = "iban"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One thing to redact: the group ``secret`` of a match, or all of it where there is none.

    Args:
        name: what the policy calls it.
        regex: finds candidates.
        hints: lower-case texts of which one must occur (in the long word, behind that gate); empty:
            none is needed.
        gate: what else the text must have.
        reach: how far before and behind a hint a match can lie; None: anywhere.
        accepts: says whether a candidate is one.
    """

    name: str
    regex: re.Pattern[str]
    hints: tuple[str, ...] = ()
    gate: Gate = Gate.NONE
    reach: tuple[int, int] | None = None
    accepts: Callable[[str], bool] = _always

    def windows(self, lowered: str) -> Iterator[tuple[int, int]]:
        """Yield the parts of a text, of which this is the lower case, that hints point to."""
        before, behind = self.reach or (0, 0)
        start = end = 0
        for place in sorted(place for hint in self.hints for place in _places(hint, lowered)):
            if place - before > end:
                if end:
                    yield start, end
                start = place - before
            end = place + behind
        if end:
            yield max(0, start), end

    def find(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield where it occurs in that part of ``text``, in code points."""
        group: int | str = "secret" if "secret" in self.regex.groupindex else 0
        for match in self.regex.finditer(text, start, end):
            if self.accepts(match[group]):
                yield match.span(group)


SHORTEST = 6
"""No secret has fewer characters."""

_CLASSES = {
    "0": "0123456789",
    "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "a": "abcdefghijklmnopqrstuvwxyz_/=",
    "-": "-+.() ",
}


def _table(default: str, classes: dict[str, str]) -> bytes:
    table = bytearray(default.encode() * 256)
    for name, members in classes.items():
        for member in members:
            table[ord(member)] = ord(name)
    return bytes(table)


_SHAPE = _table("?", _CLASSES)
_WORDS = _table(" ", {"w": "".join(_CLASSES.values()).translate(str.maketrans("", "", "() "))})
_LONG_WORD = b"w" * 15
_DIGIT_RUN = re.compile(rb"0[0-]{9,}")
_FEWEST_DIGITS = 9
_IBAN_START = b"AA00"
_BEFORE, _BEHIND = 3, 2
"""How far around a run of digits a number reaches: ``+(`` before it, and what must not follow."""


def _places(hint: str, text: str) -> Iterator[int]:
    place = text.find(hint)
    while place >= 0:
        yield place
        place = text.find(hint, place + 1)


class Finder:
    """Finds what some patterns describe."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Sort the patterns by the gates they stand behind."""
        self._by_gate = {gate: [p for p in patterns if p.gate is gate] for gate in Gate}

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Return every ``(start, end, name)`` to redact, in order, without overlaps.

        Where two overlap the union is one, named after the one that begins first.
        """
        if len(text) < SHORTEST:
            return []
        hits = [
            (start, end, pattern.name)
            for pattern, begin, stop in self._open(text)
            for start, end in pattern.find(text, begin, stop)
        ]
        if len(hits) < 2:
            return hits
        return list(_merged(sorted(hits, key=lambda hit: (hit[0], -hit[1]))))

    def _open(self, text: str) -> Iterator[tuple[Pattern, int, int]]:
        """Yield the patterns whose gates are open, and in which part of the text."""
        flat = text.encode("ascii", "replace")  # still one byte a code point
        shape = flat.translate(_SHAPE)
        yield from self._of_long_words(text, flat.translate(_WORDS))
        lowered = text.lower()
        is_aligned = len(lowered) == len(text)
        plain = [*self._by_gate[Gate.NONE], *self._by_gate[Gate.IBAN] * (_IBAN_START in shape)]
        for pattern in plain:
            if pattern.reach and is_aligned:
                yield from ((pattern, start, end) for start, end in pattern.windows(lowered))
            elif not pattern.hints or any(hint in lowered for hint in pattern.hints):
                yield pattern, 0, len(text)
        for run in _DIGIT_RUN.finditer(shape):
            if run[0].count(b"0") >= _FEWEST_DIGITS:
                for pattern in self._by_gate[Gate.DIGITS]:
                    yield pattern, max(0, run.start() - _BEFORE), run.end() + _BEHIND

    def _of_long_words(self, text: str, words: bytes) -> Iterator[tuple[Pattern, int, int]]:
        start = words.find(_LONG_WORD)
        while start >= 0:
            end = words.find(b" ", start)
            end = len(words) if end < 0 else end
            lowered = text[start:end].lower()
            for pattern in self._by_gate[Gate.LONG_WORD]:
                if any(hint in lowered for hint in pattern.hints):
                    yield pattern, start, end
            start = words.find(_LONG_WORD, end)


def find_all(text: str, patterns: Sequence[Pattern]) -> list[tuple[int, int, str]]:
    """Return what `Finder.find` does, for a single look."""
    return Finder(patterns).find(text)


def _merged(found: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    held: tuple[int, int, str] | None = None
    for start, end, name in found:
        if held and start < held[1]:
            held = (held[0], max(held[1], end), held[2])
            continue
        if held:
            yield held
        held = (start, end, name)
    if held:
        yield held


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def is_card(text: str) -> bool:
    """Return whether 13 to 19 digits are a payment card's: known first digits and Luhn's sum."""
    digits = _digits(text)
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456" or len(set(digits)) == 1:
        return False
    doubled = (2 * int(d) for d in digits[-2::-2])
    total = sum(int(d) for d in digits[-1::-2]) + sum(d - 9 if d > 9 else d for d in doubled)
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """Return whether a text is an IBAN: its remainder by 97 is 1 (ISO 7064)."""
    compact = text.replace(" ", "").upper()
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def is_ssn(text: str) -> bool:
    """Return whether nine digits may be a US social security number (none is 000, 666 or 9xx)."""
    area, group, serial = re.split("[- ]", text)
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def is_phone(text: str) -> bool:
    """Return whether a candidate has as many digits as a telephone number: 10 to 15."""
    return 10 <= len(_digits(text)) <= 15


def _pattern(
    name: str,
    regex: str,
    *hints: str,
    gate: Gate = Gate.NONE,
    reach: tuple[int, int] | None = None,
    accepts: Callable[[str], bool] = _always,
    flags: re.RegexFlag = re.NOFLAG,
) -> Pattern:
    return Pattern(name, re.compile(regex, flags), hints, gate, reach, accepts)


_WORD = r"(?<![A-Za-z0-9_])"
_END = r"(?![A-Za-z0-9_])"

SECRETS = (
    _pattern(
        "api_key",
        _WORD + r"(?:sk|pk|rk)-(?:[a-z]{2,12}-)*[A-Za-z0-9_-]{20,}"
        r"|" + _WORD + r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}"
        r"|" + _WORD + r"AIza[A-Za-z0-9_-]{35}"
        r"|" + _WORD + r"hf_[A-Za-z0-9]{30,}"
        r"|" + _WORD + r"gsk_[A-Za-z0-9]{40,}"
        r"|" + _WORD + r"xai-[A-Za-z0-9]{40,}",
        *("sk-", "pk-", "rk-", "sk_", "rk_", "pk_", "aiza", "hf_", "xai-"),
        gate=Gate.LONG_WORD,
    ),
    _pattern(
        "github_token",
        _WORD + r"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}|glpat-[\w-]{20,})",
        *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
        gate=Gate.LONG_WORD,
    ),
    _pattern("slack_token", _WORD + r"xox[abeoprs]-[A-Za-z0-9-]{10,}", "xox", gate=Gate.LONG_WORD),
    _pattern(
        "aws_access_key",
        _WORD + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}" + _END,
        *("akia", "asia", "abia", "acca"),
        gate=Gate.LONG_WORD,
    ),
    _pattern(
        "aws_secret_key",
        r"aws_?secret_?(?:access_?)?key[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<secret>[A-Za-z0-9/+=]{40})",
        "aws",
        reach=(0, 100),
        flags=re.IGNORECASE,
    ),
    _pattern(
        "jwt",
        _WORD + r"eyJ[A-Za-z0-9_-]{12,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        "eyj",
        gate=Gate.LONG_WORD,
    ),
    _pattern(
        "private_key",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?!-----BEGIN)[\s\S]){0,16384}?"
        r"(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        "private key",
    ),
    _pattern(
        "url_password",
        r"[a-z][a-z0-9+.-]{0,19}://[^\s/:@\"']{0,128}:(?P<secret>[^\s/@\"']{1,256})@",
        "://",
        reach=(20, 400),
        flags=re.IGNORECASE,
    ),
    _pattern(
        "password",
        r"(?<![a-z])(?:password|passwd|client_secret|api_?key|auth_?token|access_?token)"
        r"[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<secret>[^\s\"',;]{6,256})",
        *("password", "passwd", "client_secret", "api_key", "apikey"),
        *("auth_token", "authtoken", "access_token", "accesstoken"),
        reach=(8, 300),
        flags=re.IGNORECASE,
    ),
    _pattern(
        "bearer_token",
        r"(?:authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?)(?:bearer|basic)\s{1,4}(?P<secret>[\w.~+/=-]{8,})",
        "authorization",
        flags=re.IGNORECASE,
    ),
)
"""Secrets: keys, tokens and passwords."""

PII = (
    _pattern(
        "email",
        r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])",
        "@",
        reach=(65, 600),
    ),
    _pattern(
        "phone",
        r"(?<![\w.+-])"
        r"(?:\+[0-9]{1,3}[ .-]?(?:\([0-9]{1,4}\)[ .-]?)?[0-9]{1,4}(?:[ .-]?[0-9]{2,4}){2,4}"
        r"|(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4})(?![\w-]|\.[0-9])",
        gate=Gate.DIGITS,
        accepts=is_phone,
    ),
    _pattern(
        "credit_card",
        r"(?<![\w.-])[0-9](?:[ -]?[0-9]){12,18}(?![\w-]|\.[0-9])",
        gate=Gate.DIGITS,
        accepts=is_card,
    ),
    _pattern(
        "iban",
        r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"
        r"(?![A-Za-z0-9])",
        gate=Gate.IBAN,
        accepts=is_iban,
    ),
    _pattern(
        "ssn",
        r"(?<![\w-])[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}(?![\w-])",
        gate=Gate.DIGITS,
        accepts=is_ssn,
    ),
)
"""Personal data."""

BUILT_IN = {pattern.name: pattern for pattern in SECRETS + PII}
"""Every pattern that a policy can name."""
