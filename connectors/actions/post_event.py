"""Action `datadog.post_event`: an event that a playbook posts as a step, for its id. `publish` is the sink's.

Who posts is handed in. Its tag `pulsebook_id` keeps the event from starting playbooks of ours.
"""

import re
from collections.abc import Mapping
from typing import Any, assert_never

import msgspec

from connectors.actions import post_event_spec
from connectors.actions.outbound import fits
from schemas.actions import Call, Done, Failed
from schemas.inbox import FailureKind
from schemas.posting import (
    AlertType,
    EventToPost,
    Posted,
    Poster,
    PostLater,
    PostRefused,
    Priority,
    fitted,
)

_MENTION = re.compile(r"@(?=\w)")


class EventArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As in the action's declared inputs."""

    title: str
    text: str
    tags: tuple[str, ...] = ()
    alert_type: AlertType = "info"
    priority: Priority = "normal"
    host: str = ""
    aggregation_key: str = ""
    mentions: bool = False


class PostEvent:
    """The action `datadog.post_event`."""

    spec = post_event_spec.SPEC

    def __init__(self, poster: Poster, host: str, port: int = 443) -> None:
        """`host`, `port`: where the poster sends to, for secrets that are bound to hosts."""
        self._poster, self._host, self._port = poster, host, port

    async def __call__(self, call: Call) -> Done | Failed:
        """One post; raises nothing but cancellation."""
        try:
            given = msgspec.convert(_without_nulls(call.arguments), EventArguments)
        except msgspec.ValidationError as error:
            return Failed("bad_input", str(error))
        if not given.title.strip():
            return Failed("bad_input", "title is empty")
        if not all(fits(self._host, self._port, hosts) for hosts in call.secret_hosts):
            return Failed("refused", f"a secret of this step is bound to other hosts than {self._host}")
        result = await self._poster.post(_event(given, call))
        match result:
            case Posted():
                return Done({"id": result.event_id, "url": result.url})
            case PostRefused() | PostLater():
                return _failed(result)
            case _:
                assert_never(result)


def _event(given: EventArguments, call: Call) -> EventToPost:
    title, text = given.title, given.text
    if not given.mentions:
        title, text = (_MENTION.sub("@\u200b", part) for part in (title, text))
    return fitted(
        EventToPost(
            title=title,
            text=text or title,
            tags=(*given.tags, f"pulsebook_id:{call.run_id}/{call.step}/{call.attempt}"),
            alert_type=given.alert_type,
            priority=given.priority,
            host=given.host,
            aggregation_key=given.aggregation_key,
        )
    )


def _failed(result: PostRefused | PostLater) -> Failed:
    if isinstance(result, PostRefused):
        return Failed("http_4xx" if result.status else "bad_input", result.reason)
    kind: FailureKind
    if result.status is None:
        kind = "unreachable"
    elif result.status == 429:
        kind = "rate_limited"
    elif result.status == 408:
        kind = "timeout"
    else:
        kind = "http_5xx" if result.status >= 500 else "http_4xx"
    return Failed(kind, result.reason, result.may_have_happened, result.retry_after_s)


def _without_nulls(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A null is what was not given: an expression often has nothing to say."""
    return {name: value for name, value in arguments.items() if value is not None}
