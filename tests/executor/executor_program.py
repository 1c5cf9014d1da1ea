"""An executor as a process of its own, for tests that stop and kill it: SERVERS PREFIX INSTANCE FILE.

Its action `touch` adds a line to FILE when it begins, and ends after `seconds`.
"""

import asyncio
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from connectors.actions.log import SPEC
from executor.process import Executor
from schemas.actions import Call, Done
from tests.executor.live import quick_config


class Touch:
    """Leaves a trace in a file."""

    spec = SPEC

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __call__(self, call: Call) -> Done:
        with self._path.open("a") as file:
            file.write(f"{call.run_id}\n")
        await asyncio.sleep(call.arguments.get("seconds", 0))
        return Done("touched")


def main() -> None:
    servers, prefix, instance, path = sys.argv[1:]
    config = quick_config(servers, prefix, instance)
    executor = Executor(config, {"touch": Touch(Path(path))}, lambda name: None, CollectorRegistry())
    asyncio.run(executor.run())


if __name__ == "__main__":
    main()
