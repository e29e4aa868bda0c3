"""`status.json` in the gateway's folder: how the gateway is, for `yiju gateway status`, which only reads.

The outbox belongs to the running gateway alone, so what others may know of it is written here, every ten seconds.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from core.wire import Configured
from gateway.folder import read_struct, write_whole

NAME: Final = "status.json"


class DeviceStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device that is registered or was heard.

    Attributes:
        silent: 0 heard, 1 silent for too long, 2 its hub is down.
        values: metric -> last value.
    """

    address: str
    kind: str = ""
    registered: bool = False
    silent: int = 0
    heard_at: datetime | None = None
    values: dict[str, float] = {}


class GatewayStatus(msgspec.Struct, frozen=True):
    """Everything that `yiju gateway status` shows.

    Attributes:
        at: when this was written.
        running: whether the gateway runs that wrote it; only the reader of the file can tell.
        outbox_batches, outbox_readings: what the platform does not have yet.
        outbox_since: when the oldest of it was received.
        hubs_down: the hubs that are away.
        samples: how many kinds of messages were not understood.
    """

    gateway: str
    at: datetime
    running: bool
    connected: bool
    last_contact: datetime | None
    home_broker_connected: bool
    outbox_batches: int
    outbox_readings: int
    outbox_since: datetime | None
    configured: Configured | None
    hubs_down: list[str]
    samples: int
    devices: list[DeviceStatus]


def write_status(folder: Path, status: GatewayStatus) -> None:
    """Raises OSError when the disk is full."""
    write_whole(folder / NAME, msgspec.json.encode(status), durable=False)


def read_status(folder: Path) -> GatewayStatus | None:
    """What was last written there; None when nothing was."""
    return read_struct(folder / NAME, GatewayStatus)
