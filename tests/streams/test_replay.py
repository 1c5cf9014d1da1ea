"""How a changelog becomes rows: the owner's rows win, whatever a worker without the partition wrote,
and when.
"""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from streams.replay import Replay
from streams.rows import REBUILT, WATERMARK, packed, rebuild_mark


@dataclass
class Log:
    """A changelog partition that is written by hand and replayed into rows."""

    rows: dict[bytes, bytes] = field(default_factory=dict)
    offset: int | None = None
    length: int = 0

    def __post_init__(self) -> None:
        self.replay = Replay(self.rows.get)

    def row(self, key: str, applied: int, text: str = "", members: int = 1) -> "Log":
        group = (applied, members) if members > 1 else None
        return self._read(key.encode(), packed(applied, text.encode()), group)

    def gone(self, key: str, applied: int, members: int = 1) -> "Log":
        return self._read(key.encode(), None, (applied, members))

    def mark(self, offset: int) -> "Log":
        return self._read(WATERMARK, packed(offset, b"topic-id"), None)

    def made(self, key: str, applied: int, text: str = "", rebuild: int = 5) -> "Log":
        return self._read(key.encode(), packed(applied, text.encode()), None, rebuild)

    def rebuilt(self, rebuild: int, done: bool = True) -> "Log":
        return self._read(REBUILT, rebuild_mark(rebuild, done), None, rebuild)

    def _read(
        self, key: bytes, value: bytes | None, group: tuple[int, int] | None, rebuild: int | None = None
    ) -> "Log":
        self.replay.read(self.length, key, value, group, rebuild)
        self.length += 1
        return self

    def take(self) -> "Log":
        changes, self.offset = self.replay.take()
        for key, value in changes.items():
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value
        return self

    def text(self, key: str) -> str | None:
        row = self.rows.get(key.encode())
        return None if row is None else row[8:].decode()


def test_the_last_row_of_the_owner_holds() -> None:
    log = Log().row("r", 1, "one").row("r", 5, "five").take()
    assert log.text("r") == "five"
    assert log.offset == 1


def test_an_older_row_that_comes_later_is_not_taken() -> None:
    log = Log().row("r", 5, "five").row("r", 3, "stale").take()
    assert log.text("r") == "five"


def test_an_older_row_does_not_replace_what_the_store_has() -> None:
    log = Log().row("r", 5, "five").take().row("r", 3, "stale").take()
    assert log.text("r") == "five"


def test_the_same_row_written_again_holds() -> None:
    log = Log().row("r", 5, "five").row("r", 5, "five").take()
    assert log.text("r") == "five"
    assert not log.replay.suspects


def test_a_deletion_holds_against_an_older_row_that_comes_later() -> None:
    log = Log().row("r", 5, "five").gone("r", 7).row("r", 6, "zombie").take()
    assert log.text("r") is None


def test_an_older_deletion_does_not_delete_a_row_that_was_made_after_it() -> None:
    log = Log().row("r", 1, "old").gone("r", 3).row("r", 9, "new").gone("r", 3).take()
    assert log.text("r") == "new"


def test_a_deletion_without_a_header_deletes() -> None:
    log = Log().row("r", 5, "five")
    log.replay.read(1, b"r", None, None)
    assert log.take().text("r") is None


def test_rows_of_one_input_hold_together() -> None:
    log = Log().row("a", 5, "a", members=2).row("b", 5, "b", members=2).take()
    assert (log.text("a"), log.text("b")) == ("a", "b")
    assert log.replay.torn() == 0


def test_rows_of_an_input_that_is_not_complete_at_the_end_do_not_hold() -> None:
    log = Log().row("a", 1, "before").row("a", 5, "torn", members=3).gone("b", 5, members=3).take()
    assert log.text("a") == "before"
    assert log.offset == 0
    assert log.replay.torn() == 2


def test_what_compaction_left_of_an_input_holds_when_something_follows() -> None:
    log = Log().row("b", 5, "b", members=2).row("a", 6, "a").take()
    assert (log.text("a"), log.text("b")) == ("a", "b")


