"""One way to read a list: filters, the latest first, from where the page before it ended."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from console.paging import Mark


def listed(
    connection: sqlite3.Connection,
    select: str,
    filters: Sequence[tuple[str, Any]],
    order: Sequence[str],
    mark: Mark | None,
    limit: int,
) -> list[sqlite3.Row]:
    """Up to `limit` + 1 rows, so that the caller sees whether there are more.

    `select`: everything up to WHERE. `filters`: (condition with one `?`, value); a value of None leaves it
    out. `order`: columns, all descending; `mark`: their values in the last row of the page before.
    """
    given = [(condition, value) for condition, value in filters if value is not None]
    conditions = [condition for condition, _ in given]
    values = [value for _, value in given]
    if mark:
        conditions.append(f"({', '.join(order)}) < ({', '.join('?' * len(order))})")
        values += mark
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    by = ", ".join(f"{column} DESC" for column in order)
    return connection.execute(f"{select}{where} ORDER BY {by} LIMIT ?", [*values, limit + 1]).fetchall()
