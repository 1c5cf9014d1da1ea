"""A right playbook file becomes the model; anything at all becomes the model or problems."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.playbook.model import (
    ActionStep,
    Admission,
    AlertTrigger,
    CallTrigger,
    ExitStep,
    InputSpec,
    Playbook,
    PublishStep,
    Retry,
    SetStep,
)
from engine.playbook.problems import PROBLEMS_MAX
from tests.engine.playbook.builders import read_text

WHOLE = """
playbook: checkout-latency              # a comment
description: Enrich, restart, report.
owner: team-payments
labels: {tier: critical, version: 1.10}
on:
  alert:
    endpoint: prod
    kind: query_alert_monitor
    monitor: [12345, "67890"]
    tags: {service: checkout, env: [prod, staging]}
    transition: [Triggered, Re-Triggered]
    priority: [P1, P2]
    when: alert.title.contains("latency")
    test: true
  call: {endpoints: [internal]}
inputs:
  namespace: {type: string, default: "${{ alert.group.kube_namespace }}"}
  replicas: {type: int, default: 3, minimum: 1, maximum: 9, description: How many.}
  mode: {default: fast, choices: [fast, slow]}
  note: {required: false}
admission:
  cooldown: 15m
  throttle: {limit: 10, per: 1h}
  key: alert.monitor_id
  max_running: 5
  while_running: queue
  queue: {max: 7, expires: 1h}
  on_recovered: {queued: keep, running: cancel}
