"""What a table of keys is made of. The tables themselves are in `keys`, those of flow in `keys_flow`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NAME = "^(?!(?:true|false|null|in)$)[A-Za-z_][A-Za-z0-9_]{0,63}$"
"""A name in expressions."""
PLAYBOOK_NAME = "^[a-z0-9-]{1,64}$"


class Key(NamedTuple):
    """One key. `takes` and `default` in the words of the docs; `takes` is one of `json_schema.FORMS`."""

    name: str
    takes: str
    about: str
    default: str = ""
    inside: str = ""
    """Title of the section that its map has, or each of its maps."""
    choices: tuple[str, ...] = ()
    """The words it takes; of `one or a list` those that are known."""
    low: float | None = None
    high: float | None = None
    """Bounds: of a number, of the items of a list, or of the keys of a map."""
    pattern: str = ""
    """Of the text, or of the keys of the map."""
    needs: str = ""
    """Another key that must stand beside it."""


class Section(NamedTuple):
    """The keys of one mapping. `title` is what an error calls it."""

    title: str
    keys: tuple[Key, ...]
    later: Mapping[str, str] = MappingProxyType({})
    """Keys that are planned and refused until then: name to what to do instead."""

    @property
    def names(self) -> tuple[str, ...]:
        """The known keys."""
        return tuple(key.name for key in self.keys)


IF = Key("if", "expression", "True or false. False: the step is skipped.")
ID = Key("id", "name", "Its name in `steps.<id>`: letters, digits and `_`.", pattern=NAME)
CONTINUE = Key("continue_on_error", "true or false", "A failure does not fail the run.", "false")
