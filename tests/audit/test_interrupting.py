import asyncio

import pytest

from audit.interrupting import heed_cancel


async def test_a_cancel_that_was_swallowed_is_heeded_all_the_same() -> None:
    went_on = False

    async def work() -> None:
        nonlocal went_on
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            went_on = True  # as aiokafka does
        heed_cancel()
        raise AssertionError("it went on")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert went_on


async def test_without_a_cancel_work_goes_on() -> None:
    heed_cancel()
