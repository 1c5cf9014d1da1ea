"""Playbooks, catalogs and records that the tests of streams share. Boring defaults; a test says what it
is about.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from engine.catalog import Catalog
from engine.playbook.canonical import canonical_json, digest
from engine.playbook.reading import read
from schemas.actions import ActionSpec, PinnedAction
from schemas.alerts import Alert, AlertReceived
from schemas.catalog import PlaybookSet, RevisionAdded, SwitchSet
from schemas.inbox import StepFinished

PINNED = PinnedAction(name="noop", repeatable=True)
ACTIONS: Mapping[str, PinnedAction] = {"noop": PINNED}
SPECS = {
    "noop": ActionSpec(
        name="noop",
        description="Does nothing.",
        category="enrich",
        inputs={"type": "object", "properties": {}},
        outputs={"type": "object"},
        pinned=PINNED,
    )
}

THREE_STEPS = """
playbook: demo
on: {alert: {endpoint: demo}}
admission: {max_running: 10000}
report: [succeeded, failed]
steps:
  - {id: one, action: noop}
  - {id: two, action: noop}
  - {id: three, action: noop}
"""

ONE_AT_A_TIME = """
playbook: demo
on: {alert: {endpoint: demo}}
admission: {max_running: 1}
steps:
  - {id: one, action: noop}
"""


class Followed:
    """A catalog that somebody else follows, and that has everything already."""

    def __init__(self, *texts: str) -> None:
        self.catalog = Catalog()
        self.waited: list[int] = []
        for text in texts or (THREE_STEPS,):
            self.add(text)

    def add(self, text: str) -> str:
        """Apply a playbook; its revision."""
        playbook, problems, _ = read(text, "demo.yaml", SPECS)
        assert playbook is not None, problems
        offset, revision = self.catalog.offset, digest(playbook)
        self.catalog.apply(
            offset,
            RevisionAdded(
                actor="test",
                at_ms=0,
                digest=revision,
                playbook=playbook.name,
                canonical=canonical_json(playbook),
                source=text,
            ),
        )
        active = PlaybookSet(actor="test", at_ms=0, name=playbook.name, digest=revision)
        self.catalog.apply(offset + 1, active)
        return revision

    def switch(self, enabled: bool) -> None:
        """Enable or disable the playbook `demo`."""
        self.catalog.apply(self.catalog.offset, replace(self.catalog.playbooks["demo"], enabled=enabled))

    def pause(self, paused: bool, name: str = "pause/demo") -> None:
        """Pause or resume the playbook `demo`, or all."""
        change = SwitchSet(name=name, value=paused, actor="mira", at_ms=7, reason="why")
        self.catalog.apply(self.catalog.offset, change)

    async def reached(self, offset: int) -> None:
        self.waited.append(offset)


def an_alert(number: int = 1, **fields: Any) -> Alert:
    """A triggered monitor; alerts of different numbers have different keys."""
    given = {
        "endpoint": "demo",
        "title": "CPU is high",
        "transition": "Triggered",
        "monitor_id": "12",
        "scope": f"host:h{number}",
    }
    return Alert(id=f"a-{number}", **{**given, **fields})


def received(number: int = 1, **fields: Any) -> AlertReceived:
    """The record of `an_alert`, as the web process writes it."""
    return AlertReceived(
        alert_id=f"a-{number}",
        endpoint=fields.get("endpoint", "demo"),
        received_at_ms=1_795_000_000_000,
        raw=b"{}",
        alert=an_alert(number, **fields),
    )


def finished(run_id: str, step: str, answers_seq: int, **fields: Any) -> StepFinished:
    """An executor's answer."""
    given = {"status": "succeeded", "output": {"ok": True}, "attempt": 1}
    return StepFinished(run_id=run_id, step=step, answers_seq=answers_seq, **{**given, **fields})
