"""`pulsebook status` and what it asks of the processes beside the web."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge

from cli.health import lacking, process, processes
from connectors.health_server import HealthServer
from schemas.topics import DECISIONS, RUN_JOURNAL
from tests.cli.conftest import Pulsebook, Served
from tests.console.samples import ALERT, RUN, WHOLE_RUN, matched

NOBODY = 9


@contextlib.contextmanager
def healthy(*missing: str) -> Iterator[int]:
    """A process that lacks these; its port."""
    registry = CollectorRegistry()
    Gauge("pulsebook_sink_lag_seconds", "Lag.", registry=registry).set(2.5)
    loop = asyncio.new_event_loop()
    server = HealthServer("127.0.0.1", 0, lambda: list(missing), registry)
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def test_a_ready_process_tells_its_numbers() -> None:
    with healthy() as port:
        assert process("sink", (NOBODY, port)) == {
            "process": "sink",
            "state": "ready",
            "port": port,
            "detail": "sink lag 2.5 s",
        }


def test_a_process_that_is_not_ready_tells_what_it_lacks() -> None:
    with healthy("no partitions yet", "Kafka is away") as port:
        found = process("executor", (port,))
    assert (found["state"], found["detail"]) == ("not ready", "no partitions yet, Kafka is away")


def test_a_process_that_does_not_answer_is_unknown() -> None:
    found = process("sink", (NOBODY, NOBODY + 1))
    assert (found["state"], found["detail"]) == ("unknown", "does not answer here on port 9 and 10")


def test_somebody_else_on_the_port_is_not_taken_for_ours(web: Served) -> None:
    port = int(web.url.rpartition(":")[2])
    assert lacking(port) == []
    with contextlib.closing(_Rude()) as rude:
        assert lacking(rude.port) is None


class _Rude:
    """Answers every connection with something that is no HTTP."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            connection.sendall(b"SSH-2.0-not-http\r\n")
            connection.close()

    def close(self) -> None:
        self._listener.close()


def test_a_proxy_in_the_environment_does_not_stand_between_a_machine_and_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with healthy() as port:
        assert lacking(port) == []


def test_processes_of_another_machine_are_said_to_be_elsewhere() -> None:
    for found in processes("https://pulsebook.example.com"):
        assert found["state"] == "unknown"
        assert "not on this machine" in found["detail"]


def test_status_tells_counts_and_how_far_it_has_read(web: Served, pulsebook: Pulsebook) -> None:
    assert "none yet" in pulsebook("status").stdout
    web.written(DECISIONS, ALERT, matched())
    web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    done = pulsebook("status")
    assert done.exit_code == 0
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert ["alerts", "1"] in lines
    assert ["runs", "1 succeeded"] in lines
    assert ["read", "model    up to date"] in lines
    document = json.loads(pulsebook("status", "--json").stdout)
    assert [each["process"] for each in document["processes"]] == ["processor", "executor", "sink"]
