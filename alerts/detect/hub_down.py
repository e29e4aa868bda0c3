"""Hub down: what a home's devices speak through (a Zigbee coordinator, the home's broker) is away, says the gateway.

One incident for the home, whatever the number of devices behind it. What cannot be seen meanwhile is judged by
cannot_watch, to which these devices are gone.
"""

import numpy as np

from alerts.detect.arrays import Devices
from alerts.detect.device_silent import behind_hub
from alerts.detect.findings import Findings
from core.model import AlertKind, Severity


def find(now: float, devices: Devices) -> Findings:
    """Homes with a hub that is down.

    Args:
        now: epoch seconds.
    """
    rows = np.flatnonzero(behind_hub(devices))
    home_id, place, count = np.unique(devices.home_id[rows], return_inverse=True, return_counts=True)
    began = np.full(len(home_id), np.inf)
    np.minimum.at(began, place, devices.gone_at[rows])
    return Findings(
        kind=AlertKind.HUB_DOWN,
        severity=Severity.NOTICE,
        home_id=home_id,
        subject_id=np.full(len(home_id), -1, dtype=np.int64),
        by_subject=False,
        began=began,
        figures={"seen_at": began, "silence_s": now - began, "sensors": count.astype(np.int64)},
    )
