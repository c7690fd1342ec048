"""Judges: models that label answers in people's stead, and what they may spend.

The key of an endpoint is named, never written: ``key_env`` is the environment variable that holds
it. A judge without a price needs one, because a budget in dollars that cannot be counted is none.
"""

from dataclasses import dataclass

from seakeeping.config.document import Section, each
from seakeeping.config.settings import is_http_address
from seakeeping.records import EVALUATION_KINDS


@dataclass(frozen=True, slots=True)
class JudgeChoice:
    """A judge as a resource says it; prices are US dollars per million tokens."""

    name: str
    url: str
    model: str
    evaluations: tuple[str, ...]
    key_env: str | None = None
    calls_per_hour: int = 60
    usd_per_day: float = 1.0
    input_usd: float = 0.0
    output_usd: float = 0.0


def read_judge(document: Section) -> JudgeChoice:
    """Return the judge of a ``Judge`` document; raises BadResource."""
    document.done(
        "kind", "version", "name", "url", "model", "evaluations", "key_env", "calls_per_hour",
        "usd_per_day", "input", "output",
    )  # fmt: skip
    url, evaluations = document.need("url"), document.get("evaluations")
    if not is_http_address(url.text()):
        url.fail(f"{url.text()!r} is not an http address")
    if evaluations is not None:
        kinds = tuple(EVALUATION_KINDS)
        names = tuple(each(evaluations.items(), lambda item: item.choice(kinds)))
    else:
        names = ("faithfulness",)
    key_env, per_hour = document.get("key_env"), document.get("calls_per_hour")
    per_day = document.get("usd_per_day")
    return JudgeChoice(
        name=document.need("name").text(),
        url=url.text(),
        model=document.need("model").text(),
        evaluations=names,
        key_env=key_env.text() if key_env else None,
        calls_per_hour=int(per_hour.number(low=1, high=100_000)) if per_hour else 60,
        usd_per_day=per_day.number(low=0) if per_day else 1.0,
        input_usd=document.need("input").number(low=0),
        output_usd=document.need("output").number(low=0),
    )
