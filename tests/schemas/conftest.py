"""Property tests here have no deadline: how long one example takes on a busy machine proves nothing."""

from hypothesis import HealthCheck, settings

settings.register_profile("schemas", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("schemas")
