"""Rows that remember which of them changed: whose timers have to be looked at again."""

from typing import Any


class Watched(dict[str, Any]):
    """Rows that remember which of them changed."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[str] = set()

    def __setitem__(self, key: str, row: Any) -> None:
        self.changed.add(key)
        super().__setitem__(key, row)

    def pop(self, key: str, *default: Any) -> Any:
        self.changed.add(key)
        return super().pop(key, *default)

    def take(self) -> set[str]:
        """Keys of rows that changed since the last time."""
        changed, self.changed = self.changed, set()
        return changed
