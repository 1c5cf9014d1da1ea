"""The broker's time, from what it stamped, on a machine whose own clock may say anything."""

from executor.broker_clock import SAMPLES_MAX, BrokerClock

BROKER_MS = 1_800_000_000_000
"""The broker's time when our monotonic clock stands at 0."""


def test_nothing_is_known_before_the_first_stamp() -> None:
    assert BrokerClock().epoch_ms(0.005) is None


def test_a_record_that_was_read_says_how_late_it_is_at_least() -> None:
    clock = BrokerClock()
    clock.read(10, BROKER_MS)  # it had waited ten seconds
    assert clock.epoch_ms(10) == BROKER_MS
    clock.read(20, BROKER_MS + 19_990)
    clock.read(21, BROKER_MS + 5_000)  # an old one changes nothing
    assert clock.epoch_ms(30) == BROKER_MS + 29_990


def test_an_acknowledgement_counts_more_and_is_never_behind() -> None:
    clock = BrokerClock()
    clock.read(10, BROKER_MS)
    clock.acknowledged(20, BROKER_MS + 20_900)  # it was on its way for up to 900 ms
    assert clock.epoch_ms(25) == BROKER_MS + 25_900
    clock.acknowledged(30, BROKER_MS + 30_003)
    assert clock.epoch_ms(31) == BROKER_MS + 31_003


def test_time_goes_on_while_nothing_comes() -> None:
    clock = BrokerClock()
    clock.acknowledged(0, BROKER_MS)
    assert clock.epoch_ms(3_600) == BROKER_MS + 3_600_000


def test_only_the_latest_acknowledgements_count_so_that_a_clock_that_was_set_is_followed() -> None:
    clock = BrokerClock()
    clock.acknowledged(0, BROKER_MS)
    for number in range(SAMPLES_MAX):
        clock.acknowledged(number, BROKER_MS + 60_000 + number * 1000)
    assert clock.epoch_ms(100) == BROKER_MS + 160_000


def test_only_an_acknowledgement_makes_it_never_behind() -> None:
    """A grant that a stopped process finds when it wakes is not judged by what was read late before."""
    clock = BrokerClock()
    clock.read(10.0, 1_000_000)
    assert not clock.never_behind
    clock.acknowledged(11.0, 1_001_000)
    assert clock.never_behind
