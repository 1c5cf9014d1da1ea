"""Filling the secret slots that the playbook declared in a step's arguments; texts are never scanned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.actions import SecretSlot
from schemas.secrets import Secret

FindSecret = Callable[[str], Secret | None]


class SlotProblem(Exception):
    """A slot cannot be filled; the message is for a person and holds no secret."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Arguments with secrets in the clear, and the secrets used."""

    arguments: Mapping[str, Any]
    secrets: tuple[Secret, ...] = ()

    def __repr__(self) -> str:
        return f"Filled({', '.join(map(repr, self.secrets))})"


def filled(arguments: Any, slots: Sequence[SecretSlot], find: FindSecret) -> Filled:
    """The arguments with every slot filled; what was given is not changed.

    Raises SlotProblem for arguments that are no mapping, a secret that is not set, a path that is not there.
    """
    if not isinstance(arguments, dict):
        raise SlotProblem("its arguments are no mapping")
    if not slots:
        return Filled(arguments)
    secrets: dict[str, Secret] = {}
    for slot in slots:
        if slot.name in secrets:
            continue
        secret = find(slot.name)
        if secret is None:
            raise SlotProblem(
                f"secret {slot.name} is not set on this executor (pulsebook secret set {slot.name}, with the "
                "PULSEBOOK_DATA_DIR or PULSEBOOK_SECRETS_DIR of the executor)"
            )
        secrets[slot.name] = secret
    value: Any = arguments
    for slot in slots:
        value = _with(value, slot.path, 0, secrets[slot.name].value)
    return Filled(value, tuple(secrets.values()))


def _with(value: Any, path: Sequence[str], depth: int, secret: str) -> Any:
    """A copy of the value, as deep as the path, with the secret at its end."""
    if depth == len(path):
        return secret
    part = path[depth]
    if isinstance(value, dict) and part in value:
        return {**value, part: _with(value[part], path, depth + 1, secret)}
    if isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
        at = int(part)
        return [*value[:at], _with(value[at], path, depth + 1, secret), *value[at + 1 :]]
    raise SlotProblem(f"its arguments have no place {'.'.join(path)} for a secret")
