"""A notification as Slack's blocks, within the limits that Slack documents.

What alerts say is escaped, so that a text of a model or a user can neither mention a channel nor
hide an address behind a word.
"""

from typing import Any

from seakeeping.decide.notify.wording import (
    alert_title,
    clip,
    details,
    diagnosis_lines,
    headline,
    one_line,
    page_of,
    spoken,
    summary,
)
from seakeeping.records import Alert, Notification, Severity

Block = dict[str, Any]

_HEADER = 150
_SECTION = 3000
_TEXT = 4000
_ADDRESS = 2000
_MOST_SHOWN = 10
"""Alerts that are shown in full; the page has them all."""


def fallback(said: Notification | str) -> str:
    """Return the line for where no blocks are shown: notifications, screen readers, search."""
    if isinstance(said, str):
        return clip(said, _TEXT, escape)
    told = summary(said)
    return clip(f"{headline(said)}: {told}" if told else headline(said), _TEXT, escape)


def message_blocks(notification: Notification, external_url: str) -> list[Block]:
    """Return the blocks of a message: at most 20."""
    shown = notification.alerts[:_MOST_SHOWN]
    more = len(notification.alerts) - len(shown) + notification.truncated
    blocks = [_header(f"{_sign(notification)} {headline(notification)}")]
    if told := summary(notification):
        blocks.append(_section(clip(told, _SECTION, escape)))
    if lines := list(diagnosis_lines(notification)):
        blocks.append(_section(clip("\n".join(lines), _SECTION, escape)))
    blocks += [_section(_alert_text(alert)) for alert in shown]
    if more:
        blocks.append(_section(f"and {more} more"))
    if page := page_of(notification, external_url):
        blocks.append(_link(page))
    blocks.append(_context(notification))
    return blocks


def escape(text: str) -> str:
    """Return text in which nothing is markup of Slack's.

    >>> escape("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sign(notification: Notification) -> str:
    if notification.status == "resolved":
        return "\U0001f7e2"
    is_page = any(alert.severity is Severity.PAGE for alert in notification.alerts)
    return "\U0001f534" if is_page else "\U0001f7e1"


def _alert_text(alert: Alert) -> str:
    lines = [alert_title(alert), *(f"{name}: {one_line(text)}" for name, text in details(alert))]
    return clip("\n".join(lines), _SECTION, escape)


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": clip(text, _HEADER)}}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _link(page: str) -> Block:
    # no button: Slack wants to ask an app of ours what a click on it means
    return _section(f"<{escape(page)[:_ADDRESS].replace('|', '%7C')}|Open>")


def _context(notification: Notification) -> Block:
    told = f"{notification.reason}, {spoken(notification.at)}"
    if notification.incident and notification.incident.acknowledged_by:
        told += f", acknowledged by {notification.incident.acknowledged_by}"
    text = clip(one_line(told), _SECTION, escape)
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
