"""A secret in memory. It is no record and has no wire form: it must never get into one.

Where secrets come from is `connectors.secrets`; how they get into the arguments of a step is `executor`.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret. Its repr shows the name only."""

    name: str
    value: str = field(repr=False)
    hosts: tuple[str, ...] = ()
    """Hosts it may be sent to (`api.example.com`, `*.example.com`, `host:8443`); empty: any."""

    def __repr__(self) -> str:
        return f"Secret({self.name}=***)"

    __str__ = __repr__
