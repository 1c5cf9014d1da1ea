"""What a recovery does: it drops queued runs, tells active ones, and holds back triggers that come after it.

A run is concerned if it shares the cycle, or monitor and scope, with the recovery, and did not begin after it
by the sender's clock (Datadog promises no order). Runs are found by their admission key; where that is not
the default one, a recovery may have another key than its trigger, so those runs are listed in their cycle's
row, too.
"""

from msgspec.structs import replace

from engine.admission.draft import Draft
from engine.admission.keys import cycle_key, group_key, key_of_alert
from engine.admission.listing import everyone, runs_of
from engine.admission.queueing import leave_queue
from engine.admission.remembering import remember
from engine.admission.rows import CycleRow, RunRow
from engine.alert.facts import happened_ms, is_recovery
from engine.expressions import ExpressionError
from engine.playbook.compiled import Compiled
from schemas.admissions import AlertRecovered
from schemas.alerts import Alert
from schemas.inbox import RunRecovered

RECOVERY_KEPT_MS = 3_600_000


def recovered(draft: Draft, record: AlertRecovered, book: Compiled | None) -> None:
    """An AlertRecovered. One that was seen before changes nothing."""
    alert = record.alert
    cycle = cycle_key(alert)
    known = draft.cycle(cycle) if cycle else CycleRow()
    if known.recovered_by == record.alert_id:
        return
    for run_id in _concerned(draft, alert, book, known):
        row = draft.run(run_id)
        if row is not None and _concerns(alert, cycle, row):
            _tell(draft, run_id, row, record)
    if cycle:
        _keep(draft, cycle, record)


def late_until_ms(draft: Draft, alert: Alert) -> int | None:
    """Until when this alert is held back, because its cycle has recovered already; None: it is not late."""
    cycle = cycle_key(alert)
    if not cycle or is_recovery(alert):
        return None
    row = draft.cycle(cycle)
    if not row.recovered_by or row.until_ms <= draft.at_ms:
        return None
    at_ms = happened_ms(alert)
    if at_ms and row.recovered_ms:
        late = at_ms < row.recovered_ms or (at_ms == row.recovered_ms and bool(alert.cycle_key))
    else:  # without times: a cycle key never comes back, monitor and scope do
        late = bool(alert.cycle_key)
    return row.until_ms if late else None


def _concerned(draft: Draft, alert: Alert, book: Compiled | None, cycle_row: CycleRow) -> list[str]:
    """Runs that may be concerned, each once, in a fixed order."""
    found = dict.fromkeys(everyone(draft, f"~{cycle_key(alert)}", runs_of(cycle_row)))
    if book is not None:
        try:
            key = key_of_alert(book, alert)
        except ExpressionError:  # the key wants what only a trigger has; the cycle's row must do
            return list(found)
        key_row = draft.key(key)
        found |= dict.fromkeys(everyone(draft, f"|{key}", runs_of(key_row)))
        found |= dict.fromkeys([key_row.holder] if key_row.holder else [])
        found |= dict.fromkeys(run_id for _, run_id in key_row.waiting)
    return list(found)


def _concerns(alert: Alert, cycle: str, row: RunRow) -> bool:
    group = group_key(alert)
    if not ((cycle and cycle == row.cycle) or (group and group == row.group)):
        return False
    at_ms = happened_ms(alert)
    return not (at_ms and row.happened_ms) or at_ms >= row.happened_ms


def _tell(draft: Draft, run_id: str, row: RunRow, record: AlertRecovered) -> None:
    at_ms = happened_ms(record.alert)
    if row.state == "active":
        told = RunRecovered(run_id=run_id, alert_id=record.alert_id, recovered_at_ms=at_ms, cancel=row.cancel)
        draft.tell(run_id, told)
    elif row.drop:
        leave_queue(draft, run_id, row)
        reason = f"the alert recovered ({record.alert_id}) before there was a turn"
        draft.say(run_id, row, draft.decided("dropped", "on_recovered", reason))
    else:
        draft.put_run(run_id, replace(row, recovered=(record.alert_id, at_ms)))


def _keep(draft: Draft, cycle: str, record: AlertRecovered) -> None:
    """Keep the latest recovery of the cycle, by the sender's clock."""
    row = draft.cycle(cycle)
    at_ms = happened_ms(record.alert)
    if row.until_ms > draft.at_ms and at_ms < row.recovered_ms:
        return
    until_ms = draft.at_ms + RECOVERY_KEPT_MS
    draft.put_cycle(cycle, CycleRow(record.alert_id, at_ms, until_ms, row.runs, row.parts))
    remember(draft, f"~{cycle}")
