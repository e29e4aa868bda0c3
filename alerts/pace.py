"""Spans that last in the world, not on the platform's clock: a network's patience, a message's way.

A demo's clock may run 144 times as fast; a mail server does not.
"""

from datetime import timedelta

from core.clock import Clock


def lasting(clock: Clock, real_s: float) -> timedelta:
    """The span of `clock` that lasts `real_s` seconds of the machine's time; 1:1 on a clock that stands still."""
    real_of_one = clock.real_seconds(timedelta(seconds=1))
    return timedelta(seconds=real_s / real_of_one if real_of_one > 0 else real_s)
