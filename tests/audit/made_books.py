"""The playbooks of made histories: queues, cooldowns, throttles, retries, questions, children, failures."""

from connectors.actions.registry import specs
from engine.playbook.canonical import canonical_json, digest
from engine.playbook.reading import read
from schemas.catalog import PlaybookSet, RevisionAdded

PUT = 'action: http.request, with: {method: PUT, url: "http://target/note"}'
POST = 'action: http.request, with: {method: POST, url: "http://target/act"}'
RETRY = "retry: {attempts: 3, delay: 2s, within: 10m}"

BOOKS = {
    "queues": f"""
admission: {{max_running: 2, while_running: parallel, queue: {{max: 20, expires: 5m}}}}
steps:
  - {{id: note, {PUT}, {RETRY}}}
  - {{id: act, {POST}, on_unknown: ask}}
  - publish: {{title: "done for ${{{{ alert.scope }}}}", tags: ["scope:${{{{ alert.scope }}}}"]}}
report: [succeeded, failed, cancelled]
""",
    "one-by-one": f"""
admission:
  key: alert.monitor_id
  while_running: queue
  on_recovered: {{queued: drop, running: cancel}}
steps: [{{id: note, {PUT}}}, {{id: act, {POST}, on_unknown: continue}}]
finally: [{{id: tidy, {PUT}, {RETRY}}}]
""",
    "cools": f"""
admission: {{cooldown: 10m, while_running: skip}}
steps: [{{id: act, {POST}, on_unknown: fail}}]
on_failure: [{{id: page, {PUT}, {RETRY}}}]
report: [failed]
""",
    "throttles": f"""
admission: {{throttle: {{limit: 3, per: 10m}}, while_running: parallel}}
steps:
  - {{id: sure, ask: {{question: "Sure?", choices: [go, stop], timeout: 3m, on_timeout: stop}}}}
  - {{if: "steps.sure.output == 'stop'", exit: {{reason: nobody was sure}}}}
  - {{id: act, {POST}, {RETRY}, on_unknown: retry}}
""",
    "calls": f"""
admission: {{while_running: parallel}}
steps:
  - {{id: below, run: called, with: {{what: "${{{{ alert.scope }}}}"}}, continue_on_error: true}}
  - id: two
    foreach: "[1, 2]"
    as: n
    concurrency: 2
    steps: [{{id: note, {PUT}, {RETRY}, continue_on_error: true}}]
report: [succeeded, failed]
""",
    "called": f"""
admission: {{max_running: 2, queue: {{max: 2, expires: 2m}}}}
steps: [{{id: note, {PUT}, {RETRY}}}]
outputs: {{seen: "${{{{ inputs.what }}}}"}}
""",
    "divides": f"""
admission: {{while_running: parallel}}
steps: [{{id: note, {PUT}}}, {{set: {{n: "${{{{ 1 / size(alert.host) }}}}"}}}}]
report: [failed]
""",
}
ON = "on: {{alert: {{endpoint: demo, tags: {{play: {name}}}}}}}"
CALLED = "on: {call: {}}\ninputs: {what: {default: nothing}}"
Changes = tuple[tuple[str, RevisionAdded], tuple[str, PlaybookSet]]


def text_of(name: str, more: str = "") -> str:
    """The YAML of one of them. `more`: another key, which makes another revision."""
    on = CALLED if name == "called" else ON.format(name=name)
    return f"playbook: {name}\n{on}\n{more}{BOOKS[name]}"


def changes(name: str, more: str = "") -> Changes:
    """The two records of the catalog that make it the active one, with their keys."""
    playbook, problems, _ = read(text_of(name, more), f"{name}.yaml", specs())
    assert playbook is not None, problems
    revision = digest(playbook)
    added = RevisionAdded(
        actor="test",
        at_ms=0,
        digest=revision,
        playbook=name,
        canonical=canonical_json(playbook),
        source=text_of(name, more),
    )
    active = PlaybookSet(actor="test", at_ms=0, name=name, digest=revision)
    return (f"revision/{revision}", added), (f"playbook/{name}", active)
