"""Quiet hours: what is not urgent waits for the morning."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from alerts.policy import Policy
from core.daytime import next_instant, within
from core.model import AlertKind, Severity
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "ladder.sql")
PLATFORM_ZONE: Final = "Asia/Shanghai"  # of a region without homes


def tell_at(now: datetime, kind: AlertKind, severity: Severity, policy: Policy, zone: str) -> datetime:
    """When people may be told: now, or at the end of the quiet hours that it is in.

    Urgent is never held, nor what grows worse while everybody sleeps (the policy's `quiet_rings`): water that runs,
    somebody who has not come home.

    Args:
        zone: an IANA name.
    """
    start, end = policy.quiet
    local = ZoneInfo(zone)
    if severity is Severity.URGENT or kind in policy.quiet_rings or not within(now, start, end, local):
        return now
    return next_instant(now, end, local)


def zone_of(connection: Connection, regions: Sequence[int]) -> str:
    """The zone in which most homes of these regions lie."""
    row = connection.execute(QUERIES["zone_of_region"], {"regions": list(regions)}).fetchone()
    return str(row["zone"]) if row else PLATFORM_ZONE
