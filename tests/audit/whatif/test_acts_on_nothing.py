"""Proof that the question acts on nothing: it is asked with every way to act taken away.

On a real Kafka the same is proven by what the brokers are asked, in `tests/cli/test_playbook_whatif.py`; that
the room can import nothing that acts is a contract of import-linter.
"""

import asyncio
import builtins
import io
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NoReturn

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from audit.whatif.spool import Spool
from tests.audit.whatif.history import MINUTE_MS, History

CALLING = """
playbook: calling
on: {alert: {}}
steps:
  - {id: restart, action: http.request, with: {method: POST, url: "https://fix.internal/${{ alert.host }}"}}
  - {id: post, action: datadog.post_event, with: {title: restarted, text: "of ${{ alert.host }}"}}
  - {publish: {title: done}}
  - {id: child, run: called}
report: [succeeded, failed]
"""
CALLED = """
playbook: called
on: {call: {}}
steps: [{id: note, action: log, with: {message: hello}}]
"""


class Acted(BaseException):
    """Somebody tried to. Not an Exception: nobody may catch it."""


def forbidden(*_: Any, **__: Any) -> NoReturn:
    raise Acted


@pytest.fixture
def nothing_allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No connection, no producer, no topics made, no request, no program, no file but temporary ones."""
    plain_open = builtins.open

    def reading_only(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        temporary = isinstance(file, str | Path) and Path(file).is_relative_to(gettempdir())
        if set(mode) & set("wax+") and not temporary:
            raise Acted
        return plain_open(file, mode, *more, **named)

    for owner, name in (
        (socket.socket, "connect"),
        (socket.socket, "connect_ex"),
        (socket.socket, "sendto"),
        (AIOKafkaProducer, "__init__"),
        (AIOKafkaAdminClient, "__init__"),
        (httpx.AsyncClient, "send"),
        (httpx.Client, "send"),
        (subprocess.Popen, "__init__"),
        (os, "system"),
        (os, "fork"),
        (asyncio, "create_subprocess_exec"),
        (asyncio, "open_connection"),
    ):
        monkeypatch.setattr(owner, name, forbidden)
    monkeypatch.setattr(builtins, "open", reading_only)
    monkeypatch.setattr(io, "open", reading_only)
    yield


def test_the_guard_guards(nothing_allowed: None, tmp_path: Path) -> None:
    with pytest.raises(Acted), socket.socket() as connecting:
        connecting.connect(("127.0.0.1", 9))
    with pytest.raises(Acted):
        AIOKafkaProducer(bootstrap_servers="127.0.0.1:9")
    with pytest.raises(Acted):
        httpx.Client(trust_env=False).get("http://127.0.0.1:9/")
    with pytest.raises(Acted):
        Path("/somewhere").write_text("x")


async def test_playbooks_that_call_post_publish_and_start_others_do_nothing_of_it(
    nothing_allowed: None,
) -> None:
    past = History(CALLED)
    past.comes(0, host="web-1")
    past.comes(MINUTE_MS, host="web-2", cycle_key="c2", scope="service:b")
    told = await past.asked(CALLING, CALLED)
    assert [one.how for one in told.changes] == ["starts", "starts"]
    ran = told.report.tallies["calling"].steps[1]
    assert {step: ran[step] for step in ("restart", "post", "#3 (publish)", "child > note", "(report)")} == {
        "restart": 2,
        "post": 2,
        "#3 (publish)": 2,
        "child > note": 2,
        "(report)": 2,
    }


async def test_what_was_laid_down_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    began = Spool.__init__

    def noted(spool: Spool) -> None:
        began(spool)
        made.extend(tmp_path.iterdir())

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Spool, "__init__", noted)
    past = History(CALLED)
    past.comes(0)
    await past.asked(CALLING, CALLED)
    assert made
    assert list(tmp_path.iterdir()) == []
