"""Quiet hours: what is not urgent waits for the morning."""

from datetime import datetime
from zoneinfo import ZoneInfo

from alerts.policy import Policy
from core.daytime import next_instant, within
from core.model import Severity


def tell_at(now: datetime, severity: Severity, policy: Policy, zone: str) -> datetime:
    """When people may be told: now, or at the end of the quiet hours that it is in. `zone` is an IANA name."""
    start, end = policy.quiet
    local = ZoneInfo(zone)
    if severity is Severity.URGENT or not within(now, start, end, local):
        return now
    return next_instant(now, end, local)
