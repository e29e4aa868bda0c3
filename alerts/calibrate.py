"""What a home's own false alarms change: each of the last 30 days makes its limits a tenth longer, by half at most.

Only the limits of the kind that was false, only of kinds that are inferred: an SOS, smoke, gas, a leak or a fall is
never made later by anything. `docs/detectors.md` says the same; the alert's page says it where it has happened.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from alerts.policy import Policy
from core.model import AlertKind

LOOK_BACK: Final = timedelta(days=30)
STEP: Final = 0.1
MOST: Final = 1.5
FIELDS: Final[Mapping[AlertKind, tuple[str, ...]]] = {
    AlertKind.INACTIVITY: ("inactivity_stretch", "inactivity_floor_s"),
    AlertKind.NOT_RISEN: ("not_risen_margin_s",),
    AlertKind.LONG_STAY: ("long_stay_floor_s", "long_stay_s"),
    AlertKind.NOT_RETURNED: ("not_returned_s",),
    AlertKind.LEFT_AT_NIGHT: ("left_at_night_s",),
    AlertKind.DOOR_OPEN: ("door_open_s",),
    AlertKind.NO_DOOR: ("no_door_s",),
    AlertKind.APPLIANCE_ON: ("appliance_s",),
    AlertKind.WATER_LOW: ("water_low_s",),
    AlertKind.WATER_RUNNING: ("water_running_s",),
    AlertKind.COLD: ("climate_s",),
    AlertKind.HEAT: ("climate_s",),
}


def factor(false_alarms: int) -> float:
    """How much longer limits are after so many false alarms."""
    return min(1 + STEP * false_alarms, MOST)


def calibrated(policy: Policy, false_alarms: Mapping[AlertKind, int]) -> Policy:
    """The policy with the limits of those kinds made longer; kinds that are not in FIELDS change nothing."""
    changed: dict[str, Any] = {}
    for kind, count in false_alarms.items():
        for name in FIELDS.get(kind, ()):
            changed[name] = max(changed.get(name, 0.0), getattr(policy, name) * factor(count))
    return msgspec.structs.replace(policy, **changed) if changed else policy
