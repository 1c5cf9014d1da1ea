"""`pulsebook doctor`: what is in force, what is wrong, how to mend it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Pulsebook, Served


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Pulsebook listens where the commands would look by themselves."""
    monkeypatch.setenv("PULSEBOOK_URL", "http://127.0.0.1:9")


def findings(stdout: str) -> dict[str, dict[str, str]]:
    documents = map(json.loads, stdout.splitlines())
    return {each["checked"]: each for each in documents if "checked" in each}


def test_all_is_well_where_the_api_answers_and_nothing_else_is_asked_for(
    web: Served, pulsebook: Pulsebook
) -> None:
    done = pulsebook("doctor", env={"PULSEBOOK_URL": web.url})
    assert done.exit_code == 0
    assert "wrong" not in done.stdout
    assert f"{web.url} is ready" in done.stdout


def test_every_setting_is_told_with_its_origin_and_no_secret(pulsebook: Pulsebook) -> None:
    done = pulsebook("doctor", env={"DD_API_KEY": "tell-nobody", "PULSEBOOK_PARTITIONS": "7"})
    assert "tell-nobody" not in done.output
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["PULSEBOOK_PARTITIONS", "7", "PULSEBOOK_PARTITIONS"] in rows
    assert ["PULSEBOOK_REPLICATION", "3", "default"] in rows


def test_it_tells_where_the_local_broker_listens(tmp_path: Path, pulsebook: Pulsebook) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "ports.json").write_text('{"broker": 48237, "controller": 48238}')
    found = findings(pulsebook("doctor", "--json", env={"PULSEBOOK_DATA_DIR": str(tmp_path)}).stdout)
    assert "127.0.0.1:48237" in found["Kafka"]["found"]
    assert str(tmp_path / "secrets") in found["secrets"]["found"]


def test_what_is_wrong_is_told_with_the_way_out(pulsebook: Pulsebook) -> None:
    done = pulsebook("doctor", "--json", env={"PULSEBOOK_KAFKA": "127.0.0.1:9,127.0.0.1:10"})
    assert done.exit_code == 3
    found = findings(done.stdout)
    assert "127.0.0.1:9: Connection refused; 127.0.0.1:10: " in found["Kafka"]["found"]
    assert "PULSEBOOK_KAFKA" in found["Kafka"]["mend"]
    assert "Connection refused" in found["API"]["found"]
    assert "pulsebook up" in found["API"]["mend"]
    assert "topics" not in found
    assert found["Datadog"]["mend"] == ""


def test_a_datadog_that_refuses_the_key_is_told(web: Served, pulsebook: Pulsebook) -> None:
    # Any server that knows no such path will do.
    done = pulsebook("doctor", "--json", env={"DD_API_KEY": "k", "PULSEBOOK_DD_URL": web.url})
    found = findings(done.stdout)["Datadog"]
    assert found["found"] == f"{web.url} answered 404"
    assert "DD_API_KEY" in found["mend"]


def test_wrong_settings_are_told_all_together(pulsebook: Pulsebook) -> None:
    done = pulsebook("doctor", env={"PULSEBOOK_PARTITIONS": "many", "PULSEBOOK_REPLICATION": "none"})
    assert done.exit_code == 2
    assert "PULSEBOOK_PARTITIONS" in done.stderr
    assert "PULSEBOOK_REPLICATION" in done.stderr


@pytest.mark.kafka
def test_topics_that_are_missing_are_findings(
    pulsebook: Pulsebook, kafka_servers: str, topic_prefix: str
) -> None:
    env = {
        "PULSEBOOK_KAFKA": kafka_servers,
        "PULSEBOOK_TOPIC_PREFIX": topic_prefix,
        "PULSEBOOK_PARTITIONS": "1",
        "PULSEBOOK_REPLICATION": "1",
    }
    missing = pulsebook("doctor", "--json", env=env)
    assert "does not exist" in missing.stdout
    assert pulsebook("topics", "create", env=env).exit_code == 0
    assert findings(pulsebook("doctor", "--json", env=env).stdout)["topics"]["mend"] == ""
