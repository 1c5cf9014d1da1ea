"""The tables of docs/alerts.md say what the code does."""

import re
from pathlib import Path

from engine.alert.naming import NAMES
from engine.matching_clauses import CLAUSES

PAGE = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")


def rows_after(mark: str) -> list[list[str]]:
    """The rows of the table below a comment, as cells."""
    lines = PAGE.partition(mark)[2].splitlines()[1:]
    table = lines[: next(at for at, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


def test_the_table_of_fields_names_every_field_with_its_keys_in_their_order() -> None:
    rows = rows_after("<!-- compared with engine/alert/naming.py")

    assert {row[0].strip("` "): tuple(re.findall(r"`([A-Z_]+)`", row[1])) for row in rows} == NAMES


def test_the_table_of_clauses_names_every_clause_in_the_order_in_which_it_is_asked() -> None:
    rows = rows_after("<!-- compared with engine/matching_clauses.py")

    assert tuple(row[0].strip("` ") for row in rows) == CLAUSES
