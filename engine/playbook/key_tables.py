"""What a table of keys is made of. The tables themselves are in `keys`, those of flow in `keys_flow`."""

from typing import NamedTuple


class Key(NamedTuple):
    """One key. `takes` and `default` in the words of the docs."""

    name: str
    takes: str
    about: str
    default: str = ""


class Section(NamedTuple):
    """The keys of one mapping. `title` is what an error calls it."""

    title: str
    keys: tuple[Key, ...]
    later: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The known keys."""
        return tuple(key.name for key in self.keys)


IF = Key("if", "expression", "True or false. False: the step is skipped.")
ID = Key("id", "name", "Its name in `steps.<id>`: letters, digits and `_`.")
CONTINUE = Key("continue_on_error", "true or false", "A failure does not fail the run.", "false")
