"""The timelines of docs/admission.md come out as the page says."""

import re
from pathlib import Path

import pytest

from engine.admission.rows import RunRow
from engine.holds import Holds, Muting, muting_value
from engine.playbook.compiled import Compiled
from schemas.catalog import SwitchSet
from tests.engine.admission.world import BOOK, MINUTE_MS, START_MS, World, a_candidate, decisions
from tests.engine.alert.builders import an_alert
from tests.engine.playbook.builders import read_text

PAGE = Path(__file__).parents[3] / "docs" / "admission.md"
TIMELINES = re.findall(r"```\n(admission:.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
LINE = re.compile(
    r"(?P<at>\d\d:\d\d) (?P<what>alert|end|pause|resume|mute until)(?: (?P<about>[A-Z]|\d\d:\d\d))?"
    r"(?: +(?P<decided>\S.*))?"
)
BASE = f"playbook: {BOOK}\non: {{alert: {{kind: x}}}}\nsteps: [{{exit: {{}}}}]\n"


def ms(clock: str) -> int:
    hours, minutes = clock.split(":")
    return START_MS + (int(hours) * 60 + int(minutes)) * MINUTE_MS


def clock(at_ms: int) -> str:
    hours, minutes = divmod((at_ms - START_MS) // MINUTE_MS, 60)
    return f"{hours:02}:{minutes:02}"


class Timeline:
    """What the lines of one example do."""

    def __init__(self, admission: str) -> None:
        playbook = read_text(BASE + admission).playbook
        assert playbook is not None
        self.world = World(Compiled(playbook, "d"))
        self.holds = Holds()
        self.keys: dict[str, str] = {}

    def line(self, at: str, what: str, about: str) -> str:
        """Do it, exactly then; the decisions in the words of the page."""
        self.world.at_ms = ms(at) - 1
        match what:
            case "alert":
                request = f"{about}{at}"
                self.keys[request] = about
                alert = an_alert(id=request, scope=about, cycle_key=request)
                muted, paused = self.holds.muted(alert, BOOK, ms(at)), self.holds.paused(BOOK)
                offset = 7 + len(self.world.inputs)
                made = a_candidate(request, alert, muted=muted, paused=paused, catalog_offset=offset)
                admitted = self.world.feed(made)
            case "end":
                rows = {key: self.world.row(key) for key in self.world.rows}
                (ending,) = [
                    row.request_id
                    for row in rows.values()
                    if isinstance(row, RunRow) and row.state == "active" and row.request_id[0] == about
                ]
                admitted = self.world.end(ending)
            case "mute until":
                value = muting_value(Muting(until_ms=ms(about)))
                self.holds.apply(SwitchSet(name="mute/m", value=value, actor="ann", at_ms=ms(at)))
                return ""
            case _:
                self.holds.apply(SwitchSet(name="pause", value=what == "pause", actor="ann", at_ms=ms(at)))
                admitted = self.world.switch(True, 7 + len(self.world.inputs), paused=self.holds.paused(BOOK))
        said = []
        for one in decisions(admitted):
            until = f"until {clock(one.until_ms)}" if one.until_ms else ""
            said.append(" ".join(filter(None, (self.keys[one.request_id], one.decision, one.rule, until))))
        return "; ".join(said)


@pytest.mark.parametrize("text", TIMELINES, ids=lambda text: text.partition("\n")[0])
def test_a_timeline_of_the_page_comes_out_as_it_says(text: str) -> None:
    admission, *lines = text.splitlines()
    timeline = Timeline(admission)
    for line in lines:
        found = LINE.fullmatch(line)
        assert found is not None, line
        assert timeline.line(found["at"], found["what"], found["about"] or "") == (found["decided"] or ""), (
            line
        )


def test_there_are_timelines_on_the_page() -> None:
    assert len(TIMELINES) == 4
