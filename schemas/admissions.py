"""Topic `admissions`: what may start, what recovered, what ended. Keyed by playbook: one order for each."""

from typing import Annotated, Literal

from schemas.alerts import Alert
from schemas.fields import Json, Record, doc
from schemas.inbox import TimerFired
from schemas.relations import Parent, PinnedChild, Rerun

Via = Literal["alert", "api", "hook", "playbook", "rerun"]


class Hold(Record, frozen=True, kw_only=True):
    """A pause or a mute as the catalog has it: somebody wants nothing new to start."""

    name: Annotated[str, doc("Its switch: `pause` (all playbooks), `pause/PLAYBOOK` or `mute/NAME`.")]
    actor: Annotated[str, doc("Who set it.")]
    at_ms: Annotated[int, doc("When (the writer's clock).")]
    reason: Annotated[str, doc("Why.")] = ""
    until_ms: Annotated[int | None, doc("When it ends by itself; null: when somebody lifts it.")] = None


class Candidate(Record, frozen=True, kw_only=True):
    """A playbook that could start: an alert matched it, or somebody called it."""

    request_id: Annotated[
        str, doc("Alert id for alerts, else the request's own id. A repeat never starts twice.")
    ]
    playbook: Annotated[str, doc("Playbook name.")]
    revision: Annotated[str, doc("Digest of the revision that was active when it was made.")]
    catalog_offset: Annotated[int, doc("Catalog offset by which that revision is known.")]
    run_id: Annotated[str, doc("Hash of playbook and request id.")]
    via: Annotated[Via, doc("What raised it.")] = "alert"
    actor: Annotated[str, doc("Who asked; empty for an alert.")] = ""
    alert: Annotated[Alert | None, doc("The normalised alert; null for a call without one.")] = None
    inputs: Annotated[Json, doc("Inputs given by the caller (JSON object).")] = {}
    received_at_ms: Annotated[int, doc("When the alert or call was received.")] = 0
    override: Annotated[bool, doc("Start whatever the rules say (a rerun by a person).")] = False
    parent: Annotated[Parent | None, doc("The run that waits for this one.")] = None
    children: Annotated[tuple[PinnedChild, ...], doc("Playbooks that it may run, pinned.")] = ()
    rerun: Annotated[Rerun | None, doc("The run that this one repeats.")] = None
    paused: Annotated[Hold | None, doc("The pause of the playbook at that catalog offset; null: none.")] = (
        None
    )
    muted: Annotated[Hold | None, doc("The mute that fits the alert; null: none did when it came.")] = None


class AlertRecovered(Record, frozen=True, kw_only=True):
    """An alert that says its cycle is over, for a playbook whose endpoint, monitor and tags it fits."""

    alert_id: Annotated[str, doc("Alert id of the recovery.")]
    playbook: Annotated[str, doc("Playbook name.")]
    revision: Annotated[str, doc("Digest of the active revision.")]
    catalog_offset: Annotated[int, doc("Catalog offset by which that revision is known.")]
    alert: Annotated[Alert, doc("The normalised recovery alert.")]


class RunEnded(Record, frozen=True, kw_only=True):
    """A run reached its end and gives its slot and its key back."""

    run_id: Annotated[str, doc("Run id.")]
    playbook: Annotated[str, doc("Playbook name.")]
    key: Annotated[str, doc("Admission key of the run.")]
    status: Annotated[str, doc("How it ended.")]


class CandidateCancelled(Record, frozen=True, kw_only=True):
    """Somebody wants what waits in the queue to leave it. What has started by then is asked to stop."""

    playbook: Annotated[str, doc("Playbook name.")]
    run_id: Annotated[str, doc("The run that the candidate would be.")]
    actor: Annotated[str, doc("Who.")]
    reason: Annotated[str, doc("Why.")] = ""


class PlaybookSwitched(Record, frozen=True, kw_only=True):
    """A playbook was enabled, disabled, removed, paused or resumed: its place in the order of all that
    admission hears.
    """

    playbook: Annotated[str, doc("Playbook name.")]
    enabled: Annotated[bool, doc("It may start: it is enabled, and was not removed.")]
    catalog_offset: Annotated[int, doc("Catalog offset by which that is known.")]
    paused: Annotated[Hold | None, doc("What pauses it; null: nothing does.")] = None


AdmissionsRecord = Candidate | AlertRecovered | RunEnded | CandidateCancelled | TimerFired | PlaybookSwitched
