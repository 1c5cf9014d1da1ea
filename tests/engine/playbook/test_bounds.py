"""How much there may be in a playbook: bounds, and that they can be set."""

import pytest

from engine.playbook.reading_steps import DEFAULT_LIMITS, Limits
from tests.engine.playbook.builders import read_text


def test_steps_are_bounded() -> None:
    step = "  - {exit: {}, if: alert.test}\n"
    head = "playbook: a\non: {call: {}}\nsteps:\n"
    assert read_text(head + step * DEFAULT_LIMITS.steps_max).problems == ()
    read = read_text(head + step * DEFAULT_LIMITS.steps_max + "finally:\n" + step)
    assert [str(problem) for problem in read.problems] == [
        f"book.yaml:{DEFAULT_LIMITS.steps_max + 5}:3: more than 500 steps (make two playbooks of it)"
    ]


def test_the_bounds_of_a_file_can_be_set() -> None:
    read = read_text(
        "playbook: a\non: {call: {}}\nsteps: [{exit: {}}, {exit: {}}]", limits=Limits(steps_max=1)
    )
    assert [problem.message for problem in read.problems] == ["more than 1 steps"]
    loop = "{id: r, repeat: {until: 'true', times: 2000}, steps: [{exit: {}}]}"
    loop = f"playbook: a\non: {{call: {{}}}}\nsteps: [{loop}]"
    assert [one.fix for one in read_text(loop).problems] == ["1 to 1000"]
    assert read_text(loop, limits=Limits(iterations_max=2_000)).problems == ()
    read = read_text("playbook: a", limits=Limits(bytes_max=10))
    assert [problem.message for problem in read.problems] == ["the file has 11 bytes, more than 10"]


@pytest.mark.parametrize("deepest", [1, 10, 12])
def test_steps_stand_within_each_other_as_deep_as_is_set(deepest: int) -> None:
    """12 is the most that can be set: the deepest form of it is still YAML that is read."""

    def within(deep: int) -> str:
        return f"{{parallel: {{a: [{within(deep - 1)}]}}}}" if deep > 1 else "{set: {a: [b]}}"

    def lists(deep: int) -> list[str]:
        text = f"playbook: a\non: {{call: {{}}}}\nsteps: [{within(deep)}]"
        return [one.message for one in read_text(text, limits=Limits(nesting_max=deepest)).problems]

    assert lists(deepest) == []
    (said,) = lists(deepest + 1)
    assert said == f"steps within steps more than {deepest} deep" or deepest == 12, said
