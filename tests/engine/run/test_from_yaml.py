"""From the text of a playbook to the end of its run: what reading makes is what runs."""

from engine.playbook.reading import read
from engine.run.advancing import advance
from engine.run.state import Run
from schemas.actions import ActionSpec, PinnedAction
from schemas.events import Reported, RunFinished, StepRequested
from schemas.inbox import InboxRecord, StepFinished
from schemas.outgoing import Cause
from tests.engine.run.given import NOON_MS, RUN_ID, a_request, an_alert, compiled

TEXT = """
playbook: checkout-latency
on:
  alert: {tags: {service: checkout}}
  call: {}
inputs:
  minutes: {type: int, default: 15}
steps:
  - id: latency
    action: query
    with: {query: "avg:latency{service:${{ alert.tags['service'] }}}", minutes: "${{ inputs.minutes }}"}
    retry: {attempts: 4, delay: 1s, backoff: 2, max_delay: 60s, within: 10m}
    timeout: 30s
  - publish: {title: "p95 is ${{ steps.latency.output.last }} s", tags: [enrichment]}
  - set: {slow: "${{ steps.latency.output.last > 2.0 }}"}
  - if: "!vars.slow"
    exit: {status: succeeded, reason: it is fast}
  - id: restart
    action: restart
    with: {service: "${{ alert.tags['service'] }}"}
    on_unknown: ask
finally:
  - id: unlock
    action: query
    with: {query: unlock}
report: [failed, succeeded]
outputs: {p95: "${{ steps.latency.output.last }}"}
"""


def spec(name: str, *inputs: str, repeatable: bool) -> ActionSpec:
    return ActionSpec(
        name=name,
        description=name,
        category="enrich",
        inputs={"type": "object", "properties": {one: {} for one in inputs}},
        outputs={},
        pinned=PinnedAction(name=name, repeatable=repeatable),
    )


KNOWN = {
    "query": spec("query", "query", "minutes", repeatable=True),
    "restart": spec("restart", "service", repeatable=False),
}


def test_a_playbook_as_it_is_written_runs_to_its_end() -> None:
    found = read(TEXT, "checkout.yaml", KNOWN)
    assert found.playbook is not None, [str(problem) for problem in found.problems]
    book = compiled(found.playbook)
    request = a_request(
        book,
        alert=an_alert(tag_list=("service:checkout",)),
        actions=tuple(known.pinned for known in KNOWN.values()),
    )
    answers = {"latency": {"last": 4.5}, "restart": "ok", "unlock": None}
    todo: list[InboxRecord] = [request]
    events: list[object] = []
    row: Run | None = None
    for offset in range(len(answers) + 1):
        advanced = advance(row, todo.pop(), Cause("run-inbox", 0, offset, NOON_MS + offset), book)
        assert advanced.journal is not None
        row = advanced.row
        for event in advanced.journal.events:
            events.append(event)
            if isinstance(event, StepRequested):
                todo.append(
                    StepFinished(
                        run_id=RUN_ID,
                        step=event.step,
                        attempt=1,
                        answers_seq=advanced.journal.seq,
                        status="succeeded",
                        output=answers[event.step],
                    )
                )
    asked = [event.arguments for event in events if isinstance(event, StepRequested)]
    assert asked == [
        {"query": "avg:latency{service:checkout}", "minutes": 15},
        {"service": "checkout"},
        {"query": "unlock"},
    ]
    assert [event.title for event in events if isinstance(event, Reported)] == [
        "p95 is 4.5 s",
        "Playbook checkout-latency succeeded",
    ]
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].status, events[-1].outputs) == ("succeeded", {"p95": 4.5})
