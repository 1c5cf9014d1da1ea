"""The deployment files say what the code says: names of settings and commands, ports, sizes, versions,
files.
"""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from connectors.local_kafka_jars import KAFKA_VERSION
from schemas.topics import MESSAGE_BYTES_MAX
from settings import Settings, setting_fields
from settings_reading import variables

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BROKERS = {name: service for name, service in SERVICES.items() if name.startswith("kafka")}
OURS = {name: service for name, service in SERVICES.items() if name not in BROKERS}
PROCESS_PORTS = {"web": 8080, "processor": 9101, "executor": 9102, "sink": 9103}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
PIN = r"^[\w.\-]+(?:\[[\w,]+\])?==\S+(?: ;[^\n\\]+)? \\\n    --hash=sha256:[0-9a-f]{64}"
ROOMS = ("schemas", "engine", "connectors", "streams", "executor", "console", "audit", "cli")


def three_brokers() -> dict[str, str]:
    lines = (ROOT / "three-brokers.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def in_force(text: str) -> str:
    """What compose makes of a value where nothing is set but what must be."""
    return re.sub(r"\$\{\w+:\?[^}]*\}", "must-be-set", re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


def test_every_variable_of_the_deployment_is_a_setting() -> None:
    known = {name for each in setting_fields() for name in variables(each)}
    named = {name for service in OURS.values() for name in service["environment"]}
    named |= set(re.findall(r"\b(?:PULSEBOOK|DD)_[A-Z_]+\b", DOCKERFILE))
    named |= {name for name in three_brokers() if name.startswith("PULSEBOOK_")}
    assert named - known == set()


def test_the_values_of_the_deployment_are_accepted_as_settings() -> None:
    in_image = dict(re.findall(r"(PULSEBOOK_\w+)=(\S+)", DOCKERFILE))
    for service in OURS.values():
        environment = {name: in_force(value) for name, value in service["environment"].items()}
        settings = Settings.read({**in_image, **environment})
        assert settings.partitions == Settings().partitions
        assert settings.replication == 1


def test_every_process_is_a_service_and_every_service_of_ours_a_command() -> None:
    commands = {name: service["command"] for name, service in OURS.items()}
    assert commands == {"topics": ["topics", "create"], **{name: [name] for name in PROCESS_PORTS}}


def test_every_process_waits_for_the_topics_and_is_watched_on_its_port() -> None:
    for name, port in PROCESS_PORTS.items():
        service = SERVICES[name]
        assert service["depends_on"]["topics"]["condition"] == "service_completed_successfully"
        assert f"http://127.0.0.1:{port}/healthz" in service["healthcheck"]["test"][-1]
        assert service["restart"] == "unless-stopped"
    ports = next(each.metadata["meaning"] for each in setting_fields() if each.name == "health_port")
    assert all(f"{name} {port}" in ports for name, port in PROCESS_PORTS.items() if name != "web")
    assert Settings().web_port == PROCESS_PORTS["web"]


def test_what_keeps_tables_has_a_volume() -> None:
    for name in ("web", "processor", "sink", *BROKERS):
        volume, folder = SERVICES[name]["volumes"][0].split(":")
        assert volume in COMPOSE["volumes"]
        assert folder == ("/var/lib/kafka/data" if name in BROKERS else "/data")


def test_the_brokers_are_the_kafka_that_is_tested_and_take_our_largest_message() -> None:
    for service in BROKERS.values():
        environment = service["environment"]
        assert service["image"] == f"apache/kafka:{KAFKA_VERSION}"
        assert environment["KAFKA_MESSAGE_MAX_BYTES"] == str(MESSAGE_BYTES_MAX)
        assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_one_broker_by_default_and_three_in_a_profile_with_as_many_copies() -> None:
    assert [name for name, service in BROKERS.items() if "profiles" not in service] == ["kafka"]
    three = three_brokers()
    profile = [three["COMPOSE_PROFILES"]]
    assert [service.get("profiles") for service in BROKERS.values()] == [None, profile, profile]
    ids = [f"{service['environment']['KAFKA_NODE_ID']}@{name}:9093" for name, service in BROKERS.items()]
    assert three["KAFKA_VOTERS"] == ",".join(ids)
    assert three["PULSEBOOK_KAFKA"] == ",".join(f"{name}:9092" for name in BROKERS)
    assert three["PULSEBOOK_REPLICATION"] == three["KAFKA_COPIES"] == str(len(BROKERS))


def test_it_is_said_where_the_profile_is_that_it_does_not_work_by_itself() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    voters = in_force(COMPOSE["x-kafka-environment"]["KAFKA_CONTROLLER_QUORUM_VOTERS"])
    assert voters == "1@kafka:9093", (
        "a profile cannot change a value: the others are voters by the file alone"
    )
    profiles = re.findall(r"\n(.*)\n    profiles: \[three\]", text)
    assert len(profiles) == 2
    for place in (*profiles, (ROOT / "README.md").read_text()):
        assert "`--profile three`" in place and "three-brokers.env" in place


def test_whoever_makes_links_to_runs_and_hooks_knows_the_public_address() -> None:
    knowing = {name for name, service in OURS.items() if "PULSEBOOK_PUBLIC_URL" in service["environment"]}
    assert knowing == {"web", "processor"}


def test_the_image_runs_as_nobody_special_and_installs_only_what_is_pinned() -> None:
    last_stage = DOCKERFILE.split("\nFROM ")[-1]
    assert "\nUSER pulsebook\n" in last_stage
    installs = re.findall(r"pip install [^\n&]+", DOCKERFILE)
    assert installs
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def test_the_image_is_built_from_every_room() -> None:
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert [room for room in ROOMS if f"!{room}" not in let_in] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_versions_and_checksums_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = re.findall(PIN, text, re.MULTILINE)
    starts = re.findall(r"^[\w.\-]+", text, re.MULTILINE)
    assert len(pins) == len(starts) > 0
    assert "://" not in text
    assert "--find-links" not in text


def test_the_locks_satisfy_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = {"requirements.lock": project["dependencies"]}
    asked["requirements-dev.lock"] = [*project["dependencies"], *extras["local"], *extras["dev"]]
    for lock, dependencies in asked.items():
        pinned = dict(re.findall(r"^([\w.\-]+)==([\w.]+)", (ROOT / lock).read_text(), re.MULTILINE))
        for requirement in map(Requirement, dependencies):
            assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), lock


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_every_room(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=ignore)
    for name in ("pyproject.toml", "fetch_pace.py", "settings.py", "settings_reading.py"):
        shutil.copy(ROOT / name, source)
    files = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()} - {
        "pyproject.toml"
    }
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(source)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert files - set(zipfile.ZipFile(wheel).namelist()) == set()
