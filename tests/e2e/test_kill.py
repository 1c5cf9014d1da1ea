"""kill -9 of every process in turn, under a steady flow of alerts: nothing is lost, nothing is done twice."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.posting import REPEAT_TAG
from tests.chaos.target import Target
from tests.e2e.flow import send_steadily
from tests.e2e.machine import Machine, machine
from tests.e2e.whole_log import WholeLog, read_whole_log

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

ALERTS = 60
FLOW_S = 15.0
SETTLED_WITHIN_S = 90.0
PLAYBOOK = """\
playbook: reads-and-writes
on:
  alert: {endpoint: demo}
admission: {max_running: 1000}
steps:
  - id: read
    action: http.request
    with: {url: "TARGET/read"}
    retry: {attempts: 5, delay: 500ms}
  - id: write
    action: http.request
    with: {method: POST, url: "TARGET/write", json: {run: "${{ run.id }}"}}
  - publish: {title: "wrote for ${{ alert.scope }}"}
report: [failed, succeeded]
"""


async def kill_in_turn(up: Machine, names: Sequence[str], every_s: float) -> None:
    """kill -9, one after the other."""
    for name in names:
        await asyncio.sleep(every_s)
        (await asyncio.to_thread(up.child, name)).kill()


async def settled(up: Machine, alert_ids: Sequence[str]) -> WholeLog:
    """The log, once everything about these alerts has come to its end."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        log = await read_whole_log(up.servers)
        missing = log.unsettled(alert_ids)
        if not missing:
            return log
        assert time.monotonic() < deadline, f"{len(missing)} things missing: {missing[:10]}\n{up.said}"
        await asyncio.sleep(1)


async def test_a_kill_of_any_process_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    playbooks = tmp_path / "playbooks"
    playbooks.mkdir()
    with Target(answer_after_s=0.2) as target:
        (playbooks / "reads-and-writes.yaml").write_text(PLAYBOOK.replace("TARGET", target.url))
        with machine(tmp_path, playbooks) as up:
            names = ("processor", "executor", "sink", "web")
            accepted, _ = await asyncio.gather(
                send_steadily(up.hook, ALERTS, FLOW_S), kill_in_turn(up, names, FLOW_S / (len(names) + 1))
            )
            log = await settled(up, accepted)
            events = await asyncio.to_thread(up.events)
            said = up.said

    for name in names:
        assert f"{name} ended (killed by SIGKILL); starting it again" in said
    assert len(set(accepted)) == ALERTS
    assert log.gaps() == {}
    _assert_runs_ended(log, accepted)
    assert {key: count for key, count in target.posts.items() if count > 1} == {}
    _assert_every_report_was_posted(log, events)


def _assert_runs_ended(log: WholeLog, accepted: Sequence[str]) -> None:
    """One run an alert; it succeeded, or nobody knows whether its write was done (the executor died)."""
    ended = log.ended()
    started = {one.run_id for each in accepted for one in log.decided[each] if one.decision == "started"}
    assert started == set(ended)
    assert len(started) == len(accepted)
    assert {end.kind for end in ended.values() if end.status != "succeeded"} <= {"unknown"}


def _assert_every_report_was_posted(log: WholeLog, events: Sequence[dict[str, list[str]]]) -> None:
    posts: defaultdict[str, list[list[str]]] = defaultdict(list)
    for event in events:
        (what,) = [tag for tag in event["tags"] if tag.startswith("pulsebook_id:")]
        posts[what.removeprefix("pulsebook_id:")].append(event["tags"])
    assert set(posts) == set(log.reported())
    untagged_repeats = {
        what: tags for what, tags in posts.items() if sum(REPEAT_TAG not in each for each in tags) > 1
    }
    assert untagged_repeats == {}
