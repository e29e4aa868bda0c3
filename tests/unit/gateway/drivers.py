"""Helpers for the tests of drivers."""

from datetime import UTC, datetime

import msgspec

from gateway.drivers.base import Decoded, Driver

RECEIVED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def decode(driver: Driver, topic: str, payload: object, *, retained: bool = False) -> Decoded:
    """What the driver makes of a message received at RECEIVED; a payload that is no bytes is sent as JSON."""
    raw = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    return driver.decode(topic, raw, RECEIVED, retained)


def values(decoded: Decoded) -> dict[str, float]:
    """Metric -> value."""
    return {reading.metric: reading.value for reading in decoded.readings}