timeout: 1h30m
steps:
  - id: pods
    action: http.request
    with: {url: "https://x/${{ inputs.namespace }}", auth: {bearer: "${{ secrets.TOKEN }}"}, json: [1, yes]}
    select: {last: output.last, n: "size(output)"}
    retry: {attempts: 4, delay: 500ms, backoff: 1.5, max_delay: 30s, within: 10m}
    timeout: 30s
    start_within: 1m
    continue_on_error: true
  - publish:
      title: p95 is ${{ steps.pods.output.last }} s
      text: |
        One line.
      tags: [enrichment, "team:${{ alert.tags[?'team'].orValue('none') }}"]
      alert_type: warning
      priority: low
      host: ${{ alert.host }}
      aggregation_key: a
  - set: {healthy: "${{ steps.pods.status == 'succeeded' }}", n: 1}
  - id: restart
    if: vars.healthy && !alert.test
    action: http.request
    with: {method: POST, url: https://x}
    on_unknown: ask
    retry: {}
  - if: steps.restart.skipped
    exit: {status: cancelled, reason: "nothing to do for ${{ alert.host }}"}
on_failure:
  - id: page
    action: datadog.post_event
    with: {title: "${{ failure.step }}: ${{ failure.message }} after ${{ steps.restart.attempts }}"}
finally:
  - id: unlock
    if: run.status != 'succeeded' && steps.page.skipped
    action: http.request
    repeatable: false
    with: {url: https://x}
report: [failed, succeeded, failed]
outputs: {p95: "${{ steps.pods.output.last }}", healthy: "${{ vars.healthy }}"}
"""
MODEL = Playbook(
    name="checkout-latency",
    description="Enrich, restart, report.",
    owner="team-payments",
    labels={"tier": "critical", "version": "1.10"},
    alerts=(
        AlertTrigger(
            endpoint=("prod",),
            kind=("query_alert_monitor",),
            monitor=("12345", "67890"),
            tags={"service": ("checkout",), "env": ("prod", "staging")},
            transition=("Triggered", "Re-Triggered"),
            priority=("P1", "P2"),
            when='alert.title.contains("latency")',
            test=True,
        ),
    ),
    call=CallTrigger(endpoints=("internal",)),
    inputs={
        "namespace": InputSpec(default="${{ alert.group.kube_namespace }}"),
        "replicas": InputSpec(type="int", default=3, minimum=1, maximum=9, description="How many."),
        "mode": InputSpec(default="fast", choices=("fast", "slow")),
        "note": InputSpec(),
    },
    admission=Admission(
        cooldown_ms=900_000,
        throttle_limit=10,
        throttle_per_ms=3_600_000,
        key="alert.monitor_id",
        max_running=5,
        while_running="queue",
        queue_max=7,
        queue_expires_ms=3_600_000,
        on_recovered_queued="keep",
        on_recovered_running="cancel",
    ),
    timeout_ms=5_400_000,
    steps=(
        ActionStep(
            path="pods",
            action="http.request",
            arguments={
                "url": "https://x/${{ inputs.namespace }}",
                "auth": {"bearer": "${{ secrets.TOKEN }}"},
                "json": [1, "yes"],
            },
            select={"last": "output.last", "n": "size(output)"},
            retry=Retry(attempts=4, delay_ms=500, backoff=1.5, max_delay_ms=30_000, within_ms=600_000),
            timeout_ms=30_000,
            start_within_ms=60_000,
            continue_on_error=True,
        ),
        PublishStep(
            path="#2",
            title="p95 is ${{ steps.pods.output.last }} s",
            text="One line.\n",
            tags=("enrichment", "team:${{ alert.tags[?'team'].orValue('none') }}"),
            alert_type="warning",
            priority="low",
            host="${{ alert.host }}",
            aggregation_key="a",
        ),
        SetStep(path="#3", values={"healthy": "${{ steps.pods.status == 'succeeded' }}", "n": 1}),
        ActionStep(
            path="restart",
            action="http.request",
            condition="vars.healthy && !alert.test",
            arguments={"method": "POST", "url": "https://x"},
            on_unknown="ask",
            retry=Retry(),
        ),
        ExitStep(
            path="#5",
            condition="steps.restart.skipped",
            status="cancelled",
            reason="nothing to do for ${{ alert.host }}",
        ),
    ),
    on_failure=(
        ActionStep(
            path="page",
            action="datadog.post_event",
            arguments={
                "title": "${{ failure.step }}: ${{ failure.message }} after ${{ steps.restart.attempts }}"
            },
        ),
    ),
    finally_=(
        ActionStep(
            path="unlock",
            action="http.request",
            condition="run.status != 'succeeded' && steps.page.skipped",
            arguments={"url": "https://x"},
            repeatable=False,
        ),
    ),
    report=("failed", "succeeded"),
    outputs={"p95": "${{ steps.pods.output.last }}", "healthy": "${{ vars.healthy }}"},
)


def test_a_whole_playbook_is_read_as_it_is_written() -> None:
    read = read_text(WHOLE)
    assert read.problems == ()
    assert read.playbook == MODEL


def test_the_smallest_playbook_has_the_defaults_of_the_model() -> None:
    read = read_text("playbook: a\non: {alert: {kind: x}}\nsteps: [{exit: {}}]")
    assert read.playbook == Playbook(
        name="a", alerts=(AlertTrigger(kind=("x",)),), steps=(ExitStep(path="#1"),)
    )


def test_a_list_of_alerts_is_any_of_them() -> None:
    read = read_text("playbook: a\non: {alert: [{kind: x}, {monitor: 1}]}\nsteps: [{exit: {}}]")
    assert read.playbook is not None
    assert read.playbook.alerts == (AlertTrigger(kind=("x",)), AlertTrigger(monitor=("1",)))


def test_a_secret_that_is_not_there_is_only_a_warning() -> None:
    read = read_text(WHOLE, secrets=["TOKENS"])
    assert read.playbook == MODEL
    assert [str(problem) for problem in read.problems] == [
        "book.yaml:34:74: warning: the secret `TOKEN` does not exist (did you mean `TOKENS`?)"
    ]


def test_an_expression_that_speaks_of_secrets_in_a_text_is_no_secret() -> None:
    assert read_text(WHOLE.replace("One line.", "See ${{ 'secrets.TOKEN' }}.")).problems == ()


def test_problems_are_bounded_and_in_the_order_of_the_file() -> None:
    read = read_text("playbook: a\non: {call: {}}\nsteps:\n" + "  - {exit: {stat: 1}}\n" * 400)
    lines = [problem.line for problem in read.problems]
    assert len(lines) == PROBLEMS_MAX
    assert lines == sorted(lines)


@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_damaged_playbook_is_a_playbook_or_problems_with_places(seed: int, hits: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    text = WHOLE
    for _ in range(hits):
        at, size = chance.randrange(len(text)), chance.randrange(12)
        text = (
            text[:at]
            + chance.choice(["", "'", '"', "}", "${{", ": ", "\n", "\t", "- ", "[", "!", "é", "0"])
            + text[at + size :]
        )
    read = read_text(text, endpoints=["prod"], secrets=[])
    lines = text.split("\n")
    for problem in read.problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert problem.message
    assert (read.playbook is None) == any(problem.severity == "error" for problem in read.problems)


@pytest.mark.parametrize(
    "text", ["\x00\xff garbage", "<html>hi: there</html>", "{" * 10_000, "---\n...\n---", "%PDF-1.4"]
)
def test_a_file_that_is_no_yaml_is_one_clear_problem(text: str) -> None:
    read = read_text(text)
    assert read.playbook is None
    assert read.problems


def test_an_expression_may_call_its_own_variable_like_the_item_of_a_loop() -> None:
    text = (
        "playbook: a\non: {call: {}}\nsteps:\n"
        "  - {id: p, action: http.request, with: {url: x}}\n"
        '  - {id: l, foreach: "steps.p.output.map(pod, pod)", as: pod, steps: [{set: {x: "${{ pod }}"}}]}\n'
        '  - {set: {y: "${{ steps.l.outputs.map(pod, pod).filter(index, index != null) }}"}}\n'
    )
    assert read_text(text).problems == ()
