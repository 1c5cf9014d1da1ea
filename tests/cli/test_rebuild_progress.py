"""What the command says of a rebuild while it goes on, and in the end."""

from typing import Any

import pytest

from cli.rebuild_progress import TABLES, Progress, document_of
from schemas.catalog import RebuildReported
from schemas.topics import CHANGELOGS


def report(table: str = "runs", partition: int = 0, state: Any = "done", **fields: Any) -> RebuildReported:
    given: dict[str, Any] = {
        "actor": "processor-a",
        "at_ms": 1,
        "requested_at": 10,
        "rows": 5,
        "equal": 5,
        "took_ms": 1_234,
    }
    given |= {"table": table, "partition": partition, "state": state, **fields}
    return RebuildReported(**given)


def model(state: Any, actor: str = "web-a", **fields: Any) -> RebuildReported:
    return report("read-model", -1, state, requested_at=11, actor=actor, **fields)


@pytest.fixture
def progress() -> Progress:
    return Progress({"tables": 10, "read-models": 11}, partitions=2)


def all_done(progress: Progress, **fields: Any) -> None:
    for table in TABLES:
        for partition in range(progress.partitions):
            progress.take(report(table, partition, **fields))


def test_the_tables_are_those_that_have_rows() -> None:
    with_rows = {topic.name.split("-")[1] for topic in CHANGELOGS} - {"matched"}
    assert set(TABLES) == with_rows


def test_a_partition_is_told_of_when_it_is_done_and_once(progress: Progress) -> None:
    assert progress.take(report(state="begun")) is None
    assert progress.under_way() == ["partition 0 of runs"]
    done = report(rows=1_204, equal=1_203, differing=1)
    assert (
        progress.take(done) == "runs 0: 1,204 rows made again, 1,203 equal, 1 differed (1.2 s, processor-a)"
    )
    assert progress.take(done) is None
    assert progress.under_way() == []
    assert ("runs", 0) not in progress.open_tables() and ("runs", 1) in progress.open_tables()


def test_rows_that_stay_as_they_were_are_told_with_the_reason(progress: Progress) -> None:
    said = progress.take(report(kept=3, since_ms=1_795_000_000_000))
    assert said is not None and "3 kept as they were (its topic is kept since 2026-11-18)" in said


def test_reports_of_an_earlier_rebuild_say_nothing_and_those_of_a_later_one_count(progress: Progress) -> None:
    assert progress.take(report(requested_at=9)) is None
    assert progress.take(report(requested_at=-1)) is None
    assert progress.take(report(requested_at=12)) is not None


def test_it_is_done_when_all_partitions_are_and_all_read_models_that_have_begun(progress: Progress) -> None:
    all_done(progress)
    assert not progress.is_done() and progress.silent() == ["web"]
    progress.take(model("begun"))
    progress.take(model("begun", "web-b"))
    said = progress.take(model("done", rows=12_345))
    assert said == "read model of web-a: made again, of 12,345 records (1.2 s)"
    assert not progress.is_done() and progress.under_way() == ["the read model of web-b"]
    progress.take(model("done", "web-b"))
    assert progress.is_done() and progress.silent() == []


def test_processes_that_were_not_heard_of_are_named(progress: Progress) -> None:
    assert progress.silent() == ["processor", "sink", "web"]
    for table in ("runs", "admissions"):
        for partition in (0, 1):
            progress.take(report(table, partition, "begun"))
    assert progress.silent() == ["sink", "web"]


def test_only_what_was_asked_for_is_waited_for() -> None:
    models = Progress({"read-models": 11}, 2)
    assert models.take(report()) is None
    assert models.open_tables() == [] and not models.is_done()
    models.take(model("done"))
    assert models.is_done()
    assert models.verdict() == "done: 1 read model made again"
    tables = Progress({"tables": 10}, 2)
    assert tables.take(model("done")) is None
    all_done(tables)
    assert tables.is_done()


def test_the_verdict_says_whether_the_rows_were_right(progress: Progress) -> None:
    all_done(progress)
    assert progress.verdict() == "done: 30 rows made again, all as they were"
    wrong = Progress({"tables": 10}, 2)
    wrong.take(report(differing=2, equal=3, examples=("r-1", "r-2")))
    all_done(wrong, kept=1)
    assert wrong.verdict() == (
        "done: 30 rows made again; 2 were not as the topics make them, and are right now (partition 0 of "
        "runs; such as r-1, r-2); 5 stay as they were: the topics no longer tell all of them"
    )


def test_a_report_as_json() -> None:
    assert document_of(report(examples=("r-1",))) == {
        "table": "runs",
        "partition": 0,
        "by": "processor-a",
        "rows": 5,
        "equal": 5,
        "differing": 0,
        "kept": 0,
        "since_ms": 0,
        "took_ms": 1_234,
        "examples": ["r-1"],
    }
