"""When a device measured: its own word where that can be true, else the time at which it was received."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from gateway.drivers.base import number

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # before it: a clock that was never set
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def from_text(text: str, received: datetime, zone: tzinfo | None = None) -> datetime:
    """An ISO 8601 time. One without a zone is of `zone`; without that it tells nothing and `received` counts.

    An hour that a change of the clocks makes happen twice is the later one that can be true.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            if zone is None:
                return received
            twice = [moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0)]  # the later first
            moment = next((later for later in twice if later <= received), received)
        return _believed(moment.astimezone(UTC), received)
    except (ValueError, OverflowError):
        return received


def from_epoch(value: object, received: datetime, *, milliseconds: bool) -> datetime:
    """Seconds or milliseconds since 1970."""
    count = number(value)
    if count is None:
        return received
    try:
        return _believed(_EPOCH + timedelta(seconds=count / 1000 if milliseconds else count), received)
    except OverflowError:
        return received


def _believed(moment: datetime, received: datetime) -> datetime:
    return moment if _EARLIEST <= moment <= received else received
