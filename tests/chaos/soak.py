"""The long form of the chaos bench: kills over all processes under a steady load, judged by the checker.

python -m tests.chaos.soak --kills 50 --seed 1

Two processors, executors and sinks, a web and a broker. Kills on the same disk, on an empty disk, and so
long that partitions move, at once or after a short life on the same disk; workers that sleep or leave; the
broker too. Then workers that join and leave while steps run for 30 s, and a storm on one key. Prints what was
done, what is wrong, and the longest time without progress; exit 1 where anything is wrong. The same seed
gives the same schedule.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.bench import Bench, Outcome, bench
from tests.chaos.broker import Broker
from tests.chaos.schedule import Deed, Moment, schedule
from tests.chaos.world import TWO_OF_EACH, World

GROUPS = (
    *((name,) for name in TWO_OF_EACH),
    ("processor-a", "executor-a"),
    ("processor-b", "sink-b"),
    ("processor-a", "processor-b"),
    TWO_OF_EACH,
)
DEEDS: tuple[Deed, ...] = (
    "kill",
    "kill",
    "kill",
    "wipe",
    "move",
    "handover",
    "freeze",
    "term",
    "leave",
)
LONG = ("move", "handover", "freeze", "leave", "wipe")
ROUND = 10
"""Deeds between two judgements."""
EVERY_S = 9.0
ALERTS_A_SECOND = 4.0
ANSWER_AFTER_S = 0.5
"""So that steps are under way when somebody is killed."""
SETTLED_WITHIN_S = 120.0
WORST_GAP_GOAL_S = 10.0

LONG_S = 30.0
LONG_ALERTS, LONG_OVER_S = 40, 60.0
COMERS = (("processor-c", "executor-c", "sink-c"), ("processor-d", "executor-d", "sink-d"))
COMES_EVERY_S = 8.0
STAYS_S = 14.0
STOP_GRACE_S = 45
"""Longer than the longest step, as a deployment with such steps must have it."""
STORM, STORM_OVER_S = 10_000, 60.0


def moments_of(seed: int, kills: int) -> list[Moment]:
    """The schedule. Who is alone of its kind, or all of them, is only killed: the web has no disk to lose."""
    drawn = schedule(seed, GROUPS, DEEDS, kills, EVERY_S)
    return [
        Moment(one.at_s, "kill", one.names) if _must_stay(one.names) and one.deed in LONG else one
        for one in drawn
    ]


def _must_stay(names: tuple[str, ...]) -> bool:
    return names == ("web-a",) or len(names) > 2


async def run(broker: Broker, folder: Path, seed: int, kills: int) -> int:
    """All of it; the exit code."""
    moments, outcomes = moments_of(seed, kills), list[Outcome]()
    began_s = time.monotonic()
    world = World(
        folder,
        broker.servers,
        "soak.",
        TWO_OF_EACH,
        idle=[name for names in COMERS for name in names],
        extra={"PULSEBOOK_STOP_GRACE_S": str(STOP_GRACE_S)},
    )
    async with bench(world, seed, ANSWER_AFTER_S) as made:
        for start in range(0, kills, ROUND):
            outcomes.append(await _round(made, broker, moments[start : start + ROUND]))
        _tell(made, outcomes, time.monotonic() - began_s)
        coming, storm = await _coming_and_going(made), await _storm(made)
    wrong = any(one.violations for one in (*outcomes, coming, storm)) or coming.unknown
    return 1 if wrong else 0


async def _coming_and_going(made: Bench) -> Outcome:
    """Two workers of each kind join and leave in turn, twice, while steps run for 30 s: none is unknown."""
    made.target.long_s = LONG_S
    moments = []
    for turn, names in enumerate(COMERS * 2):
        at_s = 1.0 + COMES_EVERY_S * turn * 2
        moments += [Moment(at_s, "join", names), Moment(at_s + STAYS_S, "quit", names)]
    outcome = await made.trial(LONG_ALERTS, LONG_OVER_S, moments, within_s=SETTLED_WITHIN_S, only="long")
    print(
        f"{len(moments)} times workers joined or left while steps ran for {LONG_S:.0f} s: "
        f"{len(outcome.unknown)} unknown, {len(outcome.violations)} violations, {outcome.unplanned}"
    )
    return outcome


async def _storm(made: Bench) -> Outcome:
    """10,000 alerts in a minute on one key."""
    began_s, ended = time.monotonic(), len(made.following.ended)
    outcome = await made.trial(STORM, STORM_OVER_S, within_s=SETTLED_WITHIN_S, only="skips")
    took_s = time.monotonic() - began_s
    print(
        f"{STORM} alerts on one key over {STORM_OVER_S:.0f} s: settled and judged after {took_s:.0f} s, "
        f"{len(made.following.ended) - ended} runs, {len(outcome.violations)} violations, {outcome.unplanned}"
    )
    return outcome


async def _round(made: Bench, broker: Broker, moments: list[Moment]) -> Outcome:
    """Some deeds, with the broker killed once in their midst, and the judgement."""
    first_s = moments[0].at_s
    shifted = [Moment(round(one.at_s - first_s + 1.0, 2), one.deed, one.names) for one in moments]
    over_s = shifted[-1].at_s + 3.0

    async def kill_broker() -> None:
        await asyncio.sleep(over_s / 2)
        async with made.disturbing("broker"):
            await broker.kill()

    alerts = int(over_s * ALERTS_A_SECOND)
    return await made.trial(alerts, over_s, shifted, kill_broker, SETTLED_WITHIN_S)


def _tell(made: Bench, outcomes: list[Outcome], took_s: float) -> None:
    killed = [(gap, what) for one in outcomes for gap, what in one.gaps_s if " kill " in what]
    others = [(gap, what) for one in outcomes for gap, what in one.gaps_s if " kill " not in what]
    violations = [each for one in outcomes for each in one.violations]
    print(f"{len(made.done)} deeds and {len(outcomes)} kills of the broker in {took_s:.0f} s")
    print(
        f"{len(made.load.accepted)} alerts, {len(made.following.ended)} runs, "
        f"{len(made.target.calls)} calls, {len(made.responding.answered)} questions answered, "
        f"{len(made.responding.recovered)} recoveries"
    )
    for what, gaps in (("kill", killed), ("other deed", others)):
        for gap_s, moment in sorted(gaps, reverse=True)[:3]:
            print(f"no progress for {gap_s:.1f} s after a {what}: {moment.strip()}")
    worst_s = max((gap for gap, _ in killed), default=0.0)
    print(f"worst time without progress after a kill: {worst_s:.1f} s (goal: under {WORST_GAP_GOAL_S:.0f} s)")
    print(f"{len([each for one in outcomes for each in one.unplanned])} processes ended by themselves")
    print(f"{len(violations)} violations" + "".join(f"\n  {each}" for each in violations))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulsebook-soak-") as name:
        broker = Broker(Path(name) / "kafka", None)
        broker.start()
        try:
            code = asyncio.run(run(broker, Path(name) / "world", given.seed, given.kills))
        finally:
            broker.stop()
    sys.exit(code)


if __name__ == "__main__":
    main()
