"""Steps within steps, in the API and on the page: in the order of the playbook, with their depth."""

from typing import Any

from engine.playbook.canonical import canonical_json
from schemas.catalog import RevisionAdded
from schemas.relations import Parent
from schemas.topics import RUN_JOURNAL
from tests.console.conftest import Web
from tests.console.nested_run import nested_life
from tests.console.samples import REQUESTED, RUN, STARTED, journal, with_fields
from tests.console.test_run_page import Parsed
from tests.engine.run.given import RUN_ID, Life

TREE = [
    ("#4", 0, "parallel"),
    ("restart", 1, "loop"),
    ("restart[0].approve", 2, "ask"),
    ("restart[1].approve", 2, "ask"),
    ("restart[1].kill", 2, ""),
    ("healed", 1, "wait"),
    ("#5", 1, "switch"),
    ("child", 2, "run"),
]


async def written(web: Web, *, revision: bool = True) -> Life:
    """The run, and the revision that it follows."""
    life = nested_life()
    playbook = life.book.playbook
    if revision:
        made = RevisionAdded(
            digest=life.book.digest,
            playbook=playbook.name,
            canonical=canonical_json(playbook),
            source="",
            actor="test",
            at_ms=1,
        )
        await web.change(f"revision/{life.book.digest}", made)
    await web.written(RUN_JOURNAL, RUN_ID, *life.journal)
    return life


async def steps_of(web: Web) -> dict[str, Any]:
    run = (await web.client.get(f"/api/v1/runs/{RUN_ID}")).json()
    return {step["step"]: step for step in run["steps"]}


async def test_steps_stand_below_what_holds_them_in_the_order_of_the_playbook(web: Web) -> None:
    await written(web)

    steps = await steps_of(web)

    assert [(step["step"], step["depth"], step["kind_of"]) for step in steps.values()] == TREE


async def test_without_its_revision_the_paths_tell_as_much_as_they_can(web: Web) -> None:
    await written(web, revision=False)

    depths = {name: step["depth"] for name, step in (await steps_of(web)).items()}

    assert [name for name in depths if name.startswith("restart")] == [name for name, *_ in TREE[1:5]]
    assert depths["restart"] == depths["child"] == 0
    assert depths["restart[1].kill"] == 1


async def test_ten_iterations_are_in_the_order_of_their_numbers(web: Web) -> None:
    looks = [with_fields(REQUESTED, step=f"each[{at}].look") for at in (10, 9, 2, 0)]
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, *looks))

    steps = (await web.client.get(f"/api/v1/runs/{RUN}")).json()["steps"]

    assert [step["step"] for step in steps] == [f"each[{at}].look" for at in (0, 2, 9, 10)]


async def test_each_kind_tells_what_there_is_to_know(web: Web) -> None:
    life = await written(web)

    steps = await steps_of(web)

    assert (steps["restart"]["iterations"], steps["restart"]["total"]) == (2, 3)
    assert steps["#4"]["about"] == "work, calm, page"
    assert steps["#5"]["about"] == "'web-1': case 1"
    assert (steps["healed"]["about"], steps["healed"]["due_ms"]) == (
        "recovered",
        life.live.timers["wait/healed/0"],
    )
    assert steps["child"]["child_run_id"] == life.live.steps["child"].child_run_id
    assert steps["child"]["action"] == "status-page"
    asked, answered = steps["restart[0].approve"], steps["restart[1].approve"]
    assert (asked["by"], asked["choices"]) == (["admin", "ann"], ["restart", "leave it"])
    assert (answered["answered_by"], answered["answer"], answered["took_ms"]) == ("ann", "restart", 1_000)


async def test_the_page_tells_of_each_kind_so_that_a_person_can_act(web: Web) -> None:
    life = await written(web)
    child = life.live.steps["child"].child_run_id

    page = Parsed((await web.client.get(f"/runs/{RUN_ID}")).text)

    for told in (
        "#4 parallel",
        "side by side: work, calm, page",
        "restart loop running, 2 of 3 iterations",
        "Restart web-1? one of: restart, leave it; without an answer: leave it may answer: admin, ann",
        f"pulsebook run answer {RUN_ID} 'restart[0].approve' restart",
        "Restart web-2? ann: restart",
        "healed wait waiting",
        "for the alert to recover",
        "'web-1': case 1",
        "child run status-page waiting",
    ):
        assert told in page.text, told
    assert "'restart[1].approve' restart" not in page.text
    assert ("a", "href", f"/runs/{child}") in page.attributes
    margins = [value for tag, name, value in page.attributes if (tag, name) == ("div", "style")]
    assert margins == [f"margin-left: {1.5 * depth:g}rem" for _, depth, _ in TREE if depth]


async def test_a_child_leads_back_to_the_run_that_waits_for_it(web: Web) -> None:
    started = with_fields(STARTED, parent=Parent(run_id="r-parent", step="child", seq=2, depth=1))
    await web.written(RUN_JOURNAL, RUN, journal(1, started))

    page = Parsed((await web.client.get(f"/runs/{RUN}")).text)

    assert ("a", "href", "/runs/r-parent") in page.attributes
