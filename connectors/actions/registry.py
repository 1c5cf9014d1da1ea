"""Which actions exist. Importing it has no side effects: lint and admission read specs, the executor builds.

What an action does is in the module of its name.
"""

from collections.abc import Collection, Mapping

import httpx

from connectors.actions import http_request_spec, log, post_event_spec
from connectors.actions.http_request import HttpRequest
from connectors.actions.post_event import PostEvent
from schemas.actions import Action, ActionSpec
from schemas.posting import Poster

_SPECS = (http_request_spec.SPEC, post_event_spec.SPEC, log.SPEC)


def specs() -> Mapping[str, ActionSpec]:
    """All actions by name, in the order of their names."""
    return {spec.name: spec for spec in sorted(_SPECS, key=lambda spec: spec.name)}


def build(
    *, client: httpx.AsyncClient, poster: Poster, datadog_url: str, allowed_hosts: Collection[str] = ()
) -> Mapping[str, Action]:
    """The actions, ready to be called. `datadog_url`: where the poster sends to. No `allowed_hosts`: any."""
    datadog = httpx.URL(datadog_url)
    port = datadog.port or (443 if datadog.scheme == "https" else 80)
    actions: tuple[Action, ...] = (
        HttpRequest(client, allowed_hosts),
        PostEvent(poster, datadog.host, port),
        log.Log(),
    )
    return {action.spec.name: action for action in actions}
