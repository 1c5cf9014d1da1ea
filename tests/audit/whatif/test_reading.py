"""Which steps depend on what other steps came to."""

from audit.whatif.reading import readers_of
from engine.playbook.compiled import Compiled
from tests.audit.whatif.history import playbook

BOOK = Compiled(
    playbook("""
playbook: chain
on: {call: {}}
steps:
  - {id: one, action: log}
  - {id: alone, action: log, with: {message: "steps are fine"}}
  - {id: reads, if: steps.one.output.message == 'x', action: log}
  - {set: {kept: "${{ steps.one.output.message }}"}}
  - {id: through, action: log, with: {message: "${{ vars.kept }}"}}
  - id: loop
    foreach: "[1, 2]"
    as: n
    steps: [{id: inner, action: log}, {id: beside, action: log, with: {message: "${{ n }}"}}]
  - {id: whole, if: size(steps.loop.outputs) > 0, action: log}
  - switch: steps.reads.status
    cases: {succeeded: [{id: case, action: log}]}
"""),
    "d",
)


def test_what_names_a_step_reads_it_and_so_does_what_names_a_variable_of_it() -> None:
    assert readers_of(BOOK, {"one"}) == {"reads", "#4", "through", "#10", "case"}
    assert readers_of(BOOK, {"alone"}) == frozenset()


def test_the_outputs_of_a_loop_are_those_of_its_steps() -> None:
    assert readers_of(BOOK, {"inner"}) == {"whole"}


def test_what_stands_in_a_case_depends_on_what_chose_it() -> None:
    assert readers_of(BOOK, {"reads"}) == {"#10", "case"}
