"""The nouns that more than one package uses. Frozen; times are aware and in UTC."""

from datetime import datetime
from enum import IntFlag, StrEnum
from typing import Final

import msgspec


class Flag(IntFlag):
    """What the gateway knows about a reading beyond its value (`reading.flags`, int2)."""

    NONE = 0
    CHANGED = 1  # differs from the device's last value of this metric
    RESTAMPED = 2  # its time was set afterwards: the clock was wrong, or its message had waited without a time
    UNSURE = 4  # the gateway had not heard the true time since it started: the time may be wrong


class Lane(StrEnum):
    """The two lanes of the outbox and of the uplink. Urgent overtakes any backlog of bulk."""

    URGENT = "urgent"
    BULK = "bulk"


class Reading(msgspec.Struct, frozen=True):
    """One measured value.

    Attributes:
        device: the device's address within its gateway: `{driver}/{name}`, e.g. `zigbee2mqtt/FrontDoor`.
        metric: a name of core/metrics.py.
        time: when the sensor measured.
        value: in the metric's unit.
        received: when the gateway received it.
        flags: see `Flag`.
    """

    device: str
    metric: str
    time: datetime
    value: float
    received: datetime
    flags: Flag = Flag.NONE


class RegionLevel(StrEnum):
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"


class RoomKind(StrEnum):
    ENTRY = "entry"
    BEDROOM = "bedroom"
    LIVING = "living"
    KITCHEN = "kitchen"
    BATHROOM = "bathroom"
    TOILET = "toilet"
    WORK = "work"
    OTHER = "other"


class DeviceKind(StrEnum):
    CONTACT = "contact"
    MOTION = "motion"
    BED = "bed"
    SEAT = "seat"
    RADAR = "radar"  # fall radar, also presence
    SOS = "sos"
    SMOKE = "smoke"
    GAS = "gas"
    LEAK = "leak"
    PLUG = "plug"
    METER = "meter"
    WATER_METER = "water_meter"
    CLIMATE = "climate"
    GATEWAY = "gateway"  # the gateway about itself; its address is "gateway"


# Kinds whose main metric shows life. A plug is no witness of a person; a mains meter is one where there is no other.
LIFE_KINDS: Final = frozenset(
    {DeviceKind.CONTACT, DeviceKind.MOTION, DeviceKind.BED, DeviceKind.SEAT, DeviceKind.RADAR}
)


class Role(StrEnum):
    """What a person is to the platform. Worker, manager, admin and centre hold it for a region and all below it."""

    WORKER = "worker"
    MANAGER = "manager"
    ADMIN = "admin"
    CENTRE = "centre"  # a street's desk, always manned
    VOLUNTEER = "volunteer"  # no staff: sees a home while called to it
    FAMILY = "family"  # held by consent, for one home


class AlertKind(StrEnum):
    SOS = "sos"
    FALL = "fall"
    SMOKE = "smoke"
    GAS = "gas"
    LEAK = "leak"
    TAMPER = "tamper"
    INACTIVITY = "inactivity"
    NOT_RISEN = "not_risen"
    LONG_STAY = "long_stay"  # in the bathroom or toilet
    NOT_RETURNED = "not_returned"
    LEFT_AT_NIGHT = "left_at_night"
    DOOR_OPEN = "door_open"  # the exterior one, left open
    NO_DOOR = "no_door"  # nobody in or out for days
    APPLIANCE_ON = "appliance_on"
    WATER_LOW = "water_low"
    WATER_RUNNING = "water_running"
    COLD = "cold"
    HEAT = "heat"
    DRIFT = "drift"  # slowly, over weeks
    SENSOR_STUCK = "sensor_stuck"  # speaks, but says what cannot be
    DEVICE_SILENT = "device_silent"
    HUB_DOWN = "hub_down"
    GATEWAY_OFFLINE = "gateway_offline"
    CANNOT_WATCH = "cannot_watch"
    REGIONAL_OUTAGE = "regional_outage"  # about a region: many gateways gone at once


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ON_SITE = "on_site"
    RESOLVED = "resolved"


class Outcome(StrEnum):
    """How an alert ended. `ENDED_ITSELF` is the platform's own; the others are a person's word."""

    HELPED = "helped"
    FALSE_ALARM = "false_alarm"
    SENSOR_FAULT = "sensor_fault"
    TEST = "test"
    ENDED_ITSELF = "ended_itself"


class Source(StrEnum):
    """From where something was done to an alert."""

    PLATFORM = "platform"
    PAGE = "page"
    API = "api"
    LINK = "link"  # in a message
    SMS = "sms"
    GATEWAY = "gateway"  # by somebody in the home


class AbsenceKind(StrEnum):
    """Why a home's days are not as usual."""

    AWAY = "away"
    HOSPITAL = "hospital"
    VISITOR = "visitor"


class Found(StrEnum):
    """How a carer who came found the resident."""

    WELL = "well"
    NEEDS_ATTENTION = "needs_attention"
    NOT_MET = "not_met"


class FalseReason(StrEnum):
    """Why an alarm was false, as whoever looked says it."""

    VISITOR = "visitor"
    AWAY = "away"
    SENSOR = "sensor"
    PET = "pet"
    OTHER = "other"


class Severity(StrEnum):
    URGENT = "urgent"  # somebody may be in danger now
    NORMAL = "normal"  # somebody should look today
    NOTICE = "notice"  # the platform sees less than it should
