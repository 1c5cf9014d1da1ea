"""What an alert costs with ever more playbooks: `python -m benchmarks.matching`. No broker, no processes.

Four catalogues: playbooks that each ask for a service of their own, by tag or by monitor ("their own"), so
that an alert fits a handful; playbooks that differ in `when` only, which compares with a text, so that the
index knows what each needs ("by when"); and the same by arithmetic, which the index does not understand, so
that each is asked ("asked"), and by a regular expression, which costs most ("by regex"). Compared with a look
at every playbook.
"""

from collections.abc import Callable
from functools import partial

from benchmarks.engine import cost_us
from engine.catalog import Catalog
from engine.matching import match, matched_records
from engine.playbook.canonical import canonical_json, digest
from engine.playbook.model import ActionStep, AlertTrigger, Playbook
from schemas.alerts import Alert, AlertReceived
from schemas.catalog import PlaybookSet, RevisionAdded
from schemas.outgoing import Cause

COUNTS = (10, 100, 1_000, 5_000)
CAUSE = Cause("alerts", 0, 1, 1_795_316_672_500)
ALERT = Alert(
    id="a-1",
    endpoint="datadog-prod",
    title="[Triggered on {service:s-0}] p95 latency is high",
    kind="query_alert_monitor",
    transition="Triggered",
    monitor_id="10000",
    scope="service:s-0",
    tag_list=("monitor", "service:s-0", "env:prod", "team:payments"),
)
STEPS = (ActionStep(path="say", action="log"),)


def their_own(at: int) -> AlertTrigger:
    """The trigger of playbook number `at`: every second one asks for a monitor, the others for a service."""
    if at % 2:
        return AlertTrigger(endpoint=("datadog-prod",), monitor=(str(10_000 + at - 1),))
    return AlertTrigger(
        endpoint=("datadog-prod",),
        tags={"service": (f"s-{at}",), "env": ("prod", "staging")},
        when="alert.title.contains('latency')",
    )


def by_when(at: int) -> AlertTrigger:
    """The same for every playbook, but for `when`."""
    return AlertTrigger(endpoint=("datadog-prod",), when=f"alert.title.contains('s-{at}]')")


def asked(at: int) -> AlertTrigger:
    """The same for every playbook, but for a `when` that only asking tells."""
    return AlertTrigger(endpoint=("datadog-prod",), when=f"size(alert.title) == {1_000 + at}")


def by_regex(at: int) -> AlertTrigger:
    """The same by a regular expression."""
    return AlertTrigger(endpoint=("datadog-prod",), when=f"alert.title.matches('s-{at}]')")


KINDS = {"their own": their_own, "by when": by_when, "asked": asked, "by regex": by_regex}


def catalog_of(count: int, trigger: Callable[[int], AlertTrigger]) -> Catalog:
    """A catalogue of so many active playbooks."""
    catalog = Catalog()
    for at in range(count):
        playbook = Playbook(name=f"p-{at:05}", alerts=(trigger(at),), steps=STEPS)
        revision = digest(playbook)
        added = RevisionAdded(
            actor="bench",
            at_ms=1,
            digest=revision,
            playbook=playbook.name,
            canonical=canonical_json(playbook),
            source="",
        )
        catalog.apply(catalog.offset, added)
        held = PlaybookSet(actor="bench", at_ms=1, name=playbook.name, digest=revision)
        catalog.apply(catalog.offset, held)
    return catalog


def main() -> None:
    received = AlertReceived(
        alert_id=ALERT.id, endpoint=ALERT.endpoint, received_at_ms=1, raw=b"", alert=ALERT
    )
    print(f"{'playbooks':<24}{'us an alert':>12}{'us, each looked at':>20}{'ratio':>8}{'us to index':>13}")
    for name, trigger in KINDS.items():
        for count in COUNTS:
            catalog = catalog_of(count, trigger)
            books = catalog.active()
            indexed = cost_us(partial(matched_records, received, CAUSE, catalog))
            looked = cost_us(partial(match, ALERT, books))
            changed = catalog.playbooks["p-00000"]
            build = cost_us(partial(_indexed_anew, catalog, changed))
            row = f"{indexed:>12.0f}{looked:>20.0f}{looked / indexed:>8.1f}{build:>13.0f}"
            print(f"{f'{count:,}, {name}':<24}{row}")


def _indexed_anew(catalog: Catalog, changed: PlaybookSet) -> None:
    catalog.apply(catalog.offset, changed)
    assert catalog.alert_index.all


if __name__ == "__main__":
    main()
