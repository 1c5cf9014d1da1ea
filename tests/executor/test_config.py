"""What an executor is given."""

import pytest

from executor.config import ExecutorConfig


@pytest.mark.parametrize(("session_s", "heartbeat_ms"), [(30.0, 3_000), (6.0, 2_000), (3.0, 1_000)])
def test_a_late_heartbeat_does_not_cost_the_membership(session_s: float, heartbeat_ms: int) -> None:
    config = ExecutorConfig(kafka={}, instance="a", session_timeout_s=session_s)
    assert config.heartbeat_ms == heartbeat_ms
