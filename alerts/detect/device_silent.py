"""Device silent: a device that should have been heard by now, or was declared offline.

Mains devices speak within minutes, battery ones within about a day; the policy says how long. The time in which
its gateway was away does not count: after an outage a device gets its whole limit to speak again. Devices whose hub is
down are hub_down's.
"""

import numpy as np

from alerts.detect.arrays import Bools, Devices, Floats
from alerts.detect.findings import Findings
from core.model import AlertKind, Severity


def find(now: float, devices: Devices, slack_s: float = 0.0) -> Findings:
    """Devices that are silent for too long. A device whose gateway was never heard is not installed yet.

    Args:
        now: epoch seconds.
        slack_s: how long a reading may be under way; added to every limit.
    """
    installed = ~np.isnan(devices.gateway_heard_at)
    silent = now > heard_until(devices) + slack_s
    rows = np.flatnonzero(installed & (silent | gone(devices)) & ~behind_hub(devices))
    began = np.where(np.isnan(devices.last_at), devices.registered_at, devices.last_at)[rows]
    return Findings(
        kind=AlertKind.DEVICE_SILENT,
        severity=Severity.NOTICE,
        home_id=devices.home_id[rows],
        subject_id=devices.device_id[rows],
        by_subject=True,
        began=began,
        figures={
            "heard_at": began,
            "silence_s": now - began,
            "limit_s": devices.limit_s[rows],
            "room": devices.room[rows],
            "device_kind": devices.kind[rows],
            "device_id": devices.device_id[rows],
        },
    )


def heard_until(devices: Devices) -> Floats:
    """float64 [devices]: until when the device counts as alive, epoch seconds."""
    since = np.fmax(np.fmax(devices.last_at, devices.registered_at), devices.online_since)
    until = since + devices.limit_s
    return np.asarray(np.where(gone(devices), np.fmin(until, devices.gone_at), until), dtype=np.float64)


def behind_hub(devices: Devices) -> Bools:
    """bool [devices]: whether it cannot be heard because its hub is down."""
    if devices.with_hub is None:
        return np.zeros(len(devices.device_id), dtype=np.bool_)
    return devices.with_hub & gone(devices)


def gone(devices: Devices) -> Bools:
    """bool [devices]: whether it was declared offline and not heard since."""
    heard = np.where(np.isnan(devices.last_at), -np.inf, devices.last_at)
    return np.asarray(devices.gone_at >= heard, dtype=np.bool_)
