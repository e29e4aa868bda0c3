"""Which sensors a silence was not judged by, since when, and how the others were judged instead: for explanations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from alerts.detect import device_silent
from alerts.detect.arrays import Bools, Devices
from alerts.observe.homes import RELEARNED_S, standing
from alerts.policy import Policy
from core.model import DeviceKind

MOVES: Final = (DeviceKind.MOTION, DeviceKind.RADAR)
RESTS: Final = (DeviceKind.BED, DeviceKind.SEAT)


class Trouble(StrEnum):
    """Why a sensor is not believed."""

    SILENT = "silent"  # it is not heard
    STANDS = "stands"  # it says "somebody" without end
    BLIND = "blind"  # it checks in and sees nobody, though the others do


@dataclass(frozen=True)
class Doubt:
    """A sensor that is not believed.

    Attributes:
        device_id, kind: of the sensor. name: its address at its gateway. room: the kind of its room, "" = unknown.
        since: epoch seconds: last heard, first said "somebody", or last saw somebody.
    """

    device_id: int
    name: str
    kind: DeviceKind
    room: str
    trouble: Trouble
    since: float


def of_movers(
    moment: float, devices: Devices, names: Mapping[int, str], policy: Policy, routine: Mapping[str, Any]
) -> list[Doubt]:
    """Those that double the limit of a silence indoors: motion sensors that are silent, stand or are blind.

    Args:
        moment: epoch seconds. names: device id -> address.
        routine: the part of the profile that detect/witnesses.py writes to; empty = nothing learned.
    """
    known = {one["device"]: one["since"] for one in routine.get("blind", ())}
    # The profile says of how many the home was not yet learned without them: the latest.
    blind = dict(sorted(known.items(), key=lambda one: -one[1])[: int(routine.get("blinded") or 0)])
    stuck, silent = standing(devices), _silent(moment, devices)
    found = []
    for row in np.flatnonzero(np.isin(devices.kind, MOVES)).tolist():
        device, last_at = int(devices.device_id[row]), float(devices.last_at[row])
        stands_s = np.nan if devices.somebody_s is None else float(devices.somebody_s[row])
        if silent[row]:
            if moment - last_at < RELEARNED_S:  # NaN compares false
                found.append(_doubt(devices, row, names, Trouble.SILENT, last_at))
        elif stuck[row] or stands_s >= policy.inactivity_floor_s:
            found.append(_doubt(devices, row, names, Trouble.STANDS, last_at - stands_s))
        elif device in blind:
            found.append(_doubt(devices, row, names, Trouble.BLIND, blind[device]))
    return found


def of_doors(moment: float, devices: Devices, names: Mapping[int, str]) -> list[Doubt]:
    """Contacts of exterior doors that are not heard."""
    exterior = np.zeros(len(devices.kind), dtype=np.bool_) if devices.exterior is None else devices.exterior
    return _unheard(moment, devices, exterior & (devices.kind == DeviceKind.CONTACT), names)


def of_beds(moment: float, devices: Devices, names: Mapping[int, str]) -> list[Doubt]:
    """Bed mats and seats that are not heard."""
    return _unheard(moment, devices, np.isin(devices.kind, RESTS), names)


def holes_of(heard: Iterable[float], since: float, moment: float, quarter_s: float) -> Sequence[tuple[float, float]]:
    """(from, until) of each time in which nothing was received, epoch seconds.

    Args:
        heard: starts of the quarters in which something was. since, moment: only the whole quarters between count.
    """
    found: list[tuple[float, float]] = []
    known = {round(quarter // quarter_s) for quarter in heard}
    for quarter in range(int(since // quarter_s) + 1, int(moment // quarter_s)):
        if quarter in known:
            continue
        start = quarter * quarter_s
        if found and found[-1][1] == start:
            found[-1] = found[-1][0], start + quarter_s
        else:
            found.append((start, start + quarter_s))
    return found


def _unheard(moment: float, devices: Devices, which: Bools, names: Mapping[int, str]) -> list[Doubt]:
    rows = np.flatnonzero(which & _silent(moment, devices)).tolist()
    return [_doubt(devices, row, names, Trouble.SILENT, float(devices.last_at[row])) for row in rows]


def _silent(moment: float, devices: Devices) -> Bools:
    return np.asarray((moment > device_silent.heard_until(devices)) | device_silent.gone(devices), dtype=np.bool_)


def _doubt(devices: Devices, row: int, names: Mapping[int, str], trouble: Trouble, since: float) -> Doubt:
    device = int(devices.device_id[row])
    kind, room = DeviceKind(devices.kind[row]), str(devices.room[row])
    return Doubt(device, names.get(device, str(device)), kind, room, trouble, since)
