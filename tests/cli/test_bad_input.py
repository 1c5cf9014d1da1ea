"""What the command line says, and how it ends, when what it is given or needs is not as it should be."""

import contextlib
import json
import os
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.output import ANSWER_IS_NO, CANNOT_REACH, WRONG_USE
from cli.supervisor import own_command

NOBODY = "127.0.0.1:1"
"""A port on which nothing can listen without being root, and nothing does."""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture
def somebody_else() -> Iterator[Callable[[int], str]]:
    """A server of somebody else: JSON, but none of ours, with the status that is asked for."""
    with contextlib.ExitStack() as servers:

        def start(status: int) -> str:
            class Answers(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(b'{"ok": true}')

                def log_message(self, format: str, *args: object) -> None:
                    """Nothing."""

            server = servers.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Answers))
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            servers.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start


def pulsebook(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", **environment})


def test_up_on_a_busy_port_is_one_sentence_with_the_way_out(taken_port: int, tmp_path: Path) -> None:
    first = taken_port - 2  # the processor's health port is the third of five
    done = pulsebook("up", "--port", str(first), "--data", str(tmp_path))
    assert done.exit_code == WRONG_USE
    assert done.stderr.count("\n") == 1
    assert "in use by another program" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.parametrize(
    "text", [": [not yaml", "\x00\x01\x02", "- just\n- a list\n", "playbook: a\n\tsteps: []\n", ""]
)
def test_a_playbook_that_is_not_yaml_is_named_with_line_and_column(tmp_path: Path, text: str) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(text)
    done = pulsebook("playbook", "lint", str(tmp_path))
    assert done.exit_code == ANSWER_IS_NO
    assert re.search(rf"^{re.escape(str(bad))}:\d+:\d+: error: ", done.stdout, re.M), done.output


def test_a_playbook_that_is_not_text_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"playbook: \xff\xfe\n")
    done = pulsebook("playbook", "lint", str(bad))
    assert done.exit_code == ANSWER_IS_NO
    assert str(bad) in done.stdout + done.stderr


@pytest.mark.parametrize("command", [("topics", "check"), ("topics", "create")])
def test_a_broker_that_is_not_there_is_one_sentence(command: tuple[str, ...]) -> None:
    done = pulsebook(*command, PULSEBOOK_KAFKA=NOBODY)
    assert done.exit_code == CANNOT_REACH
    assert f"cannot reach Kafka at {NOBODY}" in done.stderr


def test_a_command_without_a_kafka_to_ask_says_what_to_set() -> None:
    done = pulsebook("topics", "check")
    assert done.exit_code == WRONG_USE
    assert "PULSEBOOK_KAFKA" in done.stderr


@pytest.mark.parametrize("command", [("status",), ("run", "list"), ("alert", "send", "--example")])
def test_a_pulsebook_that_is_not_there_is_one_sentence_with_the_way_out(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    done = pulsebook(*command, PULSEBOOK_URL=f"http://{NOBODY}", PULSEBOOK_DATA_DIR=str(tmp_path))
    assert done.exit_code == CANNOT_REACH
    assert "Pulsebook" in done.stderr
    assert "PULSEBOOK_URL" in done.stderr


def test_wrong_settings_are_all_named_and_end_the_command() -> None:
    done = pulsebook("topics", "check", PULSEBOOK_PARTITIONS="many", PULSEBOOK_LOG_LEVEL="LOUD")
    assert done.exit_code == WRONG_USE
    assert "PULSEBOOK_PARTITIONS" in done.stderr
    assert "PULSEBOOK_LOG_LEVEL" in done.stderr


def test_lint_tells_a_program_the_same_as_a_person(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("playbook: a\nstep: []\n")
    done = pulsebook("playbook", "lint", str(tmp_path), "--json")
    assert done.exit_code == ANSWER_IS_NO
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(each["line"], each["severity"]) for each in found} == {(1, "error"), (2, "error")}
    assert any("no key `step`" in each["message"] and "`steps`" in each["fix"] for each in found)


@pytest.mark.parametrize(
    "command",
    [
        ("run", "show"),
        ("alert", "trace"),
        ("playbook", "show"),
        ("deadletter", "show"),
        ("endpoint", "rotate"),
    ],
)
@pytest.mark.parametrize("given", ["", ".."])
def test_an_empty_name_is_no_other_question(command: tuple[str, ...], given: str) -> None:
    done = pulsebook(*command, given, PULSEBOOK_URL=f"http://{NOBODY}")
    assert done.exit_code == WRONG_USE
    assert done.stderr == "a name or an id is empty\n"


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("command", [("status",), ("run", "list"), ("deadletter", "list")])
def test_a_server_that_is_not_pulsebook_is_named(
    somebody_else: Callable[[int], str], command: tuple[str, ...], status: int
) -> None:
    url = somebody_else(status)
    done = pulsebook(*command, PULSEBOOK_URL=url)
    assert done.exit_code == CANNOT_REACH
    assert done.stderr == f"what answers at {url} is not Pulsebook; set PULSEBOOK_URL\n"


def test_a_terminal_that_cannot_show_a_letter_shows_a_question_mark(tmp_path: Path) -> None:
    done = subprocess.run(
        [*own_command(), "playbook", "lint", str(tmp_path / "ünï")],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == WRONG_USE
    assert b"?n?: no such file or folder" in done.stderr
