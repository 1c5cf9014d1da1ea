"""Runs one test: does the alert fit the playbook, what comes of the run, and is it what was expected."""

from dataclasses import dataclass, field

from engine.matching import match
from engine.simulation.comparing import Difference, cut, differences
from engine.simulation.reading import Case
from engine.simulation.running import Endless, simulate
from engine.simulation.told import Told


@dataclass(frozen=True, slots=True)
class Judged:
    """How a test went. `told` None: there was no run."""

    differences: tuple[Difference, ...] = ()
    assumed: dict[str, str] = field(default_factory=dict)
    """Steps that the test says nothing of, and what they came to."""
    told: Told | None = None

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.differences


def judge(case: Case) -> Judged:
    """Runs the test, in virtual time."""
    mismatch = _mismatch(case)
    wanted = case.expect.data.get("matches")
    if wanted is not None and wanted.data is False:
        if mismatch:
            return Judged()
        return Judged((Difference(wanted.mark, "matches", "false", "true: the alert fits `on.alert`"),))
    if mismatch:
        mark = case.expect.keys.get("matches", case.expect.mark)
        return Judged((Difference(mark, "matches", "true", cut(f"false: {mismatch}")),))
    try:
        told = simulate(case.book, case.script)
    except Endless as error:
        return Judged((Difference(case.expect.mark, "run", "an end", str(error)),))
    return Judged(differences(case.expect, told), told.assumed, told)


def _mismatch(case: Case) -> str:
    """Why the alert does not start the playbook; empty where it does, or where it has nothing to fit."""
    if case.script.alert is None:
        return ""
    looked = match(case.script.alert, (case.book,))
    if not looked:
        wanted = case.expect.data.get("matches")
        return "" if wanted is None else "the playbook has no `on.alert`"
    return "" if looked[0].matched else looked[0].detail or looked[0].clause
