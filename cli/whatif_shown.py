"""How the answer of `pulsebook playbook whatif` is shown: tables for people, documents for machines."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from audit.whatif.asking import Question, Report
from audit.whatif.comparing import Change, StepChange, Tally
from cli.output import moment, say
from cli.tables import show_rows

HOW = {
    "starts": "would start",
    "no_longer_starts": "would no longer start",
    "held_back": "would be held back",
    "no_longer_matches": "would no longer match",
    "other_steps": "would go another way",
    "waits": "would wait first",
    "no_longer_waits": "would no longer wait first",
}
STEP_HOW = {
    "now_runs": "would now run",
    "no_longer_runs": "would no longer run",
    "ends_otherwise": "would end otherwise",
    "asks_otherwise": "would run",
}
STANDING = {"new": "new", "changed": "changed", "gone": "removed", "same": "the same"}
_PLAYBOOKS = ("playbook", "is", "matched", "starts", "held_back", "on_record", "differ")
_STEPS = ("step", "runs", "assumed")


class Shown:
    """Keeps the first changes in the order of the alerts, at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[Change] = []

    def keep(self, change: Change) -> None:
        """One more. Those that are too many are dropped now and then."""
        self._kept.append(change)
        if len(self._kept) > 2 * self._most + 100:
            self._kept = self._first()

    def _first(self) -> list[Change]:
        return sorted(self._kept, key=lambda one: (one.at_ms, one.playbook, one.alert_id))[: self._most]

    def show(self, report: Report, question: Question) -> None:
        """All of it, for a person."""
        standing = Counter(STANDING[how] for how in report.worlds.standing.values())
        counts = ", ".join(f"{count} {how}" for how, count in standing.items())
        say(f"{_counted(len(report.worlds.standing), 'playbook')}: {counts or 'none'}")
        if not report.worlds.looked_at:
            say("nothing would change: these are the active playbooks")
            return
        _say_alerts(report, question)
        rows = [_row(name, report) for name in sorted(report.worlds.looked_at)]
        show_rows(rows, _PLAYBOOKS, False, "")
        _say_disabled(report)
        for name, tally in sorted(report.tallies.items()):
            _say_playbook(name, tally)
        self._say_changes(report)

    def _say_changes(self, report: Report) -> None:
        kept = self._first()
        say()
        if not report.changed:
            say("nothing would change for the alerts of this period")
            return
        more = f"; the first {len(kept)}" if 0 < len(kept) < report.changed else ""
        say(f"{_counted(report.changed, 'difference')}{more}{':' if kept else '; --show N shows some'}")
        for change in kept:
            _say_change(change)

    @staticmethod
    def documents(report: Report) -> Iterator[dict[str, Any]]:
        """What follows the single changes: the playbooks looked at, and the summary."""
        for name in sorted(report.worlds.looked_at):
            yield _playbook_document(name, report)
        found = report.gathered
        yield {
            "record": "summary",
            "playbooks": dict(Counter(report.worlds.standing.values())),
            "alerts": found.alerts,
            "alerts_unreadable": found.unreadable,
            "alerts_played_through": found.kept,
            "runs_on_record": found.runs,
            "differences": report.changed,
        }


def change_document(change: Change) -> dict[str, Any]:
    """One alert and playbook for which something would be different."""
    return {"record": "change", **asdict(change)}


def _playbook_document(name: str, report: Report) -> dict[str, Any]:
    tally = report.tallies.get(name, Tally())
    worlds = (report.worlds.active, report.worlds.wanted)
    held = [world.playbooks.get(name) for world in worlds]
    steps = sorted({*tally.steps[0], *tally.steps[1]})
    return {
        "record": "playbook",
        "playbook": name,
        "standing": report.worlds.standing[name],
        "enabled": any(one is not None and one.enabled for one in held),
        "revision": _pair(*("" if one is None else one.digest for one in held)),
        "matched": _pair(*tally.matched),
        "started": _pair(*tally.started),
        "started_by_runs": _pair(*(children[name] for children in report.children)),
        "held_back": _pair(*(dict(rules) for rules in tally.held)),
        "on_record": tally.on_record,
        "steps": {
            step: {**_pair(tally.steps[0][step], tally.steps[1][step]), "assumed": tally.assumed[step]}
            for step in steps
        },
        "differences": dict(tally.changes),
    }


