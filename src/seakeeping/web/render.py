"""Pages made from templates, in threads: the event loop belongs to the telemetry that arrives."""

import asyncio
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import Response

from seakeeping import __version__
from seakeeping.clock import Clock
from seakeeping.records.codec import iso
from seakeeping.web import charts, incident_page, spell, standing
from seakeeping.web.assets import Assets

_THEMES = ("light", "dark")


class Renderer:
    """Fills templates."""

    def __init__(self, assets: Assets, clock: Clock) -> None:
        self._clock = clock
        self._templates = _environment(assets)

    async def page(
        self, request: Request, template: str, *, status: int = 200, **facts: Any
    ) -> Response:
        """Return a page; ``here`` among the facts is the entry of the main menu it is under."""
        theme = request.cookies.get("theme")
        facts |= {"now": self._clock.now(), "theme": theme if theme in _THEMES else None}
        body = await asyncio.to_thread(self._render, template, facts)
        return Response(body, status, {"Cache-Control": "no-store"}, "text/html; charset=utf-8")

    def _render(self, template: str, facts: Mapping[str, Any]) -> bytes:
        text = self._templates.get_template(template).render(facts)
        # a lone surrogate, which only broken telemetry holds, must not break the page
        return text.encode("utf-8", "replace")


def _environment(assets: Assets) -> jinja2.Environment:
    templates = files("seakeeping.web") / "templates"
    sources = {t.name: t.read_text(encoding="utf-8") for t in templates.iterdir() if t.is_file()}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(sources), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    environment.filters.update({
        "count": spell.count, "ratio": spell.ratio, "whole_ratio": spell.whole_ratio,
        "seconds": spell.seconds, "usd": spell.usd, "burn": spell.burn, "size": spell.size,
        "utc": spell.utc, "age": spell.age, "clip": spell.clip, "iso": iso,
        "sentence": standing.sentence, "source": standing.source, "points": incident_page.points,
        "lasts": standing.lasts, "unsure": standing.is_unsure,
    })  # fmt: skip
    environment.globals.update(
        asset=assets.url, version=__version__, windows=tuple(charts.WINDOWS),
        bounds=standing.bounds, is_stale=standing.is_stale,
    )  # fmt: skip
    return environment
