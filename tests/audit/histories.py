"""Two made histories: a short one in which everything happens, and a long one in which much goes on."""

from schemas.topics import ADMISSIONS, ALERTS, RUN_INBOX
from tests.audit.made_books import BOOKS
from tests.audit.making import Making


def eventful(seed: int = 1, alerts: int = 60, partitions: int = 2) -> Making:
    """A history in which everything happens that can."""
    made = Making(partitions, seed)
    plays = sorted(set(BOOKS) - {"called"})
    for number in range(alerts):
        play = plays[number % len(plays)]
        made.alert(play, f"host:{made.dice.randint(1, 6)}")
        if number % 7 == 3:
            made.alert(play, f"host:{made.dice.randint(1, 6)}", "Recovered")
        if number % 2:
            made.work()
        if number % 11 == 5:
            made.cancel()
        if number == alerts // 3:
            made.apply("queues", "description: another revision\n")
        if number == alerts // 2:
            made.switch("pause/cools", True)
        if number == alerts // 2 + 5:
            made.switch("pause/cools", False)
        made.settle(0.005)
    made.raw(ALERTS, b"k", b'{"title": "of a producer", "tags": ["play:queues"]}', [("endpoint", b"demo")])
    made.raw(ALERTS, b"k", b"garbage")
    for number in range(4):
        made.raw(RUN_INBOX, b"k", b"garbage %d" % number)
    made.raw(ADMISSIONS, b"queues", None)
    made.settle(30)
    return made


def long(days: int = 4, an_hour: int = 4, seed: int = 3) -> Making:
    """Days on end, in which everything goes on all the time."""
    made = Making(2, seed)
    plays = sorted(set(BOOKS) - {"called"})
    for number in range(days * 24 * an_hour):
        play = plays[number % len(plays)]
        for _ in range(made.dice.choice([1, 1, 2, 6])):
            made.alert(play, f"host:{made.dice.randint(1, 4)}")
        if made.dice.random() < 0.2:
            made.alert(play, f"host:{made.dice.randint(1, 4)}", "Recovered")
        if made.dice.random() < 0.05:
            made.cancel()
        made.settle(made.dice.choice([0.0, 0.02, 0.9 / an_hour]))
        made.now_ms += 3_600_000 // an_hour // 2
    made.settle(0.01)
    return made
