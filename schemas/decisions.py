"""Topic `decisions`: why an alert did or did not start a playbook."""

from typing import Annotated, Literal

from schemas.alerts import AlertSummary
from schemas.fields import Record, doc

Admission = Literal["started", "queued", "held_back", "dropped", "expired", "refused"]
"""started: a run was requested. queued: waits for a slot or its key. held_back: a rule said no.
dropped: left the queue: the alert recovered, somebody cancelled it, or the playbook was disabled.
expired: waited too long. refused: cannot start at all."""


class Looked(Record, frozen=True, kw_only=True):
    """One playbook looked at for an alert."""

    playbook: Annotated[str, doc("Playbook name.")]
    revision: Annotated[str, doc("Digest of the revision that was active.")]
    matched: Annotated[bool, doc("All clauses held.")]
    clause: Annotated[
        str, doc("The first clause that was false (`endpoint`, `tags`, `when`, ...); empty if matched.")
    ] = ""
    detail: Annotated[str, doc("What was wanted and what the alert had, for a person.")] = ""


class AlertMatched(Record, frozen=True, kw_only=True):
    """One per alert; where there are several (a redelivery), the first wins."""

    alert_id: Annotated[str, doc("Alert id.")]
    at_ms: Annotated[int, doc("The alert record's broker timestamp.")]
    summary: Annotated[AlertSummary, doc("The alert in short.")]
    partition: Annotated[int, doc("Partition of the record on `alerts`.")]
    offset: Annotated[int, doc("Offset of the record on `alerts`.")]
    catalog_offset: Annotated[int, doc("Next offset of the catalog that match had read: what it could know.")]
    looked: Annotated[tuple[Looked, ...], doc("Every playbook looked at.")] = ()
    ruled_out: Annotated[int, doc("How many playbooks the index ruled out without looking.")] = 0
    unparsable: Annotated[str, doc("Why the alert could not be read; empty when it could.")] = ""
    recovery: Annotated[
        bool, doc("The alert is a recovery and was handed to the playbooks it may concern.")
    ] = False


class AdmissionDecided(Record, frozen=True, kw_only=True):
    """One per change of a candidate. Identical repeats may occur (a redelivered alert is answered again)."""

    request_id: Annotated[str, doc("Alert id, or the id of a call.")]
    playbook: Annotated[str, doc("Playbook name.")]
    run_id: Annotated[str, doc("The run that this candidate is or would be.")]
    alert_id: Annotated[str, doc("Alert id; empty for a call without an alert.")] = ""
    decision: Annotated[Admission, doc("What was decided.")]
    rule: Annotated[
        str, doc("The rule that decided: while_running, max_running, on_recovered, disabled, input, ...")
    ] = ""
    reason: Annotated[str, doc("The reason for a person.")] = ""
    until_ms: Annotated[int | None, doc("Until when the rule holds, where that is known.")] = None
    key: Annotated[str, doc("The admission key.")] = ""
    revision: Annotated[str, doc("Digest of the revision.")] = ""
    at_ms: Annotated[int, doc("Broker timestamp of the input that decided.")]
    partition: Annotated[int, doc("Partition of that input on `admissions`.")]
    offset: Annotated[int, doc("Offset of that input on `admissions`.")]
