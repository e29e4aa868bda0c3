"""Homes, gateways and devices as columns: what does not change while a past is played."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from alerts.detect.arrays import Bools, Floats, Ints, Texts
from alerts.observe.devices import witnesses
from alerts.policy import Policy
from core.model import DeviceKind, RoomKind

SUPPLIES: Final = {DeviceKind.METER: 20, DeviceKind.WATER_METER: 22, DeviceKind.CLIMATE: 30}


@dataclass(frozen=True)
class Register:
    """Rows are in the order of their ids. `..._home`, `..._gateway`: rows, not ids.

    Attributes:
        home_id: int64 [homes]. zones: IANA names. policies: what holds for each home.
        gateway_id, gateway_home: int64 [gateways].
        device_id, device_home, device_gateway: int64 [devices], gateways' own devices too (kind "gateway").
        registered_at: float64 [devices], epoch seconds.
    """

    home_id: Ints
    zones: Sequence[str]
    policies: Sequence[Policy]
    gateway_id: Ints
    gateway_home: Ints
    device_id: Ints
    device_home: Ints
    device_gateway: Ints
    kind: Texts
    room: Texts
    mains: Bools
    exterior: Bools
    registered_at: Floats

    @cached_property
    def watched(self) -> Ints:
        """Rows of the devices that detectors look at: all but the gateways' own."""
        return np.flatnonzero(self.kind != DeviceKind.GATEWAY)

    @cached_property
    def life(self) -> Bools:
        """bool [devices]: whether it can show signs of life."""
        return witnesses(self.kind, self.device_home)

    def in_rooms(self, *rooms: RoomKind) -> Bools:
        """bool [devices]"""
        return np.isin(self.room, rooms)


def register_of(
    home_rows: Sequence[Any], gateway_rows: Sequence[Any], device_rows: Sequence[Any], policies: Sequence[Policy]
) -> Register:
    """From rows with the columns of the register's tables, each ordered by id.

    Args:
        home_rows: id, zone. gateway_rows: id, home_id.
        device_rows: id, home_id, gateway_id, kind, room (a kind, "" = unknown), mains, exterior, registered_at (s).
        policies: one a home.
    """
    home_id = np.array([row["id"] for row in home_rows], dtype=np.int64)
    gateway_id = np.array([row["id"] for row in gateway_rows], dtype=np.int64)

    def column(name: str, kind: Any) -> Any:
        return np.array([row[name] for row in device_rows], dtype=kind)

    return Register(
        home_id=home_id,
        zones=[row["zone"] for row in home_rows],
        policies=list(policies),
        gateway_id=gateway_id,
        gateway_home=np.searchsorted(home_id, [row["home_id"] for row in gateway_rows]),
        device_id=column("id", np.int64),
        device_home=np.searchsorted(home_id, column("home_id", np.int64)),
        device_gateway=np.searchsorted(gateway_id, column("gateway_id", np.int64)),
        kind=column("kind", np.object_),
        room=column("room", np.object_),
        mains=column("mains", np.bool_),
        exterior=column("exterior", np.bool_),
        registered_at=column("registered_at", np.float64),
    )
