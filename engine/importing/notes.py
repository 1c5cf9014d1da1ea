"""What a person should look at after an import: where in the file it came from, and what it is."""

import msgspec

from engine.yaml_values import Mark


class Note(msgspec.Struct, frozen=True):
    """One thing without a counterpart, or with one that is not quite the same. The place is in the source."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """`line:column: note: message`."""
        return f"{self.line}:{self.column}: note: {self.message}"


class Notes:
    """Gathers the notes of one import."""

    def __init__(self) -> None:
        self._found: dict[Note, None] = {}

    def add(self, mark: Mark, message: str) -> str:
        """Notes it, and gives the comment that says so in the playbook."""
        self._found.setdefault(Note(mark.line, mark.column, message))
        return f"note: {message}"

    def sorted(self) -> tuple[Note, ...]:
        """In the order of the source."""
        return tuple(sorted(self._found, key=lambda note: (note.line, note.column)))
