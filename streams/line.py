"""A queue of one reader that looks at its head and takes what is ready in bursts."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(Generic[T]):
    """First in, first out. Waiting costs nothing while something is there."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    def append(self, item: T) -> None:
        """Add at the end."""
        self._items.append(item)
        self._filled.set()

    async def head(self) -> T:
        """The first item, which stays; waits for one."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        return self._items[0]

    def peek(self) -> T | None:
        """The first item, which stays; None where there is none."""
        return self._items[0] if self._items else None

    def popleft(self) -> T:
        """Take the first item."""
        return self._items.popleft()
