"""Admission is told of every playbook that its rows know otherwise, again and again, until they know."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.admissions import Hold, PlaybookSwitched
from schemas.codec import decode
from streams.hardened.producer import key_hash
from streams.switching import Switching
from tests.streams.agents.bench import AgentBench, admit_bench
from tests.streams.bench import Bench
from tests.streams.books import Followed

DEMO = "demo"


@pytest.fixture
def followed() -> Followed:
    return Followed()


@pytest.fixture
async def one(bench: Bench, followed: Followed) -> AgentBench:
    return await admit_bench(bench, followed)


@pytest.fixture
def switching(bench: Bench, one: AgentBench, followed: Followed) -> Switching:
    return Switching(bench.app, one.ledger, bench.outbox, followed, 1)


def told(bench: Bench) -> list[Any]:
    return [decode(sent.value) for sent in bench.broker.of("p.admissions")]


async def test_what_the_row_knows_already_is_not_told(bench: Bench, switching: Switching) -> None:
    await switching.look()
    assert told(bench) == []


async def test_a_playbook_that_was_disabled_is_told_once_and_again_after_a_while(
    bench: Bench, switching: Switching, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed.switch(False)
    await switching.look()
    await switching.look()
    assert told(bench) == [PlaybookSwitched(playbook=DEMO, enabled=False, catalog_offset=3)]
    assert bench.broker.of("p.admissions")[0].key == b"demo"
    monkeypatch.setattr("streams.switching.time.monotonic", lambda: 1e12)
    await switching.look()
    assert len(told(bench)) == 2


async def test_once_the_row_knows_nothing_more_is_told_until_it_changes_back(
    bench: Bench, one: AgentBench, switching: Switching, followed: Followed
) -> None:
    followed.switch(False)
    await switching.look()
    await one.take(told(bench)[0], DEMO)
    await switching.look()
    assert len(told(bench)) == 1
    followed.switch(True)
    await switching.look()
    assert told(bench)[-1] == PlaybookSwitched(playbook=DEMO, enabled=True, catalog_offset=4)


async def test_a_playbook_that_was_removed_may_not_start_what_waits(
    bench: Bench, switching: Switching, followed: Followed
) -> None:
    held = followed.catalog.playbooks[DEMO]
    followed.catalog.apply(followed.catalog.offset, replace(held, digest=""))
    await switching.look()
    assert [one.enabled for one in told(bench)] == [False]


async def test_only_the_owner_of_the_row_tells(bench: Bench, one: AgentBench, followed: Followed) -> None:
    followed.switch(False)
    many = next(count for count in range(2, 99) if key_hash(DEMO.encode()) % count)
    await Switching(bench.app, one.ledger, bench.outbox, followed, many).look()
    one.ledger.revoke([0])
    await Switching(bench.app, one.ledger, bench.outbox, followed, 1).look()
    assert told(bench) == []


async def test_a_worker_whose_catalog_is_behind_the_row_tells_nothing(
    bench: Bench, one: AgentBench, switching: Switching, followed: Followed
) -> None:
    await one.take(PlaybookSwitched(playbook=DEMO, enabled=False, catalog_offset=99), DEMO)
    await switching.look()
    assert told(bench) == []


async def test_a_pause_is_told_with_who_and_why_and_its_end_too(
    bench: Bench, one: AgentBench, switching: Switching, followed: Followed
) -> None:
    followed.pause(True)
    await switching.look()
    await switching.look()
    pause = Hold(name="pause/demo", actor="mira", at_ms=7, reason="why")
    assert told(bench) == [PlaybookSwitched(playbook=DEMO, enabled=True, catalog_offset=3, paused=pause)]
    await one.take(told(bench)[0], DEMO)
    await switching.look()
    followed.pause(False)
    await switching.look()
    assert told(bench)[1:] == [PlaybookSwitched(playbook=DEMO, enabled=True, catalog_offset=4)]


async def test_a_pause_of_all_is_told_to_every_playbook(
    bench: Bench, switching: Switching, followed: Followed
) -> None:
    followed.add("playbook: second\non: {alert: {endpoint: demo}}\nsteps: [{id: one, action: noop}]\n")
    followed.pause(True, "pause")
    await switching.look()
    assert [(sent.playbook, sent.paused.name) for sent in told(bench)] == [
        (DEMO, "pause"),
        ("second", "pause"),
    ]
