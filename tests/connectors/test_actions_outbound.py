"""Which hosts fit which patterns."""

import pytest

from connectors.actions.outbound import fits


@pytest.mark.parametrize(
    ("host", "port", "pattern"),
    [
        ("api.example.com", 443, "api.example.com"),
        ("API.Example.com.", 443, "api.example.COM"),
        ("a.b.example.com", 443, "*.example.com"),
        ("localhost", 8443, "localhost:8443"),
        ("::1", 80, "[::1]:80"),
        ("::1", 80, "::1"),
        ("a.example.com", 8443, "*.example.com:8443"),
    ],
)
def test_fits(host: str, port: int, pattern: str) -> None:
    assert fits(host, port, ["other.example.org", pattern])


@pytest.mark.parametrize(
    ("host", "port", "pattern"),
    [
        ("api.example.com", 443, "example.com"),
        ("example.com", 443, "*.example.com"),
        ("evilexample.com", 443, "*.example.com"),
        ("api.example.com.evil.org", 443, "api.example.com"),
        ("localhost", 8444, "localhost:8443"),
    ],
)
def test_does_not_fit(host: str, port: int, pattern: str) -> None:
    assert not fits(host, port, [pattern])


def test_no_pattern_fits_nothing() -> None:
    assert not fits("example.com", 443, [])
