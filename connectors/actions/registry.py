"""Which actions exist. Importing it has no side effects: lint and admission read specs, the executor builds.

What an action does is in the module of its name.
"""

from collections.abc import Mapping

from connectors.actions import http_request_spec, log, post_event_spec
from schemas.actions import ActionSpec

_SPECS = (http_request_spec.SPEC, post_event_spec.SPEC, log.SPEC)


def specs() -> Mapping[str, ActionSpec]:
    """All actions by name, in the order of their names."""
    return {spec.name: spec for spec in sorted(_SPECS, key=lambda spec: spec.name)}
