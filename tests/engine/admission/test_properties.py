"""What holds for every sequence of inputs: a legal walk, disturbed with repeats and noise."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.admission.admitting import Situation
from engine.admission.rows import KeyRow, PlaybookRow, RunRow, decode_row
from schemas.admissions import Candidate, Hold, RunEnded
from schemas.decisions import AdmissionDecided
from schemas.inbox import RunRequested, TimerFired
from tests.engine.admission.world import BOOK, LOG, START_MS, World, a_book, a_candidate, decisions, refolded
from tests.engine.alert.builders import an_alert

PAUSE = Hold(name="pause", actor="mira", at_ms=START_MS)
MUTE = Hold(name="mute/m-1", actor="mira", at_ms=START_MS, until_ms=START_MS + 60_000)
TERMINAL = {"started", "held_back", "dropped", "expired", "refused"}
RULES = st.fixed_dictionaries(
    {
        "while_running": st.sampled_from(["skip", "queue", "parallel"]),
        "max_running": st.integers(1, 3),
        "queue_max": st.sampled_from([6, 6, 1, 0]),
        "queue_expires_ms": st.sampled_from([7_200_000, 60_000, 3 * 86_400_000]),
        "key": st.sampled_from(["alert.monitor_id + '/' + alert.scope", "alert.host", "alert.title"]),
        "on_recovered_queued": st.sampled_from(["drop", "keep"]),
        "cooldown_ms": st.sampled_from([0, 0, 60_000, 3 * 86_400_000]),
        "throttle_limit": st.sampled_from([0, 0, 1, 4]),
        "throttle_per_ms": st.sampled_from([3_600_000, 2 * 86_400_000]),
    }
)
ALERTS = st.fixed_dictionaries(
    {
        "scope": st.sampled_from(["a", "b"]),
        "cycle_key": st.sampled_from(["c1", "c2", ""]),
        "host": st.sampled_from(["h1", "h2"]),
        "title": st.sampled_from(["t1", "t2"]),
        "last_updated_ms": st.sampled_from([0, START_MS, START_MS + 5]),
    }
)
STEPS = st.one_of(
    st.tuples(st.just("alert"), ALERTS),
    st.tuples(st.just("alert"), ALERTS),
    st.tuples(st.just("alert"), ALERTS),
    st.tuples(st.just("call"), st.just(0)),
    st.tuples(st.just("override"), ALERTS),
    st.tuples(st.just("repeat"), st.integers(0, 30)),
    st.tuples(st.just("end"), st.integers(0, 3)),
    st.tuples(st.just("end"), st.integers(0, 3)),
    st.tuples(st.just("end any"), st.integers(0, 30)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("recover"), ALERTS),
    st.tuples(st.just("wait"), st.sampled_from([1, 60_000, 7_000_000, 90_000_000])),
    st.tuples(st.just("timer"), st.integers(0, 5)),
    st.tuples(st.just("switch"), st.booleans()),
    st.tuples(st.just("pause"), st.booleans()),
    st.tuples(st.just("paused alert"), ALERTS),
    st.tuples(st.just("muted alert"), ALERTS),
)

WALKS = st.integers(0, 50).flatmap(lambda size: st.lists(STEPS, min_size=size, max_size=50))
"""Of every length alike: a full queue takes many steps, and short lists are what a list strategy likes."""


@dataclass
class Walk:
    """A world, and the candidates that were sent to it."""

    world: World
    candidates: list[Candidate]

    @property
    def news(self) -> int:
        """A catalog offset that nobody has named yet; candidates name an old one else."""
        return 8 + len(self.world.inputs)

    def active(self) -> list[str]:
        rows = {key: decode_row(data) for key, data in self.world.rows.items()}
        return [
            key.partition("@")[2]
            for key, row in sorted(rows.items())
            if isinstance(row, RunRow) and row.state == "active"
        ]

    def step(self, kind: str, given: Any) -> None:
        world = self.world
        match kind:
            case "alert":
                request = f"a-{len(self.candidates)}"
                self.send(a_candidate(request, an_alert(id=request, **given)))
            case "override":
                self.send(a_candidate(f"call-{len(self.candidates)}", an_alert(**given), override=True))
            case "paused alert" | "muted alert":
                request = f"a-{len(self.candidates)}"
                hold = {"paused": PAUSE} if kind == "paused alert" else {"muted": MUTE}
                self.send(
                    a_candidate(request, an_alert(id=request, **given), catalog_offset=self.news, **hold)
                )
            case "call":
                self.send(a_candidate(f"call-{len(self.candidates)}", None, via="api"))
            case "repeat" if self.candidates:
                self.repeat(self.candidates[given % len(self.candidates)])
            case "end" if active := self.active():
                self.end(active[given % len(active)])
            case "end any" if self.candidates:
                self.end(self.candidates[given % len(self.candidates)].run_id)
            case "cancel" if self.candidates:
                world.cancel(self.candidates[given % len(self.candidates)].request_id)
            case "recover":
                world.recovery(f"r-{len(world.inputs)}", **given)
            case "switch":
                world.switch(given, self.news, None)
            case "pause":
                world.switch(True, self.news, PAUSE if given else None)
            case "wait":
                world.wait(given)
            case "timer" if pending := sorted(world.pending().items()):
                (row, timer), due_ms = pending[given % len(pending)]
                world.feed(TimerFired(row=row, timer=timer, due_ms=due_ms))

    def send(self, candidate: Candidate) -> None:
        self.candidates.append(candidate)
        self.world.feed(candidate)

    def end(self, run_id: str) -> None:
        self.world.feed(RunEnded(run_id=run_id, playbook=BOOK, key="", status="failed"))

    def repeat(self, candidate: Candidate) -> None:
        """A repeat within a day: the identical first answer, and not one row changes."""
        first = self.answers(candidate)[0]
        if self.world.at_ms + 1 >= first.at_ms + 86_400_000:
            return
        rows = dict(self.world.rows)
        admitted = self.world.feed(candidate)
        assert admitted.rows == {} and self.world.rows == rows
        assert [sent.record for sent in admitted.sends] == [first]

    def answers(self, candidate: Candidate) -> list[AdmissionDecided]:
        return [one for one in self.world.told(AdmissionDecided) if one.run_id == candidate.run_id]


def check_rows(walk: Walk, rules: dict[str, Any]) -> None:
    """Slots are conserved, keys are respected, and nobody waits without a reason."""
    rows = {key: decode_row(data) for key, data in walk.world.rows.items()}
    book = rows.get(BOOK, PlaybookRow())
    assert isinstance(book, PlaybookRow)
    runs = {key.partition("@")[2]: row for key, row in rows.items() if isinstance(row, RunRow)}
    keys = {key.partition("|")[2]: row for key, row in rows.items() if isinstance(row, KeyRow)}
    active = {run_id for run_id, row in runs.items() if row.state == "active"}
    queued = {run_id for run_id, row in runs.items() if row.state == "queued"}
    overridden = {run_id for run_id in active if runs[run_id].first.rule == "override"}

    assert book.running == len(active)
    assert len(active) - len(overridden) <= rules["max_running"]
    places = [run_id for _, run_id in book.ready]
    places += [run_id for row in keys.values() for _, run_id in row.waiting]
    assert Counter(places) == Counter(queued)
    assert book.queued == len(queued) <= rules["queue_max"]
    by_key: dict[str, set[str]] = {}
    for run_id in active:
        if runs[run_id].key:
            by_key.setdefault(runs[run_id].key, set()).add(run_id)
    assert {key: set(row.active) for key, row in keys.items() if row.active} == by_key
    if rules["while_running"] != "parallel":
        assert all(len(runs_of_key - overridden) <= 1 for runs_of_key in by_key.values())
    assert not book.ready or book.paused or book.running >= rules["max_running"], (
        "a slot is free and somebody waits for one"
    )
    beside = Counter(runs[run_id].key for run_id in queued if runs[run_id].parallel and rules["cooldown_ms"])
    assert {key: count for key, count in beside.items() if key} == {
        key: row.cooldown.waiting for key, row in keys.items() if row.cooldown and row.cooldown.waiting
    }
    assert len(book.throttle.starts if book.throttle else ()) <= rules["throttle_limit"]
    assert all(row.active or row.holder for row in keys.values() if row.waiting), (
        "a key is free and waited for"
    )
    assert list(book.ready) == sorted(book.ready)


def check_words(walk: Walk) -> None:
    """Whatever did not simply start names its rule and says why; and until when, in time to come."""
    for one in walk.world.told(AdmissionDecided):
        assert one.decision == "started" or (one.rule and one.reason)
        assert one.until_ms is None or one.until_ms > one.at_ms or one.rule == "muted"
        if one.decision == "queued" or one.rule in ("muted", "recovered"):
            assert one.until_ms is not None


def check_spaces(walk: Walk, rules: dict[str, Any]) -> None:
    """No start came too close after another, but those that override the rules."""
    told = [one for one in walk.world.told(AdmissionDecided) if one.decision == "started"]
    starts = {one.run_id: one for one in told if one.rule != "override"}.values()
    by_key: dict[str, list[int]] = {}
    for one in starts:
        by_key.setdefault(one.key, []).append(one.at_ms)
    for key, times in by_key.items():
        apart = [later - first for first, later in pairwise(times)]
        assert not key or all(gap >= rules["cooldown_ms"] for gap in apart), (key, apart)
    if limit := rules["throttle_limit"]:
        times = [one.at_ms for one in starts]
        apart = [later - first for first, later in zip(times, times[limit:], strict=False)]
        assert all(gap >= rules["throttle_per_ms"] for gap in apart), apart


@given(RULES, WALKS)
def test_slots_keys_and_decisions_add_up_after_every_input(rules: dict[str, Any], steps: list[Any]) -> None:
    walk = Walk(World(a_book(**rules)), [])
    for kind, given_ in steps:
        walk.step(kind, given_)
        check_rows(walk, rules)
    walk.step("pause", False)
    for _ in range(100):  # nothing starves: as runs end, everybody gets a turn
        if not (active := walk.active()):
            break
        walk.end(active[0])
        check_rows(walk, rules)

    for candidate in walk.candidates:
        changes = {(one.decision, one.offset) for one in walk.answers(candidate)}
        assert len([decision for decision, _ in changes if decision in TERMINAL]) == 1, changes
    check_spaces(walk, rules)
    check_words(walk)
    requested = Counter(request.run_id for request in walk.world.told(RunRequested))
    started = {one.run_id for one in walk.world.told(AdmissionDecided) if one.decision == "started"}
    assert set(requested) == started
    assert all(count == 1 for count in requested.values())


@given(RULES, WALKS)
def test_the_same_inputs_give_the_same_bytes_and_the_same_records(
    rules: dict[str, Any], steps: list[Any]
) -> None:
    walk = Walk(World(a_book(**rules)), [])
    for kind, given_ in steps:
        walk.step(kind, given_)

    again = refolded(walk.world.inputs, a_book(**rules), walk.world.situation)

    assert again.rows == walk.world.rows
    assert again.sent == walk.world.sent


@given(RULES, WALKS, st.integers(0, 30))
def test_an_input_that_is_delivered_again_at_once_changes_no_row(
    rules: dict[str, Any], steps: list[Any], at: int
) -> None:
    walk = Walk(World(a_book(**rules)), [])
    for kind, given_ in steps:
        walk.step(kind, given_)
    if not walk.world.inputs:
        return
    inputs = walk.world.inputs[: at % len(walk.world.inputs) + 1]
    world = refolded(inputs, a_book(**rules), Situation(actions={"log": LOG}))
    rows, record = dict(world.rows), inputs[-1][0]

    again = world.feed(record)

    if not isinstance(record, Candidate) or decisions(again)[0].at_ms > world.at_ms - 86_400_000:
        assert world.rows == rows
