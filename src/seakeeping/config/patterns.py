"""What a secret or a person's data looks like in text.

Regular expressions find candidates; where the field has a checksum (Luhn for cards, ISO 7064 for
IBANs) or a rule (no social security number begins with 9), it decides, for a mask over an order
number helps nobody. A pattern is tried only on text that contains one of its ``hints``, so text
without secrets costs a few substring searches.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Pattern:
    """One thing to redact: the group ``secret`` of a match, or all of it where there is none.

    Args:
        name: what the policy calls it.
        regex: finds candidates.
        hints: lower-case texts of which one must occur for the regex to be tried; empty: try it.
        accepts: says whether a candidate is one.
    """

    name: str
    regex: re.Pattern[str]
    hints: tuple[str, ...] = ()
    accepts: Callable[[str], bool] = _always

    def find(self, text: str, lowered: str) -> Iterator[tuple[int, int]]:
        """Yield where it occurs in ``text``, in code points; ``lowered`` is its lower case."""
        if self.hints and not any(hint in lowered for hint in self.hints):
            return
        group: int | str = "secret" if "secret" in self.regex.groupindex else 0
        for match in self.regex.finditer(text):
            if self.accepts(match[group]):
                yield match.span(group)


def find_all(text: str, patterns: Sequence[Pattern]) -> list[tuple[int, int, str]]:
    """Return every ``(start, end, name)`` to redact, in order, without overlaps.

    Where two overlap the union is one, named after the one that begins first.
    """
    lowered = text.lower()
    found = sorted(
        (
            (start, end, pattern.name)
            for pattern in patterns
            for start, end in pattern.find(text, lowered)
        ),
        key=lambda hit: (hit[0], -hit[1]),
    )
    return list(_merged(found))


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
    accepts: Callable[[str], bool] = _always,
    flags: re.RegexFlag = re.NOFLAG,
) -> Pattern:
    return Pattern(name, re.compile(regex, flags), hints, accepts)


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
        *("sk-", "pk-", "rk-", "sk_", "rk_", "pk_", "aiza", "hf_", "gsk_", "xai-"),
    ),
    _pattern(
        "github_token",
        _WORD + r"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}|glpat-[\w-]{20,})",
        *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    ),
    _pattern("slack_token", _WORD + r"xox[abeoprs]-[A-Za-z0-9-]{10,}", "xox"),
    _pattern(
        "aws_access_key",
        _WORD + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}" + _END,
        "akia",
        "asia",
        "abia",
        "acca",
    ),
    _pattern(
        "aws_secret_key",
        r"aws_?secret_?(?:access_?)?key[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<secret>[A-Za-z0-9/+=]{40})",
        "secret",
        flags=re.IGNORECASE,
    ),
    _pattern(
        "jwt",
        _WORD + r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        "eyj",
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
        flags=re.IGNORECASE,
    ),
    _pattern(
        "password",
        r"(?<![a-z])(?:password|passwd|pwd|client_secret|api_?key|auth_?token|access_?token)"
        r"[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<secret>[^\s\"',;]{6,256})",
        *("passw", "pwd", "client_secret", "api_key", "apikey", "token"),
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
    ),
    _pattern(
        "phone",
        r"(?<![\w.+-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"
        r"|(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4})(?![\w-]|\.\d)",
        accepts=is_phone,
    ),
    _pattern("credit_card", r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)", accepts=is_card),
    _pattern(
        "iban",
        r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])",
        accepts=is_iban,
    ),
    _pattern("ssn", r"(?<![\w-])\d{3}[- ]\d{2}[- ]\d{4}(?![\w-])", accepts=is_ssn),
)
"""Personal data."""

BUILT_IN = {pattern.name: pattern for pattern in SECRETS + PII}
"""Every pattern that a policy can name."""
