"""The answer to a body that cannot be understood as an alert. A value, not an error: it is recorded."""

import msgspec


class Unparsable(msgspec.Struct, frozen=True):
    """`problem`: what is wrong and where, for a person. Quotes at most one character of the body."""

    problem: str
