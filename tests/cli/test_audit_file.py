"""`pulsebook audit export` on a real Kafka, and `pulsebook audit verify FILE` without one."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from avro.datafile import DataFileReader
from avro.io import DatumReader

from connectors.event_log_writer import EventLogWriter
from schemas.outgoing import AsItCame, Outgoing
from schemas.topics import ALERTS, RUN_JOURNAL, TOPICS
from tests.audit.memory_log import export_to, history
from tests.cli.conftest import Pulsebook
from tests.schemas.sample_events import EVENTS, journal
from tests.schemas.samples import SAMPLES

ROOT = Path(__file__).parents[2]
MANY = 60_000


@pytest.fixture
def kafka(
    monkeypatch: pytest.MonkeyPatch, pulsebook: Pulsebook, kafka_servers: str, topic_prefix: str
) -> dict[str, str]:
    """Topics of two partitions, and the settings that name them."""
    settings = {
        "PULSEBOOK_KAFKA": kafka_servers,
        "PULSEBOOK_TOPIC_PREFIX": topic_prefix,
        "PULSEBOOK_PARTITIONS": "2",
        "PULSEBOOK_REPLICATION": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert pulsebook("topics", "create").exit_code == 0
    return settings


def written(kafka: dict[str, str], journals: int) -> None:
    """One of every record, what strangers write, and a journal."""

    async def write() -> None:
        options = {"bootstrap_servers": kafka["PULSEBOOK_KAFKA"]}
        async with EventLogWriter(options, kafka["PULSEBOOK_TOPIC_PREFIX"], linger_ms=20) as writer:
            for record in SAMPLES:
                for topic in TOPICS:
                    if type(record) in topic.records:
                        await writer.send(Outgoing(topic, "key", record))
            await writer.put_back(AsItCame(ALERTS, None, b'{"title": "elsewhere"}', (("endpoint", b"demo"),)))
            await writer.put_back(AsItCame(ALERTS, b"\xff", b"\x00 garbage"))
            for begin in range(0, journals, 5_000):
                sends = [
                    writer.start(Outgoing(RUN_JOURNAL, f"r-{number % 50}", journal(EVENTS[number % 20])))
                    for number in range(begin, min(begin + 5_000, journals))
                ]
                await asyncio.gather(*sends)

    asyncio.run(write())


def rows_by_apache(file: Path) -> list[dict[str, Any]]:
    with DataFileReader(io.BytesIO(file.read_bytes()), DatumReader()) as reader:
        rows: list[dict[str, Any]] = list(reader)  # type: ignore[arg-type]  # rows of a record schema
    return rows


@pytest.mark.kafka
@pytest.mark.parametrize("codec", ["deflate", "zstd"])
def test_what_kafka_has_is_exported_read_by_the_reference_library_and_verified_without_kafka(
    kafka: dict[str, str], pulsebook: Pulsebook, codec: str, tmp_path: Path
) -> None:
    written(kafka, 300)
    done = pulsebook("audit", "export", "all.avro", "--codec", codec)
    assert done.exit_code == 0, done.stderr
    head = done.stdout.splitlines()[-1].removeprefix("head ")
    rows = rows_by_apache(tmp_path / "all.avro")
    assert [row["topic"] for row in rows] == sorted(
        (row["topic"] for row in rows), key=[topic.name for topic in TOPICS].index
    )
    assert len([row for row in rows if row["topic"] == "run-journal"]) == 301
    (elsewhere,) = [row for row in rows if row["value"] == b'{"title": "elsewhere"}']
    assert elsewhere["headers"] == [{"name": "endpoint", "value": b"demo"}]

    away = {"PULSEBOOK_KAFKA": ""}
    verified = pulsebook("audit", "verify", "all.avro", "--head", head, env=away)
    assert (verified.exit_code, "each as it was exported" in verified.stdout) == (0, True), verified.stdout
    document = json.loads(pulsebook("audit", "verify", "all.avro", "--json", env=away).stdout)
    assert (document["records"], document["head"], document["findings"]) == (len(rows), head, [])
    other = pulsebook("audit", "verify", "all.avro", "--head", "0" * 64, env=away)
    assert (other.exit_code, "head: the file's head is" in other.stdout) == (1, True)


@pytest.mark.kafka
def test_an_altered_file_is_told_with_the_record(
    kafka: dict[str, str], pulsebook: Pulsebook, tmp_path: Path
) -> None:
    written(kafka, 300)
    assert pulsebook("audit", "export", "all.avro").exit_code == 0
    data = bytearray((tmp_path / "all.avro").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "all.avro").write_bytes(data)
    verified = pulsebook("audit", "verify", "all.avro")
    assert (verified.exit_code, " record " in verified.stdout) == (1, True), verified.stdout


@pytest.mark.kafka
def test_the_same_export_again_is_refused_without_force_and_has_the_same_head(
    kafka: dict[str, str], pulsebook: Pulsebook
) -> None:
    written(kafka, 10)
    first = json.loads(pulsebook("audit", "export", "all.avro", "--json").stdout)
    refused = pulsebook("audit", "export", "all.avro")
    assert (refused.exit_code, "all.avro is there already: --force" in refused.stderr) == (2, True)
    again = json.loads(pulsebook("audit", "export", "all.avro", "--json", "--force").stdout)
    assert (again["head"], again["records"]) == (first["head"], first["records"])


@pytest.mark.kafka
def test_a_period_is_taken_as_it_is_asked_for(kafka: dict[str, str], pulsebook: Pulsebook) -> None:
    written(kafka, 10)
    made = json.loads(pulsebook("audit", "export", "a.avro", "--since", "1h", "--json").stdout)
    assert made["records"] > 20
    older = json.loads(pulsebook("audit", "export", "b.avro", "--until", "1h", "--json").stdout)
    assert older["records"] == 0
    assert pulsebook("audit", "verify", "b.avro").exit_code == 0
    wrong = pulsebook("audit", "export", "c.avro", "--since", "1h", "--until", "2h")
    assert (wrong.exit_code, "nothing lies in that period" in wrong.stderr) == (2, True)


def noted(note: Path) -> int:
    """How many records a note counts; 0 while there is none."""
    try:
        return int(json.loads(note.read_bytes())["counts"]["records"])
    except FileNotFoundError:
        return 0


@pytest.mark.kafka
@pytest.mark.slow
def test_an_export_that_is_killed_goes_on_and_has_the_head_of_one_that_was_not(
    kafka: dict[str, str], pulsebook: Pulsebook, tmp_path: Path
) -> None:
    written(kafka, MANY)
    whole = json.loads(pulsebook("audit", "export", "whole.avro", "--json").stdout)
    file, note = tmp_path / "killed.avro", tmp_path / "killed.avro.part.json"
    after = 0
    for how, code in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
        command = [sys.executable, "-m", "cli.main", "audit", "export", str(file)]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **kafka},
            stderr=subprocess.PIPE,
            # Who runs the tests in the background has it ignored, and so would this one.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        while noted(note) <= after:
            assert process.poll() is None, "it was faster than its first note: MANY more records are needed"
            time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)  # however long the next command takes, it finds it at work
        in_use = pulsebook("audit", "export", str(file))
        assert (in_use.exit_code, "another export writes" in in_use.stderr) == (2, True)
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)
        said = process.communicate(timeout=60)[1].decode()
        assert process.returncode == code, said
        after = noted(note)
    assert f"interrupted behind record {after}; the same command goes on from here" in said
    assert 0 < after < whole["records"]
    last = pulsebook("audit", "export", str(file), "--json")
    assert (json.loads(last.stdout)["head"], json.loads(last.stdout)["records"]) == (
        whole["head"],
        whole["records"],
    )
    assert pulsebook("audit", "verify", str(file), "--head", whole["head"]).exit_code == 0
    assert not note.exists()


@pytest.mark.kafka
def test_a_full_disk_is_told_and_the_same_command_goes_on(
    kafka: dict[str, str], pulsebook: Pulsebook, tmp_path: Path
) -> None:
    """The limit of a file's size stands in for the disk: a write beyond it fails as on a full one."""
    written(kafka, 3_000)
    command = ["audit", "export", str(tmp_path / "all.avro")]
    limited = f"ulimit -f 60; trap '' XFSZ; exec {sys.executable} -m cli.main {' '.join(command)}"
    shell, environment = ["bash", "-c", limited], {**os.environ, **kafka}
    full = subprocess.run(shell, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (full.returncode, "the same command goes on from here" in full.stderr) == (3, True), full.stderr
    assert not (tmp_path / "all.avro").exists()
    assert pulsebook(*command).exit_code == 0
    whole = json.loads(pulsebook("audit", "export", "whole.avro", "--json").stdout)
    assert pulsebook("audit", "verify", "all.avro", "--head", whole["head"]).exit_code == 0


def test_without_kafka_an_export_says_so_and_goes_on_later(
    monkeypatch: pytest.MonkeyPatch, pulsebook: Pulsebook, tmp_path: Path
) -> None:
    assert pulsebook("audit", "export", "all.avro").exit_code == 2
    monkeypatch.setenv("PULSEBOOK_KAFKA", "127.0.0.1:1")
    away = pulsebook("audit", "export", "all.avro")
    assert (away.exit_code, "the same command goes on from here" in away.stderr) == (3, True)
    assert not (tmp_path / "all.avro").exists()


def test_wrong_use_is_told(monkeypatch: pytest.MonkeyPatch, pulsebook: Pulsebook, tmp_path: Path) -> None:
    monkeypatch.setenv("PULSEBOOK_KAFKA", "127.0.0.1:1")
    wrong = {
        ("export", "x.avro", "--codec", "snappy"): "--codec snappy is none of deflate, zstd",
        ("export", "nowhere/x.avro"): "there is no folder nowhere",
        ("export", str(tmp_path)): "is there already",
        ("verify", "x.avro", "--since", "1h"): "a file is verified whole",
        ("verify", "--head", "0"): "name that file",
        ("verify", "--replay"): "name that file",
        ("verify", "nothing.avro"): "nothing.avro cannot be read: No such file",
        ("verify", str(tmp_path)): "cannot be read: it is no file",
    }
    for arguments, sentence in wrong.items():
        told = pulsebook("audit", *arguments)
        assert (told.exit_code, sentence in told.stderr) == (2, True), (arguments, told.stderr)


def test_a_file_that_is_no_export_is_the_answer_no(pulsebook: Pulsebook, tmp_path: Path) -> None:
    (tmp_path / "x.avro").write_bytes(b"something")
    told = pulsebook("audit", "verify", "x.avro")
    assert (told.exit_code, "not an Avro container file" in told.stdout) == (1, True)


def test_no_head_is_said_of_a_broken_chain_and_a_head_that_was_given_is_told_to_fit(
    pulsebook: Pulsebook, tmp_path: Path
) -> None:
    log = history()
    made = asyncio.run(export_to(tmp_path / "all.avro", log))
    fits = pulsebook("audit", "verify", "all.avro", "--head", made.head)
    assert (fits.exit_code, "the head is the one that was given" in fits.stdout) == (0, True), fits.stdout
    alone = pulsebook("audit", "verify", "all.avro")
    assert (f"head {made.head}" in alone.stdout, "kept elsewhere (--head)" in alone.stderr) == (True, True)
    short = pulsebook("audit", "verify", "all.avro", "--head", made.head[:8])
    assert (short.exit_code, "is no head" in short.stderr) == (2, True)
    data = bytearray((tmp_path / "all.avro").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "all.avro").write_bytes(data)
    broken = pulsebook("audit", "verify", "all.avro")
    assert (broken.exit_code, "no head: the chain is broken" in broken.stdout) == (1, True), broken.stdout
    assert "head " + made.head not in broken.stdout


def test_what_nobody_writes_to_is_not_waited_for(pulsebook: Pulsebook, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    answer = pulsebook("audit", "verify", str(tmp_path / "pipe"))
    assert (answer.exit_code, answer.stderr) == (2, f"{tmp_path / 'pipe'} cannot be read: it is no file\n")
