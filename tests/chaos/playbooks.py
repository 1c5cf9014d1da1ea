"""The playbooks of the bench: every way in which a step can be repeated, not repeated, unknown, retried, or
fail; questions to a person, waits for a time and for a recovery, a child, a loop beside it.
"""

from connectors.actions.registry import specs
from engine.admission.situation import Situation

SITUATION = Situation(actions={name: spec.pinned for name, spec in specs().items()})
"""What the processors of the bench are given."""

ENDPOINT = "chaos"
RETRY = "retry: {attempts: 60, delay: 500ms, backoff: 1.3, max_delay: 3s, within: 20m}"
PARALLEL = "{max_running: 10000, while_running: parallel}"
ONE_BY_ONE = "{key: alert.monitor_id, max_running: 3, while_running: queue, queue: {max: 5000, expires: 12h}}"
ACTING = {
    "mixed": ("", PARALLEL),
    "asks": (", on_unknown: ask", PARALLEL),
    "insists": (f", on_unknown: retry, {RETRY}", PARALLEL),
    "shrugs": (", on_unknown: continue", PARALLEL),
    "queues": ("", ONE_BY_ONE),
    "skips": ("", "{key: alert.monitor_id}"),
}
"""What each says of its unrepeatable step, and of its admission."""


def playbooks(target: str) -> dict[str, str]:
    """Name to YAML. `target`: the address that their steps call."""

    def call(method: str, step: str) -> str:
        address = f"{target}/{step}/${{{{ run.id }}}}"
        return f'id: {step}, action: http.request, with: {{method: {method}, url: "{address}"}}, timeout: 2s'

    def written(name: str, admission: str, *steps: str) -> str:
        return "\n".join(
            [
                f"playbook: {name}",
                f"on: {{alert: {{endpoint: {ENDPOINT}, tags: {{play: {name}}}}}}}",
                f"admission: {admission}",
                "steps:",
                *(f"  - {{{step}}}" for step in steps),
                f"on_failure: [{{{call('PUT', 'page')}, {RETRY}}}]",
                f"finally: [{{{call('DELETE', 'unlock')}, {RETRY}}}]",
                "report: [failed, succeeded]",
                "",
            ]
        )

    note = f"{call('PUT', 'note')}, {RETRY}"
    publish = 'publish: {title: "acted for ${{ alert.scope }}"}'
    books = {
        name: written(name, admission, note, f"{call('POST', 'act')}{unknown}", publish)
        for name, (unknown, admission) in ACTING.items()
    }
    act = call("POST", "act")
    approve = "id: approve, ask: {question: Act?, choices: [act, leave], timeout: 20m, on_timeout: fail}"
    answered = f"{act}, if: steps.approve.output.choice == 'act'"
    books["questions"] = written("questions", PARALLEL, note, approve, answered, publish)
    rest, healed = "wait: {for: 1s}", "id: healed, wait: {until: recovered, timeout: 20m}"
    recovered = f"{act}, if: steps.healed.output.recovered"
    books["waits"] = written("waits", PARALLEL, note, rest, healed, recovered, publish)
    twice = f"id: twice, foreach: '[1, 2]', as: one, concurrency: 2, steps: [{{{act}}}]"
    child = "id: child, run: helps, continue_on_error: true"
    both = f"parallel: {{a: [{{{child}}}], b: [{{{twice}}}]}}"
    helps = written("helps", PARALLEL, note, act, 'publish: {title: "helped ${{ run.id }}"}')
    books["helps"] = helps.replace("on: {", "on: {call: {}, ", 1)
    books["families"] = written("families", PARALLEL, note, both, publish)
    divide = 'id: divide, action: log, with: {message: "${{ string(1 / size(alert.host)) }}"}'
    long = f'id: long, action: http.request, with: {{method: POST, url: "{target}/long/${{{{ run.id }}}}"}}'
    books["long"] = written("long", PARALLEL, note, f"{long}, timeout: 50s", publish)
    books["fails"] = written("fails", PARALLEL, note, divide, publish)
    return books
