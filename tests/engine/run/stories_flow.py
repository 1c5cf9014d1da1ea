"""Golden stories of steps within steps, waits, questions, children, breaking off and reruns."""

from typing import Any

import msgspec

from engine.playbook.model import (
    AskStep,
    Branch,
    Case,
    ExitStep,
    ForeachStep,
    InputSpec,
    ParallelStep,
    RepeatStep,
    RunStep,
    SetStep,
    SwitchStep,
    WaitStep,
)
from schemas.relations import KeptStep, Rerun
from tests.engine.run.given import Life, a_playbook, a_step, an_alert

ALERT = an_alert(
    title="p95 is high @oncall",
    host="web-1",
    tag_list=("service:checkout", "env:prod"),
    scope="service:checkout",
    monitor_id="12345",
    metadata={"trace": 2**70},
)


def loops() -> Life:
    """foreach side by side, a failing iteration that is passed over, until, repeat with a pause, outputs."""
    kill = a_step("kill", arguments={"name": "${{ pod.name }}", "at": "${{ index }}"})
    pods = ForeachStep(
        path="restart",
        items="steps.query.output.pods",
        variable="pod",
        concurrency=2,
        until="item.kill.output.last",
        steps=(kill, SetStep(path="#4", values={"seen": "${{ pod.name }}"})),
    )
    check = RepeatStep(
        path="verify",
        until="steps.check.output.ok",
        times=3,
        every_ms=30_000,
        steps=(a_step("check"),),
    )
    life = Life(
        a_playbook(
            a_step("query"),
            pods,
            check,
            outputs={"killed": "${{ size(steps.restart.outputs) }}", "seen": "${{ vars.seen }}"},
        ),
        alert=ALERT,
    )
    life.succeed({"pods": [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d"}]})
    life.succeed({"last": False}, step="restart[1].kill")
    life.succeed({"last": True}, step="restart[0].kill")
    life.succeed({"last": False}, step="restart[2].kill")
    life.succeed({"ok": False})
    life.fire("next/verify")
    life.succeed({"ok": True})
    return life


def a_loop_that_fails() -> Life:
    """The first failing iteration keeps new ones from beginning; the running ones end; a repeat runs out."""
    loop = ForeachStep(
        path="each",
        items="[1, 2, 3, 4]",
        variable="one",
        concurrency=2,
        steps=(a_step("kill", action="touch"),),
        continue_on_error=True,
    )
    check = RepeatStep(path="verify", until="false", times=2, steps=(a_step("check"),))
    life = Life(a_playbook(loop, check), alert=ALERT)
    for step in ("each[0].kill", "each[1].kill"):
        life.feed(life.claim(step=step, answers_seq=life.seq_of(step)))
    life.fail("http_4xx", "404", step="each[0].kill")
    life.succeed(1, step="each[1].kill")
    life.succeed({})
    life.succeed({})
    return life


def branches() -> Life:
    """parallel: one branch fails, the other ends all the same; switch inside."""
    choose = SwitchStep(
        path="#3",
        value="size(inputs.zones)",
        cases=(Case(value="1", steps=(a_step("one"),)), Case(value="2", steps=(a_step("two"),))),
        default=(ExitStep(path="#6"),),
    )
    both = ParallelStep(
        path="#1",
        branches=(
            Branch(name="chat", steps=(a_step("note"), a_step("never"))),
            Branch(name="work", steps=(choose, a_step("after"))),
        ),
    )
    book = a_playbook(both, inputs={"zones": InputSpec(type="list", default=["a", "b"])})
    life = Life(book, alert=ALERT)
    life.fail("http_4xx", "403", step="note")
    life.succeed("x", step="two")
    life.succeed("y", step="after")
    return life


def an_exit_among_others() -> Life:
    """exit inside a loop: what is under way elsewhere is given up."""
    loop = ForeachStep(
        path="each",
        items="['a', 'b']",
        variable="one",
        steps=(a_step("look_at"), ExitStep(path="#5", condition="one == 'a'", status="cancelled")),
    )
    both = ParallelStep(
        path="#1",
        branches=(Branch(name="left", steps=(a_step("slow"),)), Branch(name="right", steps=(loop,))),
    )
    life = Life(a_playbook(both, finally_=(a_step("unlock"),)), alert=ALERT)
    life.succeed({}, step="each[0].look_at")
    life.succeed({}, step="unlock")
    return life


def waits_and_questions() -> Life:
    """wait for a time and for a recovery; questions answered, skipped, and not answered in time."""
    ask: dict[str, Any] = {"question": "Restart ${{ alert.host }}?", "choices": ("restart", "leave")}
    book = a_playbook(
        WaitStep(path="pause", until="time", wait_ms=120_000),
        AskStep(path="approve", on_timeout="leave", by=("operator",), **ask),
        AskStep(path="sure", condition="false", on_timeout="fail", on_skip="restart", **ask),
        WaitStep(path="healed", until="recovered", wait_ms=600_000),
        WaitStep(path="again", until="recovered", wait_ms=600_000),
        AskStep(path="late", on_timeout="leave", timeout_ms=60_000, **ask),
        AskStep(path="nobody", on_timeout="fail", timeout_ms=60_000, **ask),
        outputs={"said": "${{ steps.approve.output.choice }}"},
    )
    life = Life(book, alert=ALERT)
    life.fire("wait/pause")
    life.reply("maybe", step="approve")
    life.reply("restart", step="approve")
    life.reply("leave", "bob", step="approve")
    life.recover()
    life.fire("ask/late")
    life.fire("ask/nobody")
    return life


def children() -> Life:
    """A child that ends well, one that fails, one that admission holds back."""
    steps = [
        RunStep(
            path=path,
            playbook="status-page",
            arguments={"of": "${{ alert.host }}"},
            continue_on_error=True,
        )
        for path in ("first", "second", "third")
    ]
    life = Life(a_playbook(*steps, outputs={"url": "${{ steps.first.output.url }}"}), alert=ALERT)
    life.child_ends("first", "succeeded", outputs={"url": "https://status"})
    life.child_ends("second", "failed", message="503")
    life.child_ends("third", "held_back", message="the playbook is disabled")
    return life


def cancelled_with_its_child() -> Life:
    """A cancel while a child runs."""
    both = ParallelStep(
        path="#1",
        branches=(
            Branch(name="a", steps=(RunStep(path="child", playbook="status-page"),)),
            Branch(name="b", steps=(a_step("slow"),)),
        ),
    )
    life = Life(a_playbook(both), alert=ALERT)
    life.cancel()
    return life


def broken_off() -> Life:
    """So many steps that need nobody that the run goes on with the next input."""
    loop = ForeachStep(
        path="each",
        items="[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(a, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(b, a * b))"
        ".map(row, row[9])",
        variable="one",
        steps=tuple(SetStep(path=f"#{n}", values={f"v{n}": "${{ one }}"}) for n in range(2, 30)),
    )
    life = Life(a_playbook(loop), alert=ALERT)
    life.fire("pause")
    return life


def a_rerun() -> Life:
    """What the earlier run had come to is taken over."""
    book = a_playbook(
        a_step("query"), a_step("restart", arguments={"n": "${{ steps.query.output.n + vars.n }}"})
    )
    kept = (
        KeptStep(step="#1", status="succeeded", seq=1),
        KeptStep(step="query", status="succeeded", output={"n": 2}, attempt=1, seq=2),
    )
    rerun = Rerun(run_id="r-old", from_step="restart", kept=kept, variables={"n": 1})
    book = msgspec.structs.replace(book, steps=(SetStep(path="#1", values={"n": 1}), *book.steps))
    life = Life(book, alert=ALERT, via="rerun", rerun=rerun)
    life.succeed()
    return life
