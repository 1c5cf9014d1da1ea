"""What an action is, declared: its specification, what a run pins of it, and the call it is given.

How an action does its work is not here: that is `connectors`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from schemas.fields import Json, Record, doc

Category = Literal["enrich", "mitigate", "notify", "collaborate"]


class PinnedAction(Record, frozen=True, kw_only=True):
    """What a run may assume of an action for its whole life."""

    name: Annotated[str, doc("Action name, such as http.request.")]
    repeatable: Annotated[bool, doc("May be run again after a crash, unless `unrepeatable_when` holds.")]
    unrepeatable_when: Annotated[
        Json, doc("Input name to list of values (compared without case) that make it unrepeatable.")
    ] = {}
    url_inputs: Annotated[tuple[str, ...], doc("Inputs whose filled-in parts are percent-encoded.")] = ()


class ActionSpec(Record, frozen=True, kw_only=True):
    """An action as its users see it."""

    name: Annotated[str, doc("Action name.")]
    description: Annotated[str, doc("One sentence.")]
    category: Annotated[Category, doc("What it is for.")]
    inputs: Annotated[Json, doc("JSON Schema (object) of its inputs.")]
    outputs: Annotated[Json, doc("JSON Schema of its output.")]
    pinned: Annotated[PinnedAction, doc("What a run pins.")]
    sensitive_outputs: Annotated[tuple[str, ...], doc("Output fields that are never recorded.")] = ()


class SecretSlot(Record, frozen=True, kw_only=True):
    """A place in the arguments that the executor fills with a secret."""

    path: Annotated[tuple[str, ...], doc("Keys (and list indices as text) from the top of the arguments.")]
    name: Annotated[str, doc("Name of the secret.")]


@dataclass(frozen=True, slots=True)
class Call:
    """What an action is given. Never logged as a whole: `arguments` hold secrets in the clear."""

    run_id: str
    step: str
    attempt: int
    arguments: Mapping[str, Any]
    idempotency_key: str
    timeout_s: float
    repeatable: bool
    secret_hosts: tuple[tuple[str, ...], ...] = ()
    """For each secret in `arguments` that is bound to hosts, those hosts: a request must fit one of each."""
    mask: Callable[[str], str] = str
    """Makes *** of the secrets in a text. For texts that are then cut or whose spaces change: nobody would
    find what is left of a secret."""


@dataclass(frozen=True, slots=True)
class Done:
    """The action did its work; `output` is any JSON value (before `select`)."""

    output: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The action did not do its work.

    `may_have_happened`: the request may have left and have had its effect (timeout, reset, 5xx): for an
    unrepeatable step the outcome is then unknown.
    """

    kind: str
    message: str
    may_have_happened: bool = False
    retry_after_s: float | None = None


class Action(Protocol):
    """One thing that can be done to the world."""

    @property
    def spec(self) -> ActionSpec: ...

    def __call__(self, call: Call) -> Awaitable[Done | Failed]: ...
