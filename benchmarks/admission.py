"""What matching and admission cost: `python -m benchmarks.admission` prints a table. No broker, no processes.

"as bytes" includes what the processor does with the rows of an input beside Kafka: decode those that it
reads, encode those that changed. Every line is of a steady state: as many runs end as are started.
"""

import time
from collections.abc import Callable

from engine.admission.admitting import Situation, admit, decode_row, encode_row
from engine.admission.rows import Row
from engine.alert.normalising import normalise
from engine.matching import match
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep, Admission, AlertTrigger, Playbook
from schemas.actions import PinnedAction
from schemas.admissions import AdmissionsRecord, AlertRecovered, Candidate, RunEnded
from schemas.alerts import Alert
from schemas.ids import run_id
from schemas.outgoing import Cause

AT_MS = 1_795_316_672_000
INPUTS, ROUND = 4_000, 500
"""Inputs of a line, and of a round; the best round is shown, because others use the machine, too."""
BODY = (
    b'{"title": "[Triggered on {service:checkout}] Checkout p95 latency is high", "date": "1795316672000", '
    b'"id": "7351188205516327113", "body": "' + b"x" * 400 + b'", "metadata": {"ALERT_ID": "12345", '
    b'"ALERT_CYCLE_KEY": "1050169743645189112", "ALERT_SCOPE": "service:checkout", "ALERT_TYPE": "error", '
    b'"ALERT_TRANSITION": "Triggered", "EVENT_TYPE": "query_alert_monitor", "LAST_UPDATED": "1795316672000", '
    b'"TAGS": "monitor, service:checkout, env:prod, team:payments", "HOSTNAME": "", "SNAPSHOT": "null"}}'
)
PINNED = {name: PinnedAction(name=name, repeatable=True) for name in ("log", "http.request")}
SITUATION = Situation(actions=PINNED, run_url_prefix="https://pulsebook.example.com/runs")


class Rows:
    """The rows of one playbook, as values or as bytes."""

    def __init__(self, book: Compiled, as_bytes: bool) -> None:
        self.book = book
        self.as_bytes = as_bytes
        self.values: dict[str, Row] = {}
        self.data: dict[str, bytes] = {}
        self.offset = 0

    def get(self, key: str) -> Row | None:
        if not self.as_bytes:
            return self.values.get(key)
        data = self.data.get(key)
        return None if data is None else decode_row(data)

    def feed(self, record: AdmissionsRecord) -> None:
        self.offset += 1
        cause = Cause("admissions", 0, self.offset, AT_MS + self.offset)
        for key, row in admit(self.get, record, cause, self.book, SITUATION).rows.items():
            if row is None:
                self.values.pop(key, None)
                self.data.pop(key, None)
            elif self.as_bytes:
                self.data[key] = encode_row(row)
            else:
                self.values[key] = row


def a_book(**admission: object) -> Compiled:
    """A playbook of three steps with these rules."""
    steps = tuple(ActionStep(path=path, action="log") for path in ("a", "b", "c"))
    trigger = AlertTrigger(
        endpoint=("datadog-prod", ""),
        monitor=("12345",),
        tags={"env": ("prod", "staging")},
        when="alert.title.contains('latency')",
    )
    rules = Admission(**admission)  # type: ignore[arg-type]  # the benchmark's own literals
    return Compiled(Playbook(name="restart", alerts=(trigger,), admission=rules, steps=steps), "d" * 64)


def candidate(at: int, alert: Alert) -> Candidate:
    """The candidate number `at`."""
    request = f"a-{at}"
    return Candidate(
        request_id=request,
        playbook="restart",
        revision="d" * 64,
        catalog_offset=7,
        run_id=run_id("restart", request),
        alert=alert,
    )


def ended(at: int) -> RunEnded:
    """The end of that candidate's run."""
    return RunEnded(run_id=run_id("restart", f"a-{at}"), playbook="restart", key="", status="succeeded")


def alternating(book: Compiled, alert: Alert, as_bytes: bool, waiting: int) -> tuple[float, float]:
    """Microseconds of a candidate and of an end; `waiting` candidates are always in the queue."""
    rows = Rows(book, as_bytes)
    before = waiting + book.playbook.admission.max_running if waiting else 0
    for at in range(before):
        rows.feed(candidate(at, alert))
    costs = []
    for first in range(0, INPUTS, ROUND):
        arriving = [candidate(before + at, alert) for at in range(first, first + ROUND)]
        ending = [ended(at) for at in range(first, first + ROUND)]
        arrivals_s = ends_s = 0.0
        for arrives, ends in zip(arriving, ending, strict=True):
            began = time.perf_counter()
            rows.feed(arrives)
            between = time.perf_counter()
            rows.feed(ends)
            arrivals_s += between - began
            ends_s += time.perf_counter() - between
        costs.append((arrivals_s / ROUND * 1e6, ends_s / ROUND * 1e6))
    return min(cost for cost, _ in costs), min(cost for _, cost in costs)


def each(work: Callable[[int], object]) -> float:
    """Microseconds of one call: the best of the rounds."""
    costs = []
    for first in range(0, INPUTS, ROUND):
        began = time.perf_counter()
        for at in range(first, first + ROUND):
            work(at)
        costs.append((time.perf_counter() - began) / ROUND * 1e6)
    return min(costs)


def measured() -> list[tuple[str, float]]:
    """Name and microseconds of everything that is measured."""
    alert = normalise(BODY, "application/json")
    assert isinstance(alert, Alert)
    matching = a_book()
    found = [
        ("normalise a webhook", each(lambda _: normalise(BODY, "application/json"))),
        ("match one playbook", each(lambda _: match(alert, [matching]))),
    ]
    for name, book, waiting in (
        ("default key", a_book(while_running="parallel"), 0),
        ("key by expression", a_book(while_running="parallel", key="alert.tags['service']"), 0),
        ("50 in the queue", a_book(while_running="parallel", max_running=20, queue_max=60), 50),
        ("1000 in the queue", a_book(while_running="parallel", max_running=20, queue_max=2000), 1_000),
    ):
        for how, as_bytes in (("", False), (", as bytes", True)):
            arrives, ends = alternating(book, alert, as_bytes, waiting)
            found += [(f"{name}: candidate{how}", arrives), (f"{name}: run ended{how}", ends)]
    rows = Rows(a_book(), as_bytes=True)
    rows.feed(candidate(0, alert))
    found.append(("a repeat, as bytes", each(lambda _: rows.feed(candidate(0, alert)))))
    found.append(("a recovery, as bytes", each(lambda at: rows.feed(recovery(at, alert)))))
    return found


def recovery(at: int, alert: Alert) -> AlertRecovered:
    """A recovery that concerns the one active run."""
    return AlertRecovered(
        alert_id=f"a-r{at}", playbook="restart", revision="d" * 64, catalog_offset=7, alert=alert
    )


def main() -> None:
    print(f"{'matching and admission':<44}{'us':>10}")
    for name, cost_us in measured():
        print(f"{name:<44}{cost_us:>10.1f}")


if __name__ == "__main__":
    main()
