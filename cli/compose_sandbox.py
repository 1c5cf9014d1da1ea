"""The sandbox process, composed: what stands in for Datadog's events API under `pulsebook up`."""

import asyncio
from pathlib import Path

from cli.output import WRONG_USE, warn
from connectors.datadog_sandbox import create_sandbox
from connectors.datadog_sandbox_server import PortBusy, serve_sandbox

LOOPBACK = "127.0.0.1"


async def run_sandbox(data_dir: Path, port: int, stop: asyncio.Event) -> int:
    """Serve on loopback until `stop`, with the events of `data_dir`; the exit code."""
    data_dir.mkdir(parents=True, exist_ok=True)
    sandbox = create_sandbox(data_dir)
    try:
        await serve_sandbox(sandbox, LOOPBACK, port, stop)
    except PortBusy as error:
        warn(str(error))
        return WRONG_USE
    finally:
        sandbox.close()
    return 0
