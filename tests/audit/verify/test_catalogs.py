"""The catalog at any offset is what a fold of the beginning gives, in whatever order it is asked for."""

import random

from audit.verify.catalogs import KEPT_MAX, Catalogs
from engine.catalog import Catalog
from tests.audit.making import Making


def test_a_catalog_at_an_offset_knows_what_is_before_it_and_nothing_else() -> None:
    made = Making()
    for number in range(8):
        made.apply("queues", f"description: number {number}\n")
        made.switch("pause/queues", bool(number % 2))
    made.work()
    changes = [(one.offset, one.record) for one in made.topics["catalog"]]
    end = len(changes)
    catalogs = Catalogs(changes, end)
    asked = [*range(end + 1)] * 3
    random.Random(5).shuffle(asked)  # noqa: S311 - an order, no secret
    assert len(set(asked)) > KEPT_MAX
    for offset in asked:
        plain = Catalog()
        for at, record in changes[:offset]:
            plain.apply(at, record)
        found = catalogs.at(offset)
        assert (found.offset, dict(found.playbooks)) == (plain.offset, dict(plain.playbooks))
        assert found.holds.paused("queues") == plain.holds.paused("queues")
        assert set(found.revisions) == set(plain.revisions)


def test_an_offset_beyond_the_end_is_the_end() -> None:
    made = Making()
    changes = [(one.offset, one.record) for one in made.topics["catalog"]]
    catalogs = Catalogs(changes, len(changes))
    assert catalogs.at(10_000) is catalogs.latest
