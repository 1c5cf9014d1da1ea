"""Every way to alter rows of a file that the product wrote, and the record that `audit verify FILE`
names.
"""

from pathlib import Path

import pytest

from audit.export.chain_file import verify
from tests.audit.forging import chained, changed, first, is_at, place, put_back, rows_of, without_manifest

AT = 30
"""Index of the row that is tampered with: its number is one more."""


FIELDS = [
    ("value", b"something else"),
    ("value", None),
    ("record", '{"title":"another"}'),
    ("key", b"another"),
    ("at_ms", 1),
    ("offset", 77),
    ("partition", 1),
    ("topic", "alerts"),
    ("type", "Other"),
    ("headers", ()),
    ("sha256", "0" * 64),
    ("previous_sha256", "0" * 64),
    ("number", 7),
]


@pytest.mark.parametrize(("name", "value"), FIELDS)
async def test_an_altered_field_is_named(exported: Path, name: str, value: object) -> None:
    rows = rows_of(exported)
    at = next(at for at, row in enumerate(rows) if row.headers) if name == "headers" else AT
    rows[at] = changed(rows[at], **{name: value})
    put_back(exported, rows)
    assert is_at(first(exported), "altered", rows[at])


@pytest.mark.parametrize("at", [0, AT])
async def test_an_altered_record_whose_hash_was_made_anew_is_named(exported: Path, at: int) -> None:
    rows = rows_of(exported)
    rows[at] = changed(rows[at], value=b"something else")
    put_back(exported, rows, frozenset({at}))
    found = first(exported)
    assert is_at(found, "altered", rows[at])
    assert "its hash made anew" in found.text


@pytest.mark.parametrize("fields", [{"number": 7}, {"previous_sha256": "0" * 64}])
async def test_altered_links_whose_hash_was_made_anew_are_named(
    exported: Path, fields: dict[str, object]
) -> None:
    rows = rows_of(exported)
    rows[AT] = changed(rows[AT], **fields)
    put_back(exported, rows, frozenset({AT}))
    assert first(exported).kind in ("altered", "added")


@pytest.mark.parametrize("many", [1, 3, 12])
async def test_removed_records_are_named(exported: Path, many: int) -> None:
    rows = rows_of(exported)
    gone = rows[AT : AT + many]
    put_back(exported, rows[:AT] + rows[AT + many :])
    found = first(exported)
    assert (found.kind, found.number) == ("removed", gone[0].number)
    assert f"between {place(rows[AT - 1])} and {place(rows[AT + many])}" in found.text
    if many > 1:
        assert f"records {gone[0].number} to {gone[-1].number} were removed" in found.text


async def test_a_record_removed_within_a_partition_is_named_by_its_offset(exported: Path) -> None:
    rows = rows_of(exported)
    at = next(at for at, row in enumerate(rows) if row.topic == "run-journal" and row.offset == 4)
    put_back(exported, rows[:at] + rows[at + 1 :])
    found = first(exported)
    assert (found.topic, found.partition, found.offset) == ("run-journal", rows[at].partition, 4)


async def test_the_first_records_removed_are_named(exported: Path) -> None:
    rows = rows_of(exported)
    put_back(exported, rows[2:])
    found = first(exported)
    assert (found.kind, found.number) == ("removed", 1)
    assert "records 1 to 2 were removed" in found.text


async def test_the_last_records_removed_are_missed(exported: Path) -> None:
    rows = rows_of(exported)
    put_back(exported, rows[:-2])
    with_manifest = verify(exported).findings
    assert f"the file has {len(rows) - 2} records, and the manifest says {len(rows)}" in with_manifest[0].text
    assert any(each.topic == "dead-letters" for each in with_manifest)
    without_manifest(exported)
    (found,) = verify(exported).findings
    assert (found.kind, f"{place(rows[-2])} is not there" in found.text) == ("removed", True)


@pytest.mark.parametrize("previous", ["of its neighbour", "of nobody", "of the row before"])
@pytest.mark.parametrize("many", [1, 4])
async def test_added_records_are_named(exported: Path, previous: str, many: int) -> None:
    rows = rows_of(exported)
    link = {
        "of its neighbour": rows[AT].previous_sha256,
        "of nobody": "1" * 64,
        "of the row before": rows[AT - 1].sha256,
    }[previous]
    new = [changed(rows[3], value=b"%d" % n, previous_sha256=link, number=900 + n) for n in range(many)]
    put_back(exported, rows[:AT] + new + rows[AT:], frozenset(range(AT, AT + many)))
    found = first(exported)
    assert (found.kind, found.number) == ("added", 900)
    assert many == 1 or f"the {many - 1} behind it" in found.text


async def test_a_record_added_in_the_right_chain_is_named(exported: Path) -> None:
    """Its number, its predecessor and its own hash are what they should be: the next one gives it away."""
    rows = rows_of(exported)
    new = changed(rows[3], number=AT + 1, previous_sha256=rows[AT - 1].sha256)
    put_back(exported, [*rows[:AT], new, *rows[AT:]], frozenset({AT}))
    assert is_at(first(exported), "added", new)


@pytest.mark.parametrize("at", [AT, 2])
async def test_a_repeated_record_is_named(exported: Path, at: int) -> None:
    rows = rows_of(exported)
    put_back(exported, [*rows[:AT], rows[at], *rows[AT:]])
    assert is_at(first(exported), "added", rows[at])
    put_back(exported, [*rows, rows[-1]])
    assert is_at(first(exported), "added", rows[-1])


@pytest.mark.parametrize(("one", "other"), [(AT, AT + 1), (AT, AT + 20), (0, 1), (-2, -1)])
async def test_records_that_changed_places_are_named(exported: Path, one: int, other: int) -> None:
    rows = rows_of(exported)
    rows[one], rows[other] = rows[other], rows[one]
    put_back(exported, rows)
    assert is_at(first(exported), "moved", rows[one])


async def test_all_hashes_made_anew_show_in_head_and_manifest_and_nowhere_else(
    exported: Path,
) -> None:
    rows, head = rows_of(exported), verify(exported).head
    forged = rows[:]
    forged[AT] = changed(rows[AT], value=b"something else")
    put_back(exported, chained(forged, rows[0].previous_sha256))
    told = verify(exported).findings
    assert f"lies in {rows[AT].topic}/{rows[AT].partition}" in told[0].text
    without_manifest(exported)
    alone = verify(exported)
    assert (alone.findings, len(alone.notes)) == ([], 2)
    assert "whoever alters a record can make all hashes anew" in alone.notes[1]
    (found,) = verify(exported, head).findings
    assert (found.kind, str(head) in found.text) == ("head", True)


async def test_a_removal_with_all_hashes_made_anew_is_placed_by_the_manifest(exported: Path) -> None:
    rows = rows_of(exported)
    put_back(exported, chained(rows[:AT] + rows[AT + 1 :], rows[0].previous_sha256))
    findings = verify(exported).findings
    assert [(each.topic, each.partition) for each in findings][1] == (rows[AT].topic, rows[AT].partition)
