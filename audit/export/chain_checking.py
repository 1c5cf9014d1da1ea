"""Walks along a chain of rows and says what the first break of it means: altered, removed, added or moved.

A chain that nobody touched goes on by itself: each row is number n, has for `previous` the hash of row n - 1,
and its own hash fits what it says. Where that ends for the first time, the rows around it tell what was done:

    what is seen at a row                                what was done
    its own hash does not fit what it says               it was altered
    a later row goes on from the row before it           it was added, and what stands up to that later row;
                                                         or, if that is the number that is due here: moved
    its number leaves some out                           those were removed
    it goes on from the same row as the row before it    the row before it was added
    its number fits, its predecessor's hash does not     the row before it was altered, its hash made anew

Whoever makes all hashes anew from there on leaves no break: that shows in the head alone, which is therefore
to be kept elsewhere. Pure: no file here, see `audit.export.chain_file`.
"""

from dataclasses import dataclass
from typing import Literal

from audit.export.chain import Link

Kind = Literal[
    "altered", "removed", "added", "moved", "description", "unreadable", "head", "manifest", "not an export"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was exported. `number` and place: the first record that it concerns, where
    that is known; of removed ones `number` is the first that is missing.
    """

    kind: Kind
    text: str
    number: int | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


def place_of(link: Link) -> str:
    """Where a record lies, as people write it: run-journal/3/17."""
    return f"{link.place[0]}/{link.place[1]}/{link.offset}"


class ChainChecking:
    """Takes the rows one after the other; `finding` says at the end what the first break means."""

    def __init__(self, beginning: str) -> None:
        self.last: Link | None = None
        """The last row that was taken."""
        self.count = 0
        """How many rows were taken."""
        self._due, self._number_due = beginning, 1
        self._before: Link | None = None
        self._broken: Link | None = None
        self._next: Link | None = None
        self._goes_on: Link | None = None
        self._put_in: list[Link] = []
        """First and last of the rows between the break and `_goes_on`, and how many they are."""
        self._put_in_count = 0
        self._put_in_is_missed = False

    @property
    def head(self) -> str:
        """The hash of the last row, or the beginning where there is none."""
        return self._due if self.last is None else self.last.own

    def take(self, link: Link) -> None:
        """The next row of the file."""
        self.count += 1
        if self._broken is not None:
            self._take_behind(link)
        elif link.previous == self._due and link.own == link.computed and link.number == self._number_due:
            self._due, self._number_due = link.own, link.number + 1
            self._before = link
        else:
            self._broken = link
        self.last = link

    def _take_behind(self, link: Link) -> None:
        if self._next is None:
            self._next = link
        if link.previous == self._due and (self._goes_on is None or link.number == self._number_due):
            self._goes_on, self._put_in_is_missed = link, False
            self._put_in = [one for one in (self._broken, self.last) if one is not None]
            self._put_in_count = self.count - self._number_due
        elif link.previous in {one.own for one in self._put_in}:
            self._put_in_is_missed = True

    def finding(self) -> Finding | None:
        """What the first break means; None where there is none."""
        broken = self._broken
        if broken is None:
            return None
        if self._goes_on is not None:
            return self._between(broken, self._goes_on)
        if not broken.is_whole:
            return _found("altered", broken, "does not fit its hash: it was altered")
        if broken.previous == self._due:
            return _found("altered", broken, "has another number than its place: it was altered")
        return self._other_predecessor(broken)

    def _between(self, broken: Link, goes_on: Link) -> Finding:
        """What stands before the row that goes on: from elsewhere in the file, if it is missed there."""
        is_missed = self._put_in_is_missed or self.count in {one.number for one in self._put_in}
        if broken.is_whole and broken.number > self._number_due == goes_on.number and is_missed:
            why = f"stands where {_named(goes_on)} belongs, which comes later: the order was changed"
            return _found("moved", broken, why)
        more = f", and so were the {self._put_in_count - 1} behind it" if self._put_in_count > 1 else ""
        return _found("added", broken, f"was added{more}")

    def _other_predecessor(self, broken: Link) -> Finding:
        before = self._before
        if before is None and broken.number == 1:
            text = "the file's description of itself was altered: the first record does not go on from it"
            return Finding("description", text)
        if before is not None and broken.own == before.own:
            return _found("added", broken, "was added: it stands there twice")
        if before is not None and broken.previous == before.previous:
            return _found("added", before, "was added: the one behind it goes on from the one before it")
        if broken.number > self._number_due:
            return self._removed(broken)
        if broken.number < self._number_due:
            return _found("added", broken, "was added: its number has been before")
        if before is None or (self._next is not None and self._next.previous != broken.own):
            return _found(
                "altered", broken, "was altered and its hash made anew: nothing else goes on from it"
            )
        return _found(
            "altered", before, "was altered and its hash made anew: the next one goes on from another"
        )

    def _removed(self, broken: Link) -> Finding:
        first, last = self._number_due, broken.number - 1
        what = f"record {first} was" if first == last else f"records {first} to {last} were"
        before = self._before
        if before is None:
            return Finding("removed", f"{what} removed, before {_named(broken)}", first)
        between = f"{what} removed, between {place_of(before)} and {place_of(broken)}"
        if before.place != broken.place:
            return Finding("removed", between, first)
        topic, partition = before.place
        return Finding("removed", between, first, topic, partition, before.offset + 1)


def _named(link: Link) -> str:
    return f"record {link.number} ({place_of(link)})"


def _found(kind: Kind, link: Link, what: str) -> Finding:
    return Finding(kind, f"{_named(link)} {what}", link.number, *link.place, link.offset)
