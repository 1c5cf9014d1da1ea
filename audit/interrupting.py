"""A cancel that nobody may lose: Ctrl-C ends an audit, wherever it comes."""

import asyncio


def heed_cancel() -> None:
    """Raise CancelledError where this task was asked to end and something on the way has swallowed that.

    aiokafka 0.14 does while it waits for tasks of its own to end (`Fetcher.close`): the task then goes on,
    and only its count of cancels knows.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
