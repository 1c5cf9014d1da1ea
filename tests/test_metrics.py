"""docs/metrics.md lists what each process registers, word for word, and each thing once."""

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from console.metrics import Metrics as WebMetrics
from executor.config import ExecutorConfig
from executor.process import Executor
from tests.streams.test_options import a_processor, a_sink, options

PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text()
ROW = re.compile(r"^\| `(\w+)(?:\{([\w,]+)\})?` \| (\w+) \| ([\w, ]+) \| (.+) \|$", re.M)
BY_EVERYBODY = {
    "pulsebook_seconds_since_commit",
    "pulsebook_dead_letters_total",
    "pulsebook_inputs_total",
    "pulsebook_journal_contradictions_total",
    "pulsebook_rebuilding_partitions",
    "pulsebook_rebuilt_rows_total",
}
"""Told by several, each of its own part."""

Registries = dict[str, CollectorRegistry]
Told = tuple[str, str, str, str]


@pytest.fixture
async def registries(tmp_path: Path) -> Registries:
    """What each process answers /metrics from, put together as it is in the process."""
    processor = a_processor(tmp_path)
    of_executor = CollectorRegistry()
    Executor(ExecutorConfig(kafka={}, instance="e"), {}, lambda name: None, of_executor)
    return {
        "web": WebMetrics(hooks=True, console=True).registry,
        "processor": processor.metrics.registry,
        "executor": of_executor,
        "sink": a_sink(options(tmp_path)).metrics.registry,
    }


def told(registry: CollectorRegistry) -> set[Told]:
    """Name as it is queried, labels, type, meaning."""
    found: set[Told] = set()
    for collector in registry._collector_to_names:
        metric: Any = collector
        name = metric._name + ("_total" if metric._type == "counter" else "")
        found.add((name, ",".join(metric._labelnames), metric._type, metric._documentation))
    return found


async def test_the_page_lists_what_each_process_tells_and_no_more(registries: Registries) -> None:
    listed: dict[str, set[Told]] = {process: set() for process in registries}
    for name, labels, kind, processes, meaning in ROW.findall(PAGE):
        for process in processes.split(", "):
            listed[process].add((name, labels, kind, meaning))
    for process, registry in registries.items():
        assert listed[process] == told(registry), process


async def test_what_is_told_by_several_processes_is_each_ones_own(registries: Registries) -> None:
    names = [name for registry in registries.values() for name, *_ in told(registry)]
    assert {name for name in names if names.count(name) > 1} == BY_EVERYBODY


async def test_a_counter_of_dead_letters_is_there_before_the_first(registries: Registries) -> None:
    stages = [
        sample.labels["stage"]
        for registry in registries.values()
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "pulsebook_dead_letters_total"
    ]
    assert sorted(stages) == ["admit", "advance", "executor", "match", "notify"]


def test_a_part_of_the_web_tells_nothing_of_the_other() -> None:
    hooks, console = WebMetrics(hooks=True, console=False), WebMetrics(hooks=False, console=True)
    whole = WebMetrics(hooks=True, console=True)
    both = told(hooks.registry) & told(console.registry)
    assert {name for name, *_ in both} == {"pulsebook_http_requests_total"}
    assert told(hooks.registry) | told(console.registry) == told(whole.registry)


def test_the_rules_for_alerts_ask_for_metrics_that_there_are() -> None:
    rules = PAGE.split("```promql\n")[1].split("```")[0]
    asked = set(re.findall(r"pulsebook_\w+", rules))
    assert len(asked) >= 6
    assert asked - {name for name, *_ in ROW.findall(PAGE)} == set()
