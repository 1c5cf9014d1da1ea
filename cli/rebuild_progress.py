"""How far a rebuild is: what was asked for, which reports have come, what is still open; in sentences.

Pure. Who made a newer rebuild has made this one as well. How many web processes there are nobody knows: all
that have begun must be done.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.rebuilds import Kind
from schemas.catalog import RebuildReported

READ_MODEL = "read-model"
TABLES: Mapping[str, str] = {"admissions": "processor", "runs": "processor", "notified": "sink"}
"""Tables that are made again, and the process that keeps each."""

Place = tuple[str, int]


@dataclass(slots=True)
class Progress:
    """Of the requests at these offsets of the catalog. `partitions`: how many each table has."""

    asked: Mapping[Kind, int]
    partitions: int
    begun: dict[Place, RebuildReported] = field(default_factory=dict)
    done: dict[Place, RebuildReported] = field(default_factory=dict)
    models_begun: set[str] = field(default_factory=set)
    models_done: dict[str, RebuildReported] = field(default_factory=dict)

    def take(self, report: RebuildReported) -> str | None:
        """A report; a sentence about it. None: it is of another rebuild, or was told before."""
        kind: Kind = "read-models" if report.table == READ_MODEL else "tables"
        asked_at = self.asked.get(kind)
        if asked_at is None or report.requested_at < asked_at:
            return None
        if kind == "read-models":
            self.models_begun.add(report.actor)
            if report.state != "done" or report.actor in self.models_done:
                return None
            self.models_done[report.actor] = report
            return f"read model of {report.actor}: made again, of {report.rows:,} records ({_took(report)})"
        place = report.table, report.partition
        if report.state == "begun":
            self.begun[place] = report
            return None
        if place in self.done:
            return None
        self.done[place] = report
        return self._sentence(report)

    def open_tables(self) -> list[Place]:
        """Partitions that are not made again yet."""
        wanted = TABLES if "tables" in self.asked else ()
        return [
            (table, number)
            for table in wanted
            for number in range(self.partitions)
            if (table, number) not in self.done
        ]

    def under_way(self) -> list[str]:
        """What has begun and is not done, in words."""
        tables = [f"partition {number} of {table}" for table, number in self.begun.keys() - self.done.keys()]
        models = [f"the read model of {name}" for name in self.models_begun - self.models_done.keys()]
        return sorted(tables) + sorted(models)

    def lacks_models(self) -> bool:
        """Whether no read model has been made again, though that was asked for; or one is not done."""
        if "read-models" not in self.asked:
            return False
        return not self.models_done or len(self.models_done) < len(self.models_begun)

    def is_done(self) -> bool:
        """Whether everything that is known of is made again."""
        return not self.open_tables() and not self.lacks_models()

    def silent(self) -> list[str]:
        """Kinds of processes from which nothing was heard that must be."""
        found = {TABLES[table] for table, number in self.open_tables() if (table, number) not in self.begun}
        return sorted(found) + (["web"] if self.lacks_models() and not self.models_begun else [])

    def total(self) -> dict[str, int]:
        """Of all tables: rows, equal, differing, kept."""
        names = ("rows", "equal", "differing", "kept")
        return {name: sum(getattr(one, name) for one in self.done.values()) for name in names}

    def verdict(self) -> str:
        """What came of it, for a person."""
        total = self.total()
        if "tables" not in self.asked:
            return f"done: {len(self.models_done)} read model{_s(len(self.models_done))} made again"
        said = f"done: {total['rows']:,} row{_s(total['rows'])} made again"
        if total["differing"]:
            where = [f"{n} of {table}" for (table, n), one in self.done.items() if one.differing]
            said += (
                f"; {total['differing']:,} {'was' if total['differing'] == 1 else 'were'} not as the topics "
                f"make them, and {'is' if total['differing'] == 1 else 'are'} right now "
                f"(partition {', '.join(sorted(where))}; such as {', '.join(self._examples())})"
            )
        else:
            said += ", all as they were"
        if total["kept"]:
            said += f"; {total['kept']:,} stay as they were: the topics no longer tell all of them"
        return said

    def _examples(self) -> list[str]:
        return [key for one in self.done.values() for key in one.examples][:3]

    def _sentence(self, report: RebuildReported) -> str:
        since = ""
        if report.kept and report.since_ms:
            day = datetime.datetime.fromtimestamp(report.since_ms / 1000, tz=datetime.UTC).date()
            since = f" (its topic is kept since {day})"
        kept = f", {report.kept:,} kept as they were{since}" if report.kept else ""
        return (
            f"{report.table} {report.partition}: {report.rows:,} rows made again, {report.equal:,} equal, "
            f"{report.differing:,} differed{kept} ({_took(report)}, {report.actor})"
        )


def document_of(report: RebuildReported) -> dict[str, Any]:
    """A report as JSON."""
    names = ("rows", "equal", "differing", "kept", "since_ms", "took_ms")
    return {
        "table": report.table,
        "partition": report.partition,
        "by": report.actor,
        **{name: getattr(report, name) for name in names},
        "examples": list(report.examples),
    }


def _took(report: RebuildReported) -> str:
    return f"{report.took_ms / 1000:.1f} s"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