def test_an_input_that_was_torn_and_read_again_holds() -> None:
    log = Log().row("a", 5, "a", members=2).row("a", 5, "a", members=2).row("b", 5, "b", members=2)
    log.take()
    assert (log.text("a"), log.text("b")) == ("a", "b")


def test_a_row_behind_the_watermark_is_taken_when_nothing_newer_is_known_and_named_as_suspect() -> None:
    log = Log().mark(10).row("r", 3, "zombie").take()
    assert log.text("r") == "zombie"
    assert log.replay.suspects == {b"r"}


def test_a_suspect_that_its_owner_wrote_again_is_none_any_more() -> None:
    log = Log().mark(10).row("r", 3, "zombie").row("r", 12, "owner").take()
    assert log.text("r") == "owner"
    assert not log.replay.suspects


def test_the_store_s_watermark_counts_from_the_start() -> None:
    log = Log(rows={WATERMARK: packed(10, b"topic-id")}).row("r", 3, "zombie").take()
    assert log.replay.suspects == {b"r"}


def test_an_older_watermark_does_not_turn_it_back() -> None:
    log = Log().mark(10).mark(4).take()
    assert log.rows[WATERMARK] == packed(10, b"topic-id")


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=10),
)
def test_rows_of_a_zombie_change_nothing_wherever_they_fall(
    owned: list[tuple[str, bool]], stray: list[tuple[int, int]]
) -> None:
    """The owner writes offsets 0, 1, 2, ...; a zombie repeats what it had computed, later, in any order."""
    written = [(number, key, deletes) for number, (key, deletes) in enumerate(owned)]
    expected: dict[str, str] = {}
    for number, key, deletes in written:
        if deletes:
            expected.pop(key, None)
        else:
            expected[key] = str(number)
    log = Log()
    for position, (number, key, deletes) in enumerate(written):
        for late in [written[what] for what, after in stray if what < number and after == position]:
            _write(log, *late)
        _write(log, number, key, deletes)
    for late in [written[what] for what, after in stray if what < len(written) and after >= len(written)]:
        _write(log, *late)
    log.take()
    assert {key.decode(): row[8:].decode() for key, row in log.rows.items()} == expected


def _write(log: Log, number: int, key: str, deletes: bool) -> None:
    if deletes:
        log.gone(key, number)
    else:
        log.row(key, number, str(number))


def test_rows_of_a_rebuild_are_no_suspects_though_they_are_older_than_the_watermark() -> None:
    log = Log().mark(100).rebuilt(5, done=False).made("a", 7, "a").made("b", 9, "b").rebuilt(5).take()
    assert (log.text("a"), log.text("b")) == ("a", "b")
    assert log.replay.suspects == set()


def test_a_row_of_a_rebuild_that_comes_after_its_end_is_a_suspect() -> None:
    """A worker that had lost its partition in the middle of the rebuild wrote it."""
    log = Log().mark(100).made("a", 7, "a").rebuilt(5).made("b", 9, "b").take()
    assert log.replay.suspects == {b"b"}


def test_a_rebuild_never_makes_a_row_older() -> None:
    log = Log().row("a", 9, "new").made("a", 7, "old").rebuilt(5).take()
    assert log.text("a") == "new"


def test_the_mark_of_a_rebuild_is_no_suspect_and_the_later_rebuild_s_stays() -> None:
    log = Log().mark(100).rebuilt(5).rebuilt(6, done=False).rebuilt(5).take()
    assert log.rows[REBUILT] == rebuild_mark(6, done=False)
    assert log.replay.suspects == set()


def test_a_recovery_that_goes_on_in_the_middle_knows_which_rebuild_was_finished() -> None:
    log = Log().mark(100).rebuilt(5).take()
    log.replay = Replay(log.rows.get)
    assert log.made("a", 7, rebuild=5).made("b", 7, rebuild=6).take().replay.suspects == {b"a"}
