"""Numbers and times as people read them at three in the morning: short, with a unit, no guess.

A missing value is a dash, never a zero. Ratios are stored as 0..1 and shown as percent. All times
are UTC. Used as filters by the templates; every function takes None.
"""

import math
from datetime import UTC, datetime

MISSING = "\u2013"


def count(value: float | None) -> str:
    """Return a number of things: ``1,234``, ``12.3 k``, ``4.56 M``."""
    if value is None:
        return MISSING
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{_digits(value / (1e3 if unit == 'k' else size))} {unit}"
    return f"{value:,.0f}" if value == int(value) else _digits(value)


def ratio(value: float | None) -> str:
    """Return a share as percent, finer where it is near 0 or 1: ``2.4 %``, ``99.982 %``."""
    if value is None:
        return MISSING
    percent = value * 100
    room = min(abs(percent), abs(100 - percent))
    if room == 0:
        return f"{percent:.0f} %"
    if room < 0.0001:  # never rounded up to a perfection, or down to an absence, that is not there
        return f"{'>' if percent > 1 else '<'}{99.9999 if percent > 1 else 0.0001} %"
    digits = max(0, min(4, 1 - math.floor(math.log10(room))))
    return f"{_trim(f'{percent:.{digits}f}')} %"


def whole_ratio(value: float | None) -> str:
    """Return a share as whole percent, rounded towards zero: a budget is never shown fuller."""
    return MISSING if value is None else f"{math.floor(value * 100 + 1e-9)} %"


def seconds(value: float | None) -> str:
    """Return a duration: ``640 us``, ``85 ms``, ``1.24 s``, ``2 min 3 s``, ``3 h 4 min``."""
    if value is None:
        return MISSING
    if value < 0.001:
        return f"{value * 1e6:.0f} us" if value > 0 else "0 s"
    if value < 1:
        return f"{_digits(value * 1e3)} ms"
    if value < 60:
        return f"{_digits(value)} s"
    if value < 3600:
        return f"{value // 60:.0f} min {value % 60:.0f} s"
    if value < 172_800:
        return f"{value // 3600:.0f} h {value % 3600 // 60:.0f} min"
    return f"{value / 86_400:.0f} d"


def usd(value: float | None) -> str:
    """Return a cost in dollars: ``$0.00042``, ``$1.20``, ``$12,345``."""
    if value is None:
        return MISSING
    if value == 0:
        return "$0"
    if value >= 100:
        return f"${value:,.0f}"
    return f"${value:.2f}" if value >= 0.1 else f"${value:.2g}"


def rate(value: float | None) -> str:
    """Return events a minute, the number alone: ``0.4``, ``12``, ``1,340``."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if value >= 100 else _digits(value, 2 if value < 1 else 3)


def burn(value: float | None) -> str:
    """Return a burn rate: ``0.4x``, ``14x``."""
    return (
        MISSING
        if value is None
        else f"{_digits(value, 1 if value < 0.1 else 2 if value < 10 else 3)}x"
    )


def size(value: float | None) -> str:
    """Return bytes: ``512 B``, ``4.2 MiB``."""
    if value is None:
        return MISSING
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} B" if unit == "B" else f"{_digits(value)} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def utc(at: float | None) -> str:
    """Return a moment to the second: ``2026-11-23 15:04:05Z``."""
    return MISSING if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def age(value: float | None) -> str:
    """Return how long ago something was, given the seconds since: ``12 s ago``, ``3 h ago``."""
    if value is None:
        return MISSING
    if value < 1:
        return "now"
    for limit, unit_s, unit in ((60, 1, "s"), (3600, 60, "min"), (172_800, 3600, "h")):
        if value < limit:
            return f"{int(value // unit_s)} {unit} ago"
    return f"{int(value // 86_400)} d ago"


def clip(text: str | None, length: int = 160) -> str:
    """Return the beginning of a text on one line, with an ellipsis where something is left out."""
    if text is None:
        return ""
    line = " ".join(text[: length * 2].split())
    return line if len(line) <= length and len(text) <= length * 2 else line[: length - 1] + "…"


def _digits(value: float, significant: int = 3) -> str:
    """Return that many significant digits without an exponent or trailing zeros."""
    if value == 0:
        return "0"
    places = max(0, significant - 1 - math.floor(math.log10(abs(value))))
    return _trim(f"{value:,.{min(places, 6)}f}")


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
