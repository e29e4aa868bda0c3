"""Sensor stuck: a device that speaks and cannot be right. It is a notice to mend it, never an alarm about a person.

stuck   a motion sensor or radar that has said "somebody" for hours without a change
flat    a meter or thermometer whose value has not moved by a hair for hours
wild    a thermometer that says what no room can be
blind   a motion sensor that checks in and saw nobody for days, while others of the home saw somebody each day
"""

from typing import Final

import numpy as np

from alerts.detect.findings import Findings
from alerts.detect.sensors import Sensors
from core.model import AlertKind, DeviceKind, RoomKind, Severity

ROOM_C: Final = (-15.0, 55.0)
FLAT_TIMES: Final = {DeviceKind.METER: 1.0, DeviceKind.CLIMATE: 6.0}  # x stuck_s
RADAR_TIMES: Final = 4.0  # a bedroom radar sees a sleeper all night: x stuck_s
RECENT_S: Final = 86_400.0


def find(now: float, sensors: Sensors, slack_s: float = 0.0) -> Findings:
    """Sensors that cannot be right. Arguments as in appliance_on.find."""
    kind = sensors.kind
    same = sensors.time - sensors.changed_at
    moves = (kind == DeviceKind.MOTION) | (kind == DeviceKind.RADAR)
    patience = np.where(kind == DeviceKind.RADAR, RADAR_TIMES, 1.0) * sensors.stuck_s
    stuck = moves & (sensors.value > 0) & (same >= patience + slack_s)
    flat = np.zeros(len(kind), dtype=np.bool_)
    for of_kind, times in FLAT_TIMES.items():
        flat |= (kind == of_kind) & (same >= times * sensors.stuck_s + slack_s)
    wild = (kind == DeviceKind.CLIMATE) & ((sensors.value < ROOM_C[0]) | (sensors.value > ROOM_C[1]))
    since = np.fmax(sensors.life_at, sensors.registered_at)
    # the hall sees whoever uses the door, and for days nobody else
    witness = np.where(sensors.room == RoomKind.ENTRY, sensors.door_at, sensors.elsewhere_at)
    lively = now - witness < RECENT_S
    blind = (kind == DeviceKind.MOTION) & (sensors.value == 0) & lively & (now - since >= sensors.mute_s + slack_s)
    rows = np.flatnonzero(sensors.alive & (stuck | flat | wild | blind))
    fault = np.where(wild, "wild", np.where(stuck, "stuck", np.where(flat, "flat", "blind"))).astype(np.object_)
    began = np.where(blind & ~stuck & ~wild, since, np.fmax(sensors.changed_at, sensors.registered_at))[rows]
    return Findings(
        kind=AlertKind.SENSOR_STUCK,
        severity=Severity.NOTICE,
        home_id=sensors.home_id[rows],
        subject_id=sensors.device_id[rows],
        by_subject=True,
        began=began,
        figures={
            "since_at": began,
            "silence_s": now - began,
            "room": sensors.room[rows],
            "device_kind": kind[rows],
            "device_id": sensors.device_id[rows],
            "fault": fault[rows],
            "value": sensors.value[rows],
        },
        coverage={"to_at": sensors.time[rows]},
    )
