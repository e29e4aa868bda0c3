"""Which alert answers which happening of a simulated season, and which alerts it explains besides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alerts.policy import DEFAULTS
from core.model import AlertKind
from simulator.season.mishaps import Happening, Mishap

GRACE_S: Final = 3600.0  # an alert that comes so long after the end is no false one; but nothing was found by it
SWEEP_S: Final = 300.0  # between two looks of hindsight; production looks every few seconds
SKEW_S: Final = 420.0  # a gateway's clock may be so wrong
DEVICES_A_HOME: Final = 100  # device ids of home N begin at N x this
TREND_S: Final = 15 * 86_400.0  # drift looks at the last 14 days, once a night
OUTAGE_S: Final = DEFAULTS.gateway_offline_s  # a shorter one is no outage by the rule itself
_DOWN: Final = frozenset(
    {AlertKind.INACTIVITY, AlertKind.NOT_RISEN, AlertKind.LONG_STAY, AlertKind.WATER_LOW, AlertKind.NO_DOOR}
)
_AWAY: Final = frozenset({AlertKind.NOT_RETURNED, AlertKind.WATER_LOW, AlertKind.NO_DOOR})
_GONE: Final = frozenset({AlertKind.GATEWAY_OFFLINE, AlertKind.CANNOT_WATCH, AlertKind.DEVICE_SILENT})
# Faults in which nothing that sensors say reaches the platform in time; an outage of the network keeps what a device
# says by itself.
UNSEEING: Final = frozenset({"power_outage", "radio_hangs", "network_outage"})
# ... and what the platform then says of the home: that nobody should rely on its silence.
SAYS_UNSEEN: Final = frozenset({AlertKind.CANNOT_WATCH, AlertKind.GATEWAY_OFFLINE, AlertKind.HUB_DOWN})
OF_ONE_DEVICE: Final = frozenset({AlertKind.DEVICE_SILENT, AlertKind.SENSOR_STUCK})
# What a device says by itself, in a reading that is never lost.
SAID: Final = frozenset({Mishap.SOS, Mishap.FALL, Mishap.SMOKE, Mishap.GAS, Mishap.LEAK, Mishap.TAMPER})
# ... and says again and again while it lasts: whoever hears it late hears it all the same.
REPEATED: Final = frozenset({Mishap.SMOKE, Mishap.GAS, Mishap.FALL})


@dataclass(frozen=True)
class Meaning:
    """What a happening means for detection.

    Attributes:
        kind: under which alert kind it is scored; None = it is no incident, and any alarm about it is false.
        answers: kinds of alert that count as having found it.
        explains: kinds of alert that are not false while it lasts.
        trend: whether it is long enough to show in the trend of the weeks that follow.
    """

    kind: AlertKind | None
    answers: frozenset[AlertKind] = frozenset()
    explains: frozenset[AlertKind] = frozenset()
    trend: bool = False


def _one(kind: AlertKind, *explains: AlertKind) -> Meaning:
    return Meaning(kind, frozenset({kind}), frozenset({kind, *explains}))


MEANINGS: Final[dict[str, Meaning]] = {
    Mishap.SOS: _one(AlertKind.SOS),
    Mishap.FALL: _one(AlertKind.FALL, *_DOWN),
    Mishap.SMOKE: _one(AlertKind.SMOKE),
    Mishap.GAS: _one(AlertKind.GAS),
    Mishap.LEAK: _one(AlertKind.LEAK),
    Mishap.TAMPER: _one(AlertKind.TAMPER),
    Mishap.COLLAPSE: Meaning(
        AlertKind.INACTIVITY, frozenset({AlertKind.INACTIVITY, AlertKind.NOT_RISEN, AlertKind.LONG_STAY}), _DOWN
    ),
    Mishap.STROKE_AT_NIGHT: Meaning(AlertKind.NOT_RISEN, frozenset({AlertKind.NOT_RISEN, AlertKind.INACTIVITY}), _DOWN),
    Mishap.STUCK_IN_BATHROOM: Meaning(AlertKind.LONG_STAY, frozenset({AlertKind.LONG_STAY}), _DOWN),
    Mishap.NOT_COMING_BACK: Meaning(
        AlertKind.NOT_RETURNED,
        frozenset({AlertKind.NOT_RETURNED, AlertKind.INACTIVITY}),
        _AWAY | {AlertKind.INACTIVITY},
    ),
    Mishap.WANDER: Meaning(
        AlertKind.LEFT_AT_NIGHT, frozenset({AlertKind.LEFT_AT_NIGHT}), frozenset({AlertKind.LEFT_AT_NIGHT})
    ),
    Mishap.DOOR_LEFT_OPEN: _one(AlertKind.DOOR_OPEN),
    Mishap.SHUT_IN: Meaning(
        AlertKind.NO_DOOR, frozenset({AlertKind.NO_DOOR}), frozenset({AlertKind.NO_DOOR, AlertKind.DRIFT}), trend=True
    ),
    Mishap.STOVE: _one(AlertKind.APPLIANCE_ON, AlertKind.INACTIVITY),
    Mishap.NO_WATER: _one(AlertKind.WATER_LOW),
    Mishap.PIPE: _one(AlertKind.WATER_RUNNING),
    Mishap.TAP: _one(AlertKind.WATER_RUNNING),
    Mishap.FREEZING: _one(AlertKind.COLD),
    Mishap.SWELTERING: _one(AlertKind.HEAT),
    Mishap.DECLINE: _one(AlertKind.DRIFT),
    Mishap.FALL_AND_UP: Meaning(None),
    Mishap.RADAR_BLINK: Meaning(None),
    Mishap.NIGHT_AWAY: Meaning(None),
    "dead_battery": _one(AlertKind.DEVICE_SILENT),
    "network_outage": _one(AlertKind.GATEWAY_OFFLINE, *_GONE),
    "power_outage": _one(AlertKind.GATEWAY_OFFLINE, *_GONE),
    "stuck": _one(AlertKind.SENSOR_STUCK),
    "blind": _one(AlertKind.SENSOR_STUCK),
    "flat_meter": _one(AlertKind.SENSOR_STUCK),
    "radio_hangs": _one(AlertKind.CANNOT_WATCH, *_GONE),
}


def is_incident(happening: Happening) -> bool:
    """Whether somebody should hear of it at all."""
    if happening.what == "network_outage" and happening.end - happening.start < OUTAGE_S:
        return False
    return MEANINGS[happening.what].kind is not None


def unseen(happening: Happening, truth: Sequence[Happening]) -> bool:
    """Whether no sensor could report it: what they said did not reach the platform, from its beginning to its end.

    Of what a device says only at the moment in which it begins, that moment counts: so it does of a fall that a radar
    without power did not see.
    """
    said = happening.what in SAID

    def until(fault: Happening) -> float:
        again = happening.what in REPEATED and not (happening.what == Mishap.FALL and fault.what == "power_outage")
        return happening.start if said and not again else happening.end

    def hides(fault: Happening) -> bool:
        if fault.what == "dead_battery":
            return fault.device is not None and fault.device == happening.device
        if fault.what == "flat_meter":
            return happening.what == Mishap.STOVE  # nothing but the meter could say it
        return fault.what in UNSEEING and not (said and fault.what == "network_outage")

    faults = (one for one in truth if one != happening and hides(one))  # no fault hides itself: that is to be found
    return any(one.start <= happening.start and until(one) <= one.end for one in faults)


def concerns(kind: AlertKind, subject_id: int, happening: Happening) -> bool:
    """Whether an alert of this kind, about this subject, speaks of the device to which that happened, if of one."""
    return kind not in OF_ONE_DEVICE or happening.device in (None, subject_id % DEVICES_A_HOME)


def says_unseen(kind: AlertKind, subject_id: int, happening: Happening) -> bool:
    """Whether an alert of this kind says that nobody should rely on the home, or on the device that should report."""
    if kind is AlertKind.DEVICE_SILENT:
        return subject_id % DEVICES_A_HOME == happening.device
    return kind in SAYS_UNSEEN


def about(began: float, opened: float, happening: Happening) -> bool:
    """Whether an alert with these moments is about it: raised while it lasted, or within GRACE_S of its end.

    What a device said by itself is about its own moment, however late an outage of the network lets it come.
    """
    lingers = TREND_S if MEANINGS[happening.what].trend else 0.0
    while_it_lasted = happening.start - 1 <= opened <= happening.end + GRACE_S + lingers
    of_its_time = happening.start - SKEW_S <= began <= happening.end + SKEW_S
    return while_it_lasted or (happening.what in SAID and opened > happening.end and of_its_time)


def finds(began: float, opened: float, happening: Happening) -> bool:
    """Whether an alert with these moments found it: raised while it lasted.

    What a device says by itself may have been under way when it ended (an outage of the network keeps it): then an
    alert about the right moment has found it too, with its delay.
    """
    if happening.start - 1 <= opened <= happening.end + SWEEP_S:
        return True
    return happening.what in SAID and about(began, opened, happening)


def explained(kind: AlertKind, subject_id: int, began: float, opened: float, happenings: Sequence[Happening]) -> bool:
    """Whether an alert of this kind, about this subject, is about something that really happened in its home."""
    return any(
        kind in MEANINGS[one.what].explains and concerns(kind, subject_id, one) and about(began, opened, one)
        for one in happenings
    )
