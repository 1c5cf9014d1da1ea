"""The engine number: which rules a run follows for its whole life.

Changed behaviour of `evolve` or `decide` adds a number and keeps the old branch while a live run or an
audited journal needs it. The golden journals of each number are replayed by the tests.
"""

ENGINE_NUMBER = 2
"""What new runs are requested with. 2: steps within steps, several under way at once, pauses (0020)."""

KNOWN_NUMBERS = frozenset({1, 2})
"""What this version can carry on. A run of another number fails with a clear reason."""
