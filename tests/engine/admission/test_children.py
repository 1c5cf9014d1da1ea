"""Runs that runs ask for: what their parent is told where they never begin."""

from typing import Any

import pytest

from schemas.inbox import ChildEnded, RunRequested
from schemas.relations import Parent, PinnedChild
from tests.engine.admission.world import MINUTE_MS, World, a_book, a_candidate
from tests.engine.alert.builders import an_alert

PARENT = Parent(run_id="r-parent", step="each[1].child", seq=4, depth=2)
CHILDREN = (PinnedChild(playbook="other", revision="d", catalog_offset=3),)


def asked(world: World, request: str, **fields: Any) -> str:
    candidate = a_candidate(request, an_alert(id="a-1"), via="playbook", parent=PARENT, **fields)
    return world.candidate(candidate).decision


def told(world: World) -> list[tuple[str, str]]:
    return [(one.status, one.message) for one in world.told(ChildEnded)]


def test_a_child_is_requested_with_its_parent_and_what_it_may_run() -> None:
    world = World(a_book())
    assert asked(world, "q-1", children=CHILDREN) == "started"
    (request,) = world.told(RunRequested)
    assert (request.parent, request.children) == (PARENT, CHILDREN)
    assert told(world) == []


def test_children_for_one_alert_are_not_in_each_others_way() -> None:
    world = World(a_book(while_running="skip"))
    assert [asked(world, f"q-{n}") for n in range(3)] == ["started"] * 3


def test_a_key_that_the_playbook_writes_itself_holds_for_children_too() -> None:
    world = World(a_book(key="alert.id"))
    assert [asked(world, f"q-{n}") for n in range(2)] == ["started", "held_back"]
    (child,) = world.told(ChildEnded)
    assert (child.run_id, child.step, child.answers_seq, child.status) == (
        "r-parent",
        "each[1].child",
        4,
        "held_back",
    )
    assert child.message.startswith("while_running: the run r-")


def test_a_repeated_request_is_told_again() -> None:
    world = World(a_book())
    world.switch(enabled=False)
    for _ in range(2):
        assert asked(world, "q-1") == "held_back"
    assert told(world) == [("held_back", "disabled: the playbook is disabled")] * 2


def test_a_revision_that_is_not_there_is_told() -> None:
    assert asked(world := World(None), "q-1") == "refused"
    assert told(world)[0][0] == "refused"


@pytest.mark.parametrize("how", ["cancelled", "expired", "disabled"])
def test_a_child_that_leaves_the_queue_is_told(how: str) -> None:
    world = World(a_book(max_running=1, queue_expires_ms=60_000))
    world.alert("a-0")
    assert asked(world, "q-1") == "queued"
    assert told(world) == []
    if how == "cancelled":
        world.cancel("q-1")
    elif how == "expired":
        world.wait(MINUTE_MS + 1_000)
    else:
        world.switch(enabled=False)
        world.end("a-0")
    assert told(world)[0][0] == ("expired" if how == "expired" else "dropped")


def test_a_start_by_an_alert_tells_nobody() -> None:
    world = World(a_book())
    world.switch(enabled=False)
    world.alert("a-1")
    assert told(world) == []
