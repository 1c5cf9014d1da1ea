"""`pulsebook audit log` on a real Kafka."""

import asyncio
import json
import time

import pytest

from connectors.event_log_writer import EventLogWriter
from schemas.catalog import SwitchSet, TokenSet
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG
from tests.cli.conftest import Pulsebook

pytestmark = pytest.mark.kafka


@pytest.fixture
def written(
    monkeypatch: pytest.MonkeyPatch, kafka_servers: str, topic_prefix: str, pulsebook: Pulsebook
) -> None:
    monkeypatch.setenv("PULSEBOOK_KAFKA", kafka_servers)
    monkeypatch.setenv("PULSEBOOK_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("PULSEBOOK_PARTITIONS", "1")
    monkeypatch.setenv("PULSEBOOK_REPLICATION", "1")
    assert pulsebook("topics", "create").exit_code == 0
    now_ms = time.time_ns() // 1_000_000
    made = TokenSet(
        actor="mira", at_ms=now_ms, reason="for CI", name="ci", token_sha256="0" * 64, role="viewer"
    )
    paused = SwitchSet(actor="sam", at_ms=now_ms, reason="INC-7", name="pause", value=True)

    async def write() -> None:
        async with EventLogWriter({"bootstrap_servers": kafka_servers}, topic_prefix) as writer:
            await writer.send(Outgoing(CATALOG, "token/ci", made))
            await writer.send(Outgoing(CATALOG, "switch/pause", paused))

    asyncio.run(write())


def test_every_change_has_a_line_with_who_what_and_why(written: None, pulsebook: Pulsebook) -> None:
    told = pulsebook("audit", "log")
    assert told.exit_code == 0, told.stderr
    lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
    assert lines[0] == "at actor kind name change reason"
    assert "topics create switch partitions set to 1 fixed for this prefix" in lines[1]
    assert lines[2].endswith("mira token ci created, role viewer for CI")
    assert lines[3].endswith("sam switch pause paused INC-7")


def test_the_log_is_cut_by_time_kind_name_and_actor(written: None, pulsebook: Pulsebook) -> None:
    def names(*options: str) -> list[str]:
        told = pulsebook("audit", "log", "--json", *options)
        return [json.loads(line)["name"] for line in told.stdout.splitlines()]

    assert names() == ["partitions", "ci", "pause"]
    assert names("--kind", "token", "--kind", "endpoint") == ["ci"]
    assert names("--name", "pause") == ["pause"]
    assert names("--actor", "mira") == ["ci"]
    assert names("--since", "1h") == ["partitions", "ci", "pause"]
    assert names("--until", "1h") == []
    assert pulsebook("audit", "log", "--until", "1h").stdout == "nothing was changed in that period\n"


def test_wrong_options_are_told(written: None, pulsebook: Pulsebook) -> None:
    kind = pulsebook("audit", "log", "--kind", "playbok")
    assert (kind.exit_code, "there is no kind playbok; it is one of playbook, revision" in kind.stderr) == (
        2,
        True,
    )
    when = pulsebook("audit", "log", "--since", "tuesday")
    assert (when.exit_code, "'tuesday' is no time; write it like 2h, 7d" in when.stderr) == (2, True)
    empty = pulsebook("audit", "log", "--since", "1h", "--until", "2h")
    assert (empty.exit_code, "--since is not before --until" in empty.stderr) == (2, True)


def test_without_a_kafka_it_says_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch, pulsebook: Pulsebook, tmp_path: object
) -> None:
    monkeypatch.delenv("PULSEBOOK_KAFKA", raising=False)
    monkeypatch.setenv("PULSEBOOK_DATA_DIR", str(tmp_path))
    told = pulsebook("audit", "log")
    assert (told.exit_code, "PULSEBOOK_KAFKA names no Kafka servers" in told.stderr) == (2, True)
