"""A run with steps within steps, in the middle of its life, from a real journal of the engine."""

from engine.playbook.model import (
    AskStep,
    Branch,
    Case,
    ForeachStep,
    ParallelStep,
    RunStep,
    SetStep,
    SwitchStep,
    WaitStep,
)
from tests.engine.run.given import Life, a_playbook, a_step, an_alert


def nested_life() -> Life:
    """Iteration 1 is answered and done before iteration 0; branches wait for a recovery and for a child."""
    approve = AskStep(
        path="approve",
        question="Restart ${{ pod }}?",
        choices=("restart", "leave it"),
        by=("admin", "ann"),
        timeout_ms=600_000,
        on_timeout="leave it",
    )
    pods = ForeachStep(
        path="restart",
        items="['web-1', 'web-2', 'web-3']",
        variable="pod",
        concurrency=2,
        steps=(approve, a_step("kill")),
    )
    choose = SwitchStep(
        path="#5",
        value="alert.host",
        cases=(Case(value="web-1", steps=(RunStep(path="child", playbook="status-page"),)),),
        default=(SetStep(path="#7", values={"a": "1"}),),
    )
    both = ParallelStep(
        path="#4",
        branches=(
            Branch(name="work", steps=(pods,)),
            Branch(name="calm", steps=(WaitStep(path="healed", until="recovered", wait_ms=600_000),)),
            Branch(name="page", steps=(choose,)),
        ),
    )
    life = Life(a_playbook(both), alert=an_alert(host="web-1", title="p95 is high"))
    life.reply("restart", step="restart[1].approve")
    return life
