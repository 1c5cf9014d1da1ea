"""Webhooks acknowledged per second by one web process, each answered after the broker's acks=all.

python -m benchmarks.webhooks --calls 30000 --connections 32

A broker and a web process as real processes; the client is a third one (this file again), over keep-alive
connections, with Datadog's recommended payload filled in. All share the machine, as they do under `pulsebook
up`.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from benchmarks.processes import Bench, free_port, running_broker
from connectors.event_log import EventLogReader
from connectors.topics_admin import create_topics, planned_topics
from schemas.topics import ALERTS

PARTITIONS = 4
WARM_UP = 2_000
TAGS = "env:prod, service:checkout, team:payments, kube_namespace:shop, monitor"
VALUES = {
    "AGGREG_KEY": "4f2a",
    "ALERT_ID": "1234567",
    "ALERT_METRIC": "trace.http.request",
    "ALERT_QUERY": "avg(last_5m):p95:trace.http.request{service:checkout} > 2",
    "ALERT_SCOPE": "service:checkout,env:prod",
    "ALERT_STATUS": "p95:trace.http.request over service:checkout was > 2.0 on average during the last 5m.",
    "ALERT_TITLE": "Checkout latency",
    "ALERT_TRANSITION": "Triggered",
    "ALERT_TYPE": "error",
    "EVENT_MSG": "p95 latency of checkout was above 2.0 s for 5 minutes. @webhook-pulsebook " * 6,
    "EVENT_TYPE": "query_alert_monitor",
    "HOSTNAME": "i-0123456789abcdef0",
    "LINK": "https://app.datadoghq.com/event/event?id=1234567890",
    "ORG_ID": "12345",
    "ORG_NAME": "Example",
    "PRIORITY": "normal",
    "SNAPSHOT": "https://p.datadoghq.com/snapshot/view/dd-snapshots-prod/org_12345/x.png",
    "TAGS": TAGS,
    "TEXT_ONLY_MSG": "p95 latency of checkout was above 2.0 s for 5 minutes. " * 6,
    "USER": "",
    "USERNAME": "",
}


def request(path: str, number: int, **more: str) -> bytes:
    """One POST as bytes. Every alert has an id, a date and a cycle of its own; `more` is metadata besides."""
    own = {"ID": str(number), "ALERT_CYCLE_KEY": str(number), "LAST_UPDATED": str(1_763_800_000_000 + number)}
    own |= more
    body = json.dumps(
        {
            "body": VALUES["EVENT_MSG"],
            "title": f"[Triggered] Checkout latency {number}",
            "date": own["LAST_UPDATED"],
            "id": str(number),
            "metadata": {**VALUES, **own, "EVENT_TITLE": f"[Triggered] Checkout latency {number}"},
        }
    ).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def posted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> int:
    """Send one request over a connection that stays open; the answer's status."""
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return int(head.split(b" ", 2)[1])


async def call(url: str, calls: int, connections: int) -> None:
    """The client's process: print what the calls took, as JSON."""
    to = urlsplit(url)
    first = random.randrange(10**9) * 1_000  # noqa: S311  # so that no two rounds repeat their alerts
    requests = [request(to.path, first + number) for number in range(calls)]
    taken_s: list[float] = []
    refused = 0

    async def work() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection(to.hostname, to.port)
        while requests:
            sent = requests.pop()
            began = time.perf_counter()
            status = await posted(reader, writer, sent)
            taken_s.append(time.perf_counter() - began)
            refused += status != 202
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    print(
        json.dumps({"seconds": time.perf_counter() - began, "refused": refused, "taken_s": sorted(taken_s)})
    )


async def measure(calls: int, connections: int) -> None:
    """Broker, topics, web; warm up, measure, and count what really lies on the topic."""
    with running_broker(PARTITIONS) as bench:
        kafka = {"bootstrap_servers": bench.kafka}
        await create_topics(kafka, planned_topics("pulsebook.", PARTITIONS, 1))
        port = free_port()
        bench.ports["web"] = port
        bench.start("web", PULSEBOOK_WEB_PORT=str(port))
        await bench.ready()
        url = await asyncio.to_thread(new_endpoint, port)
        await asyncio.to_thread(_client, url, WARM_UP, connections)
        before = bench.usage()
        told = await asyncio.to_thread(_client, url, calls, connections)
        _say(bench, before, told, calls)
        ends = await EventLogReader(kafka, (ALERTS,)).ends()
        print(f"  on the topic: {sum(ends.values())} of {calls + WARM_UP} acknowledged")


def _say(
    bench: Bench, before: Mapping[str, tuple[float, float]], told: dict[str, object], calls: int
) -> None:
    taken, seconds = told["taken_s"], told["seconds"]
    if not isinstance(taken, list) or not isinstance(seconds, float):
        raise SystemExit("the client said something else")
    print(f"{calls} webhooks in {seconds:.1f} s: {calls / seconds:.0f}/s, refused {told['refused']}")
    print(f"  p50 {_at(taken, 0.5):.1f} ms, p99 {_at(taken, 0.99):.1f} ms, max {taken[-1] * 1000:.1f} ms")
    for name, (cpu_s, rss_mib) in bench.usage().items():
        print(f"  {name:<8} {(cpu_s - before[name][0]) * 1000 / calls:.3f} ms CPU a call, {rss_mib:.0f} MiB")


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def _client(url: str, calls: int, connections: int) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.webhooks", "--client", url]
    sizes = ["--calls", str(calls), "--connections", str(connections)]
    said: dict[str, object] = json.loads(
        subprocess.run([*command, *sizes], check=True, capture_output=True).stdout
    )
    return said


def new_endpoint(port: int) -> str:
    """Make the endpoint `bench`; its URL."""
    made = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/endpoints",
        data=b'{"name": "bench"}',
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(made, timeout=10) as answer:  # noqa: S310  # loopback
        return str(json.load(answer)["url"])


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=30_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--client", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.client:
        import uvloop

        uvloop.run(call(given.client, given.calls, given.connections))
    else:
        asyncio.run(measure(given.calls, given.connections))


if __name__ == "__main__":
    main()
