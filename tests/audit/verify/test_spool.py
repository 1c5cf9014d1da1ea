"""Files of an audit: buckets and notes come back as they were written, and a full disk is told."""

import errno
from pathlib import Path

import pytest

from audit.verify.kinds import About, Kind
from audit.verify.spool import RANGE_BITS, Buckets, DiskFull, Note, Notes, NotesOf, traces_of
from audit.verify.traces import Side, Trace, packed, subject_hash, unpacked


def trace(run_id: str, seq: int) -> Trace:
    subject = subject_hash(About(Kind.JOURNAL, run_id, seq))
    return Trace(subject, Kind.JOURNAL, seq, Side.FOUND, 0, b"c" * 16, 3, 70_000, 1_800_000_000_000, 12)


def test_traces_come_back_sorted_with_all_of_a_subject_in_one_bucket(tmp_path: Path) -> None:
    written = [trace(f"r-{number % 50}", number) for number in range(5_000)]
    buckets = Buckets(tmp_path, "runs", 7)
    for one in written:
        buckets.add(one.subject, packed(one))
    buckets.flush()
    found = [[unpacked(data) for data in traces_of(tmp_path, "runs", number)] for number in range(7)]
    assert sorted(one for bucket in found for one in bucket) == sorted(written)
    assert all(bucket == sorted(bucket) for bucket in found)
    subjects = [{one.subject for one in bucket} for bucket in found]
    assert sum(map(len, subjects)) == len(set().union(*subjects))


def test_notes_are_found_at_their_input(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    far = 3 << RANGE_BITS
    for offset in (5, far, far + 1, far):
        notes.add("alerts", 1, Note(offset, "letter", f"about {offset}"))
    notes.add("alerts", 0, Note(5, "letter", "another partition"))
    notes.add("alerts", 1, Note(-1, "letter", "a place that cannot be"))
    notes.flush()
    of = NotesOf(tmp_path, "alerts", 1)
    assert [note.text for note in of.at(5)] == ["about 5"]
    assert of.at(6) == ()
    assert [note.text for note in of.at(far)] == [f"about {far}"] * 2


def test_a_full_disk_is_told_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    buckets = Buckets(tmp_path, "runs", 1)
    buckets.add(b"x" * 10, packed(trace("r-1", 1)))
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DiskFull, match="TMPDIR names another folder"):
        buckets.flush()
