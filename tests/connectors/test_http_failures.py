"""Every exception of httpx has its meaning, and every status its kind."""

import httpcore
import httpx
import pytest

from connectors.http_failures import FAILURES, Trace, failure_of, kind_of_status


def concrete_exceptions() -> set[type[Exception]]:
    exported = {getattr(httpx, name) for name in httpx.__all__}
    found = {item for item in exported if isinstance(item, type) and issubclass(item, Exception)}
    return {item for item in found if not any(issubclass(other, item) for other in found - {item})}


def test_every_concrete_exception_of_httpx_is_mapped() -> None:
    assert concrete_exceptions() - set(FAILURES) == set()


def test_only_exceptions_of_httpx_are_mapped() -> None:
    assert set(FAILURES) - concrete_exceptions() == set()


async def test_how_far_the_request_got_says_whether_it_may_have_happened() -> None:
    trace = Trace()
    await trace("connection.connect_tcp.started", {})
    assert not failure_of(httpx.ConnectError("refused"), trace).may_have_happened
    await trace("http11.send_request_headers.started", {})
    assert failure_of(httpx.ReadError(""), trace).may_have_happened


def test_an_exception_of_somebody_else_is_raised_again() -> None:
    with pytest.raises(KeyError):
        failure_of(KeyError("x"), Trace())
    with pytest.raises(httpcore.ReadError):
        failure_of(httpcore.ReadError("x"), Trace())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, "bad_output"),
        (400, "http_4xx"),
        (408, "timeout"),
        (429, "rate_limited"),
        (500, "http_5xx"),
        (599, "http_5xx"),
    ],
)
def test_kinds_of_statuses(status: int, kind: str) -> None:
    assert kind_of_status(status) == kind
