"""What can go wrong at the edge, divided by what the catcher will do.

    ConnectorError
    ├── TemporaryFailure     try again later (after `retry_after_s`, where the other side said so)
    │   ├── NotDurable       a record was not acknowledged: it may or may not be in the log
    │   └── NotReachable     the other side does not answer
    └── PermanentFailure     trying again will not help
        └── TooLarge         a record is larger than any record may be: nothing was sent

Foreign exceptions (aiokafka, httpx) never leave their connector: they are mapped to these.
"""


class ConnectorError(Exception):
    """Base of all errors of `connectors`. Its text is for a person and holds no secrets."""


class TemporaryFailure(ConnectorError):
    """Try again later; `retry_after_s` says when, where the other side said so."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotDurable(TemporaryFailure):
    """The broker did not acknowledge a record in time, or not for now. It may be in the log all the same."""


class NotReachable(TemporaryFailure):
    """The other side does not answer."""


class PermanentFailure(ConnectorError):
    """Trying again will not help."""


class TooLarge(PermanentFailure):
    """A record is larger than `size_bytes_max`; nothing was sent."""

    def __init__(self, message: str, size_bytes: int, size_bytes_max: int) -> None:
        super().__init__(message)
        self.size_bytes = size_bytes
        self.size_bytes_max = size_bytes_max