def _pair(before: Any, after: Any) -> dict[str, Any]:
    return {"before": before, "after": after}


def _say_alerts(report: Report, question: Question) -> None:
    found = report.gathered
    begin = "the oldest on record" if question.from_ms is None else moment(question.from_ms)[:19]
    end = "now" if question.to_ms is None else moment(question.to_ms)[:19]
    say(f"{_counted(found.alerts, 'alert')} from {begin} to {end}, {found.kept} of them played through")
    if found.unreadable:
        say(f"{_counted(found.unreadable, 'unreadable alert')} left out, one because: {found.unreadable_why}")
    say()


def _say_disabled(report: Report) -> None:
    """That nothing would change is no news of a playbook that starts nothing on either side."""
    for name in sorted(report.worlds.looked_at):
        held = report.worlds.wanted.playbooks.get(name)
        if held is not None and not held.enabled and report.worlds.standing[name] != "same":
            say()
            say(
                f"{name} is disabled, and stays so with these files: it starts nothing on either side. "
                f"What it would do is told once it is enabled: pulsebook playbook enable {name}"
            )


def _row(name: str, report: Report) -> dict[str, Any]:
    tally = report.tallies.get(name, Tally())
    held = report.worlds.wanted.playbooks.get(name) or report.worlds.active.playbooks.get(name)
    disabled = ", disabled" if held is not None and not held.enabled else ""
    return {
        "playbook": name,
        "is": STANDING[report.worlds.standing[name]] + disabled,
        "matched": _arrow(*tally.matched),
        "starts": _arrow(*tally.started),
        "held_back": _arrow(*(rules.total() for rules in tally.held)),
        "on_record": tally.on_record,
        "differ": tally.changed,
    }


def _say_playbook(name: str, tally: Tally) -> None:
    """What differs in one playbook, summed up."""
    if not tally.changed:
        return
    say()
    say(f"{name}: " + ", ".join(f"{count} {HOW[how]}" for how, count in sorted(tally.changes.items())))
    rules = sorted({*tally.held[0], *tally.held[1]})
    if rules:
        say(
            "  held back: "
            + ", ".join(f"{rule} {_arrow(*(held[rule] for held in tally.held))}" for rule in rules)
        )
    steps = [*tally.steps[1], *(step for step in tally.steps[0] if step not in tally.steps[1])]
    rows = [
        {
            "step": step,
            "runs": _arrow(tally.steps[0][step], tally.steps[1][step]),
            "assumed": tally.assumed[step] or "",
        }
        for step in steps
        if tally.steps[0][step] or tally.steps[1][step]
    ]
    show_rows(rows, _STEPS, False, "")


def _say_change(change: Change) -> None:
    say()
    say(f"{moment(change.at_ms)[:19]}  {change.alert_id}  {change.title}")
    say(f"  {change.playbook} {HOW[change.how]}")
    then = "; on record it started a run" if change.on_record else ""
    say(f"    now:        {change.before.text}{then}")
    say(f"    with these: {change.after.text}")
    for step in change.steps:
        say(f"    {_step_line(step)}")


def _step_line(step: StepChange) -> str:
    times = f" {step.times} times" if step.times > 1 else ""
    words = [f"{step.step}: {STEP_HOW[step.how]}{times}"]
    if step.how == "asks_otherwise":
        words = [f"{step.step}: {STEP_HOW[step.how]}{times} {step.detail}"]
    elif step.how != "no_longer_runs" or step.detail:
        words.append(f"({step.detail})")
    if step.assumed:
        words.append(f"[assumed: {step.assumed}]")
    if step.depends:
        words.append("[depends on an assumed output]")
    return " ".join(words)


def _arrow(before: int, after: int) -> str:
    return str(before) if before == after else f"{before} → {after}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
