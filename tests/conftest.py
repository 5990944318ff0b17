"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# On a machine that does other things as well, a slow example says nothing of the code.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")
