"""Ready again after kill -9 with many live runs in the tables: on the same disk, and on an empty one.

    python -m benchmarks.recovery --runs 100000

A broker of its own and a processor as a real process; no executor, so every run waits for its first step.
Told for each restart: until `/readyz` says yes, until a new alert's run has started, and until the timers of
all runs are known again.
"""

import argparse
import asyncio
import shutil
import time
import urllib.request
from collections.abc import Iterator

from benchmarks.path import BITE, Counted, alert, prepare
from benchmarks.processes import Bench, answers, running_broker
from connectors.event_log_writer import EventLogWriter
from schemas.outgoing import Outgoing

PARTITIONS = 4
RUNS_A_PLAYBOOK = 9_000
"""A playbook runs at most 10,000 times at once."""
BACKLOG = 3_000
POLL_S = 0.05
PLAYBOOK = """\
playbook: {name}
on:
  alert: {{endpoint: {name}}}
admission: {{max_running: 10000}}
steps:
  - {{id: one, action: log, with: {{message: "first ${{{{ alert.title }}}}"}}, start_within: 10m}}
report: [failed]
"""


def playbooks(runs: int) -> list[str]:
    """The names of as many playbooks as it takes."""
    return [f"bench-{number}" for number in range(runs // RUNS_A_PLAYBOOK + 1)]


def alerts(first: int, count: int) -> Iterator[Outgoing]:
    """Alerts, each for the playbook whose turn it is."""
    for number in range(first, first + count):
        yield alert(number, f"bench-{number // RUNS_A_PLAYBOOK}")


async def begin(bench: Bench, writer: EventLogWriter, counted: Counted, runs: int) -> None:
    """Start so many runs, and wait until the last one is in the journal."""
    following = asyncio.create_task(counted.follow(bench.kafka, runs))
    for first in range(0, runs, BITE):
        while first - counted.records > BACKLOG:
            await asyncio.sleep(0.02)
        await asyncio.gather(*(writer.start(one) for one in alerts(first, min(BITE, runs - first))))
    await asyncio.wait_for(following, 900)


def timers_known(port: int) -> int:
    """How many timers of runs the processor knows that are due soon."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith("pulsebook_timers_pending") and 'table="runs"' in line:
                return int(float(line.rpartition(" ")[2]))
    return 0


async def restart(bench: Bench, writer: EventLogWriter, what: str, runs: int, number: int) -> None:
    """Kill, start, and tell how long everything took."""
    child = bench.children["processor"]
    child.kill()
    child.wait()
    if what == "an empty disk":
        shutil.rmtree(bench.folder / "data")
    port, began_s = bench.ports["processor"], time.monotonic()
    bench.start("processor")
    while not await asyncio.to_thread(answers, f"http://127.0.0.1:{port}/readyz"):
        if bench.children["processor"].poll() is not None or time.monotonic() - began_s > 300:
            raise SystemExit((bench.folder / "processor.log").read_text()[-3000:])
        await asyncio.sleep(POLL_S)
    ready_s = time.monotonic() - began_s
    counted = Counted()
    following = asyncio.create_task(counted.follow(bench.kafka, number))
    await writer.send(next(alerts(number - 1, 1)))
    await asyncio.wait_for(following, 120)
    working_s = time.monotonic() - began_s
    while await asyncio.to_thread(timers_known, port) < runs:
        await asyncio.sleep(POLL_S)
        if time.monotonic() - began_s > 300:
            raise SystemExit("the timers did not come back within 300 s")
    timers_s = time.monotonic() - began_s
    rss_mib = bench.usage()["processor"][1]
    print(
        f"  kill -9, then {what}: ready after {ready_s:.1f} s, a new alert's run started after "
        f"{working_s:.1f} s, all timers known after {timers_s:.1f} s; {rss_mib:.0f} MiB"
    )


async def recovery(runs: int) -> None:
    """Fill the tables, then restart twice."""
    with running_broker(PARTITIONS) as bench:
        names = playbooks(runs + 2)
        writer = await prepare(bench, {name: PLAYBOOK.format(name=name) for name in names})
        bench.start("processor")
        await bench.ready()
        began_s = time.monotonic()
        await begin(bench, writer, Counted(), runs)
        print(f"{runs} live runs in the tables, made in {time.monotonic() - began_s:.0f} s")
        await asyncio.sleep(5)
        await restart(bench, writer, "the same disk", runs, runs + 1)
        await asyncio.sleep(5)
        await restart(bench, writer, "an empty disk", runs, runs + 2)
        await writer.close()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=100_000)
    asyncio.run(recovery(parser.parse_args().runs))


if __name__ == "__main__":
    main()
