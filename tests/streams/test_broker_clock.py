"""The broker's time, from the inputs' timestamps, on a machine whose own clock may say anything."""

from streams.broker_clock import BrokerClock

BROKER_MS = 1_800_000_000_000


class Hands:
    """Clocks that are moved by hand."""

    def __init__(self) -> None:
        self.monotonic_s = 100.0
        self.wall_ms = BROKER_MS + 3_600_000

    def clock(self) -> BrokerClock:
        return BrokerClock(lambda: self.wall_ms, lambda: self.monotonic_s)


def test_before_the_first_input_this_machine_is_asked() -> None:
    hands = Hands()
    assert hands.clock().now_ms() == hands.wall_ms


def test_an_input_tells_the_broker_s_time_and_it_goes_on_by_itself() -> None:
    hands = Hands()
    clock = hands.clock()
    clock.read(BROKER_MS)
    assert clock.now_ms() == BROKER_MS
    hands.monotonic_s += 7.5
    hands.wall_ms -= 7_200_000
    assert clock.now_ms() == BROKER_MS + 7_500


def test_an_input_that_waited_long_does_not_turn_it_back() -> None:
    hands = Hands()
    clock = hands.clock()
    clock.read(BROKER_MS)
    clock.read(BROKER_MS - 60_000)
    assert clock.now_ms() == BROKER_MS
    hands.monotonic_s += 1
    clock.read(BROKER_MS + 1_200)
    assert clock.now_ms() == BROKER_MS + 1_200
