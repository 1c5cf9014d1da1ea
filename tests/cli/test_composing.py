"""Which Kafka a command talks to that was told none."""

import json
import socket
from pathlib import Path

import pytest
import typer

from cli.composing import found_kafka
from cli.data_folder import LOCK_FILE
from settings import Settings


def a_data_folder(path: Path, port: int) -> Settings:
    (path / "kafka").mkdir()
    (path / LOCK_FILE).touch()
    (path / "kafka" / "ports.json").write_text(json.dumps({"broker": port, "controller": port + 1}))
    return Settings.read({"PULSEBOOK_DATA_DIR": str(path)})


def test_the_local_kafka_of_the_data_folder_is_found(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = found_kafka(a_data_folder(tmp_path, port))
    assert (found.kafka, found.partitions, found.replication) == (f"127.0.0.1:{port}", 4, 1)


def test_one_that_is_not_running_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(typer.Exit) as ended:
        found_kafka(a_data_folder(tmp_path, port))
    assert ended.value.exit_code == 3
    told = capsys.readouterr().err
    assert f"does not answer on 127.0.0.1:{port}: it runs while `pulsebook up` does" in told


def test_the_kafka_that_the_settings_name_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = a_data_folder(tmp_path, server.getsockname()[1])
        named = Settings.read({"PULSEBOOK_DATA_DIR": str(tmp_path), "PULSEBOOK_KAFKA": "kafka:9092"})
        assert found_kafka(named) == named
        assert settings.kafka == ""
