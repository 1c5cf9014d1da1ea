"""Runs a worker inside somebody else's event loop until it is asked to stop, with an honest exit code.

Signals, logging and the loop itself are the caller's.
"""

import asyncio
import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka.errors import KafkaConnectionError
from faust.exceptions import ConsistencyError

from streams.app import Worker
from streams.belonging import ahead, not_ours
from streams.ending import EXIT_BROKEN, EXIT_REFUSED
from streams.hardened.logs import quiet_libraries

log = logging.getLogger(__name__)

EXIT_DONE = 0
EXIT_CANNOT_REACH = 3
STOP_WITHIN_S = 25.0
OBJECTS_BETWEEN_COLLECTIONS = 50_000


async def run(worker: Worker, stop: asyncio.Event, stop_within_s: float = STOP_WITHIN_S) -> int:
    """Run until `stop` is set, or the worker breaks. Returns the exit code.

    0: stopped in good order. 3: Kafka could not be reached at the start. 70: something broke. 78: the data
    folder is of other changelogs. What cannot be stopped within `stop_within_s` ends the process at once
    (70): a kill is safe, waiting for ever is not.
    """
    quiet_libraries()
    with seldom_collecting():
        return await _run(worker, stop, stop_within_s)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Let Python look for cycles seldom: rows and records have none, and looking took 8 % of a busy
    worker.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def _run(worker: Worker, stop: asyncio.Event, stop_within_s: float) -> int:
    app, options = worker.app, worker.options
    options.data_dir.mkdir(parents=True, exist_ok=True)
    if why := not_ours(options.data_dir, _changelogs(worker)):
        log.critical(why)
        return EXIT_REFUSED
    asked = asyncio.create_task(stop.wait())
    started = asyncio.create_task(app.start())
    try:
        await asyncio.wait([asked, started], return_when=asyncio.FIRST_COMPLETED)
        if started.done() and started.exception() is None:
            over = asyncio.create_task(app.wait_until_stopped())
            await asyncio.wait([asked, over], return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
        code = _code(started, app.crash_reason, options.data_dir)
        await _stopped(worker, started, stop_within_s)
    finally:
        asked.cancel()
    return code


def _changelogs(worker: Worker) -> dict[str, str]:
    """Name and id of each table's changelog, as far as they are known."""
    names = [table.changelog_topic_name for table in worker.app.tables.values()]
    return {name: worker.options.topic_ids[name] for name in names if name in worker.options.topic_ids}


def _code(started: "asyncio.Task[None]", crash: BaseException | None, data_dir: Path) -> int:
    failure = started.exception() if started.done() else None
    if isinstance(failure, KafkaConnectionError):
        log.critical("Kafka cannot be reached: %s", failure)
        return EXIT_CANNOT_REACH
    failure = failure or crash
    if isinstance(failure, ConsistencyError):
        log.critical(ahead(data_dir, failure))
        return EXIT_REFUSED
    if failure is not None:
        log.critical("the worker broke: %r", failure, exc_info=failure)
        return EXIT_BROKEN
    return EXIT_DONE


async def _stopped(worker: Worker, started: "asyncio.Task[None]", within_s: float) -> None:
    stopping = asyncio.gather(_stop(worker, started), return_exceptions=True)
    done, _ = await asyncio.wait([stopping], timeout=within_s)
    if not done:
        worker.app.end(f"it did not stop within {within_s:.0f} s", EXIT_BROKEN)
    for failure in stopping.result():
        if failure is not None:
            log.error("while stopping: %r", failure)


async def _stop(worker: Worker, started: "asyncio.Task[None]") -> None:
    await worker.app.stop()
    started.cancel()
    await asyncio.wait([started])
