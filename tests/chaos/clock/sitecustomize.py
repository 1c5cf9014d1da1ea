"""Puts a process's wall clock wrong by CHAOS_CLOCK_SHIFT_S seconds. Python imports it at its start, where
PYTHONPATH names this folder; the monotonic clock goes on as it is.
"""

import os
import time

_SHIFT_S = int(os.environ.get("CHAOS_CLOCK_SHIFT_S", "0"))
_time, _time_ns = time.time, time.time_ns

time.time = lambda: _time() + _SHIFT_S
time.time_ns = lambda: _time_ns() + _SHIFT_S * 1_000_000_000
