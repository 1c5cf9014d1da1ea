"""The engine number: which rules a run follows for its whole life.

Changed behaviour of `evolve` or `decide` adds a number and keeps the old branch while a live run or an
audited journal needs it. The golden journals of each number are replayed by the tests.
"""

ENGINE_NUMBER = 1
"""What new runs are requested with."""

KNOWN_NUMBERS = frozenset({1})
"""What this version can carry on. A run of another number fails with a clear reason."""
