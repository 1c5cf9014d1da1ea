"""Faust's settings, as they follow from how a worker is set up."""

import ssl
from pathlib import Path
from typing import Any

import faust
import pytest

from schemas.inbox import Limits
from schemas.topics import CHANGELOGS
from streams.app import Worker, create_processor, create_sink
from streams.ending import End, end_process
from streams.hardened.credentials import broker_urls, credentials
from streams.options import WorkerOptions, faust_settings
from tests.streams.books import ACTIONS, Followed
from tests.streams.logs import MemoryLog
from tests.streams.test_reporter import FakePoster

TOPICS = ("alerts", "admissions", "run-inbox", "run-journal", "catalog")


def options(tmp_path: Path, **fields: Any) -> WorkerOptions:
    given: dict[str, Any] = {
        "kafka": {"bootstrap_servers": "127.0.0.1:1"},
        "prefix": "p.",
        "partitions": 4,
        "data_dir": tmp_path,
        "topic_ids": {f"p.{name}": f"id-{name}" for name in TOPICS},
    }
    return WorkerOptions(**{**given, **fields})


def a_processor(folder: Path) -> Worker:
    """The processor as it is put together; it is never run."""
    return create_processor(
        options(folder),
        catalog=Followed(),
        actions=ACTIONS,
        limits=Limits(),
        run_url_prefix="",
        rebuild=no_journal,
        journal=MemoryLog("run-journal"),
        admissions=MemoryLog("admissions"),
    )


def a_sink(options: WorkerOptions, poster: FakePoster | None = None, end: End = end_process) -> Worker:
    """The sink, likewise."""
    return create_sink(
        options,
        poster=poster or FakePoster(),
        catalog=Followed(),
        journal=MemoryLog("run-journal"),
        publications=MemoryLog("publications"),
        end=end,
    )


async def no_journal(run_id: str) -> list[Any]:
    return []


def test_servers_become_faust_s_urls() -> None:
    assert broker_urls({"bootstrap_servers": "a:1, b:2"}) == "kafka://a:1;kafka://b:2"
    assert broker_urls({"bootstrap_servers": ["a:1"]}) == "kafka://a:1"


def test_security_is_carried_over() -> None:
    context = ssl.create_default_context()
    assert credentials({}) is None
    assert credentials({"security_protocol": "PLAINTEXT"}) is None
    secured = credentials({"security_protocol": "SSL", "ssl_context": context})
    assert isinstance(secured, faust.SSLCredentials) and secured.context is context
    login = credentials(
        {
            "security_protocol": "SASL_SSL",
            "ssl_context": context,
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": "u",
            "sasl_plain_password": "secret",
        }
    )
    assert isinstance(login, faust.SASLCredentials)
    assert (login.protocol.value, login.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (login.username, login.password) == ("u", "secret")
    assert "secret" not in repr(login)
    plain = credentials({"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN"})
    assert plain is not None and plain.protocol.value == "SASL_PLAINTEXT"


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(ValueError, match="'KERBEROS' is not known"):
        credentials({"security_protocol": "KERBEROS"})


def test_one_agent_cannot_freeze_the_others(tmp_path: Path) -> None:
    settings = faust_settings(options(tmp_path), "processor")
    assert settings["broker_max_poll_records"] <= 0.2 * settings["stream_buffer_maxsize"]


@pytest.mark.parametrize(("session_s", "heartbeat_s"), [(45.0, 3.0), (6.0, 2.0), (2.0, 2 / 3)])
def test_a_late_heartbeat_does_not_cost_the_membership(
    tmp_path: Path, session_s: float, heartbeat_s: float
) -> None:
    settings = faust_settings(options(tmp_path, session_timeout_s=session_s), "processor")
    assert settings["broker_heartbeat_interval"] == heartbeat_s


async def test_changelogs_have_the_names_under_which_they_are_made(tmp_path: Path) -> None:
    processor = a_processor(tmp_path)
    sink = a_sink(options(tmp_path))
    names = {
        table.changelog_topic_name for worker in (processor, sink) for table in worker.app.tables.values()
    }
    assert names == {f"p.{changelog.name}" for changelog in CHANGELOGS}


async def test_a_worker_that_does_not_run_says_so(tmp_path: Path) -> None:
    assert a_sink(options(tmp_path)).missing() == ["the worker is not running"]


async def test_a_topic_that_does_not_exist_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"the topic p\.run-journal does not exist: run `pulsebook topics"):
        a_sink(options(tmp_path, topic_ids={}))


async def test_the_sink_does_not_hold_up_a_rebalance_for_datadog(tmp_path: Path) -> None:
    assert not a_sink(options(tmp_path)).app.conf.stream_wait_empty
