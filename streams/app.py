"""The two Faust apps, put together: the processor (match, admit, advance) and the sink (notify).

What they need from outside is handed in; nothing here connects to anything. `streams.running` runs them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from faust.types import TP

from engine.admission import rows as admission_rows
from engine.admission.situation import Situation
from engine.run import advancing as run_rows
from engine.run.state import Run
from schemas.actions import PinnedAction
from schemas.inbox import Limits
from schemas.posting import Poster
from schemas.topics import ADMISSIONS, ALERTS, CATALOG, RUN_INBOX, RUN_JOURNAL
from streams import notified
from streams.agents.admit import Admit
from streams.agents.advance import Advance, Rebuild
from streams.agents.match import Match, SchemaOf
from streams.agents.notify import Notify
from streams.ending import End, end_process
from streams.handling import CatalogView
from streams.hardened.app import HardenedApp
from streams.holding import Holding
from streams.metrics import Metrics, ProcessorMetrics, SinkMetrics
from streams.options import WorkerOptions, faust_settings
from streams.outbox import Outbox
from streams.rebuild.admissions import AdmissionsAgain
from streams.rebuild.notified import NotifiedAgain
from streams.rebuild.reports import requests
from streams.rebuild.runs import RunsAgain
from streams.rebuild.source import PartitionLog
from streams.refolding import Admitting, Rebuilt, Refolding
from streams.reporter import Reporter
from streams.reporting_header import reports_nothing
from streams.run_census import RunCensus
from streams.stage import Mend, RowForm, Stage
from streams.switching import Switching
from streams.watching import Watching


@dataclass(frozen=True, slots=True)
class Worker:
    """A Faust app that is ready to be run (`streams.running.run`), and what it tells about itself."""

    app: HardenedApp
    metrics: Metrics
    options: WorkerOptions
    waits: Callable[[], list[str]] = list
    """What its agents wait for outside, a sentence each."""

    def missing(self) -> list[str]:
        """What it still lacks to do its job, a sentence each; empty: it is ready."""
        app = self.app
        if not app.started or app.should_stop:
            return ["the worker is not running"]
        if not app.recovery.completed.is_set() or app.rebalancing:
            return ["the tables are being recovered, or the group is rebalancing"]
        if app.lease.lapsed():
            return [f"no heartbeat was answered for {app.lease.age_s():.0f} s"]
        return self.waits() if app.lease.held else ["no partitions are assigned"]


def create_processor(
    options: WorkerOptions,
    *,
    catalog: CatalogView,
    actions: Mapping[str, PinnedAction],
    limits: Limits,
    run_url_prefix: str,
    rebuild: Rebuild,
    journal: PartitionLog,
    admissions: PartitionLog,
    schema_of: SchemaOf | None = None,
    end: End = end_process,
) -> Worker:
    """The processor. `actions`: every action by name; `rebuild`: a run's journal, for a row that is stale;
    `journal` and `admissions`: those topics, for rows that are made again.

    `run_url_prefix`: what a run id is appended to for its page; empty: runs have no URL. `schema_of`: a
    schema registry for Confluent-framed alerts. Raises LookupError for a topic that does not exist.
    """
    app = HardenedApp(f"{options.prefix}processor", end=end, **faust_settings(options, "processor"))
    situation = Situation(actions=actions, limits=limits, run_url_prefix=run_url_prefix)
    metrics, outbox = ProcessorMetrics(), Outbox(app, options.prefix, options.record_bytes_max)

    admitting = Admitting(catalog, situation, outbox)

    async def mend_admissions(partition: int, keys: Collection[str]) -> Rebuilt:
        refolding = Refolding(admitted.table, admitting, lambda at, until: admissions.read(at, 0, until))
        return await refolding.rebuilt(partition, keys)

    none: RowForm[None] = RowForm(lambda row: b"", lambda data: None)
    admission_form = RowForm(
        admission_rows.encode_row,
        admission_rows.decode_row,
        admission_rows.timers,
        admission_rows.playbook_of,
        mend_admissions,
        lambda: AdmissionsAgain(admissions, admitting, catalog),
    )
    run_form = RowForm(
        run_rows.encode_row,
        run_rows.decode_row,
        run_rows.timers,
        mend=_mending(rebuild),
        refold=lambda: RunsAgain(journal),
    )
    asked = requests(options, outbox, catalog, "processor")
    matched = Stage(app, options, ALERTS, "matched", none, outbox, metrics, beside=[CATALOG])
    admitted = Stage(app, options, ADMISSIONS, "admissions", admission_form, outbox, metrics, requests=asked)
    runs = Stage(
        app, options, RUN_INBOX, "runs", run_form, outbox, metrics, beside=[RUN_JOURNAL], requests=asked
    )
    holding = partial(Holding, app, metrics)
    match = Match(matched.ledger, outbox, metrics, catalog, schema_of, holding)
    matched.held = match.holding.count
    matched.run(match)
    admitted.run(Admit(admitted.ledger, outbox, metrics, catalog, situation))
    Switching(app, admitted.ledger, outbox, catalog, options.partitions)
    runs.run(Advance(runs.ledger, outbox, metrics, catalog, rebuild))
    stages: list[Stage[Any]] = [matched, admitted, runs]
    lags = {
        matched.topic: metrics.oldest_undecided_alert.set,
        admitted.topic: metrics.admissions_lag.set,
        runs.topic: metrics.inbox_lag.set,
    }
    watching = Watching(app, metrics, stages, lags)
    _count_runs(runs, app, watching, metrics)
    _wire(app, stages)
    waits = (match.holding.missing, admitted.missing, runs.missing)
    return Worker(app, metrics, options, lambda: [one for wait in waits for one in wait()])


def create_sink(
    options: WorkerOptions,
    *,
    poster: Poster,
    catalog: CatalogView,
    journal: PartitionLog,
    publications: PartitionLog,
    end: End = end_process,
) -> Worker:
    """The sink. `poster` posts to Datadog, or to what stands in for it; `journal` and `publications`: those
    topics, for rows that are made again. Raises LookupError as above.
    """
    app = HardenedApp(
        f"{options.prefix}sink", end=end, stream_wait_empty=False, **faust_settings(options, "sink")
    )
    metrics, outbox = SinkMetrics(), Outbox(app, options.prefix, options.record_bytes_max)
    form = RowForm(
        notified.encode_row, notified.decode_row, refold=lambda: NotifiedAgain(journal, publications)
    )
    asked = requests(options, outbox, catalog, "sink")
    stage = Stage(app, options, RUN_JOURNAL, "notified", form, outbox, metrics, requests=asked)
    reporter = Reporter(app, stage.ledger, outbox, metrics, poster)
    stage.run(Notify(stage.ledger, outbox, metrics, reporter))
    app.ignores = reports_nothing
    app.before_stop(reporter.stop)
    app.when_revoked(lambda revoked: reporter.revoke({tp.partition for tp in revoked}))
    Watching(app, metrics, [stage], {stage.topic: metrics.sink_lag.set})
    _wire(app, [stage])
    return Worker(app, metrics, options, stage.missing)


def _mending(rebuild: Rebuild) -> Mend[Run]:
    """Rows of runs, made again from the journal."""

    async def mend(partition: int, run_ids: Collection[str]) -> Mapping[str, tuple[Run | None, int]]:
        rows = {run_id: run_rows.refold(await rebuild(run_id)) for run_id in run_ids}
        return {run_id: (row, 0 if row is None else row.applied) for run_id, row in rows.items()}

    return mend


def _wire(app: HardenedApp, stages: list[Stage[Any]]) -> None:
    """Tell the stages when partitions go, and the consumer where their watermarks stand."""
    by_topic = {stage.topic: stage for stage in stages}

    def covered(tp: TP) -> int | None:
        stage = by_topic.get(tp.topic)
        return None if stage is None else stage.covered(tp.partition)

    app.covered = covered
    for stage in stages:
        app.when_revoked(stage.revoke)


def _count_runs(runs: Stage[Run], app: HardenedApp, watching: Watching, metrics: ProcessorMetrics) -> None:
    census = RunCensus(metrics)
    watching.publish = census.publish
    if runs.ticking is not None:
        runs.ticking.on_found = census.found
        runs.ticking.on_moved = census.moved
    app.when_revoked(lambda revoked: census.clear())
