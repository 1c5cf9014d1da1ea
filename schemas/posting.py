"""A post to the Datadog event stream and what may come of it: what is handed to a poster.

Limits are Datadog's (v1 events). How a post is made is not here: that is `connectors.datadog`.
"""

from dataclasses import dataclass, replace
from typing import Literal, Protocol

TITLE_MAX = 100
"""Characters of a title."""
TEXT_MAX = 4_000
"""Characters of a text."""
AGGREGATION_KEY_MAX = 100
"""Characters of an aggregation key."""
DATE_AGE_MAX_S = 18 * 3_600
"""Oldest date Datadog accepts, seconds before now."""
CUT_MARK = "… [cut]"
"""Ends what was too long."""
SOURCE = "pulsebook"
"""`source_type_name` of all our events: what dashboards search as `source:pulsebook`."""

AlertType = Literal["info", "success", "warning", "error"]
Priority = Literal["normal", "low"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventToPost:
    """One event for Datadog, complete and within the limits (`fitted` makes it so)."""

    title: str
    text: str
    tags: tuple[str, ...] = ()
    alert_type: AlertType = "info"
    priority: Priority = "normal"
    host: str = ""
    aggregation_key: str = ""
    date_s: int | None = None
    """When it happened, POSIX seconds; None: now, by Datadog's clock."""
    source_type_name: str = SOURCE


@dataclass(frozen=True, slots=True)
class Posted:
    """Datadog accepted it. `event_id` is `id_str`: the number loses digits in many readers."""

    event_id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class PostRefused:
    """Datadog will never accept it. `status` 0: it was not even sent, because it breaks a known limit."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class PostLater:
    """Not now. `retry_after_s` is what Datadog asked for, None where it asked for nothing.

    `status` None: no answer at all. `may_have_happened`: the request may have left; the event may be there.
    """

    retry_after_s: float | None
    reason: str
    status: int | None = None
    may_have_happened: bool = False


PostResult = Posted | PostRefused | PostLater


class Poster(Protocol):
    """Posts events. Never raises but for cancellation."""

    async def post(self, event: EventToPost) -> PostResult: ...


def fitted(event: EventToPost) -> EventToPost:
    """The event with what is too long cut, visibly in title and text. The same object when all fits."""
    if not broken_limit(event):
        return event
    return replace(
        event,
        title=_cut(event.title, TITLE_MAX),
        text=_cut(event.text, TEXT_MAX),
        aggregation_key=event.aggregation_key[:AGGREGATION_KEY_MAX],
    )


def broken_limit(event: EventToPost) -> str:
    """The first limit the event breaks, for a person; empty when it breaks none."""
    for name, value, limit in (
        ("title", event.title, TITLE_MAX),
        ("text", event.text, TEXT_MAX),
        ("aggregation_key", event.aggregation_key, AGGREGATION_KEY_MAX),
    ):
        if len(value) > limit:
            return f"{name} has {len(value)} characters; Datadog takes at most {limit}"
    return ""


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(CUT_MARK)] + CUT_MARK
