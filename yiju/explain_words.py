"""The words in which `yiju detect explain` says moments, spans, rooms, sensors and how a silence began."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.detect.spells import Began
from alerts.doubts import Doubt, Trouble
from core.model import DeviceKind
from core.words import load_words

_BEGAN: Final = {
    Began.INDOORS: "indoors",
    Began.BEDROOM: "in the bedroom",
    Began.BATHROOM: "in the bathroom or toilet",
    Began.RESTING: "on a bed or seat",
    Began.LEFT: "at the door, leaving",
    Began.CAME: "at the door, coming home",
    Began.DOOR_RESTING: "at the door, with somebody on a bed or seat",
}
_KINDS: Final = {
    DeviceKind.MOTION: "motion sensor",
    DeviceKind.RADAR: "radar",
    DeviceKind.CONTACT: "door contact",
    DeviceKind.BED: "bed mat",
    DeviceKind.SEAT: "seat mat",
}


def began_words(began: Began | None) -> str:
    """How a silence began, in words; "-" where there was no sign of life."""
    return "-" if began is None else _BEGAN[began]


def doubt_words(doubt: Doubt, zone: str) -> str:
    """Which sensor is not believed, why, and since when."""
    sensor = f"the {_KINDS.get(doubt.kind, doubt.kind.value)} {doubt.name} {room_words(doubt.room)}"
    since = moment_words(doubt.since, zone)
    if doubt.trouble is Trouble.SILENT:
        return f"{sensor} was never heard" if np.isnan(doubt.since) else f"{sensor} was last heard {since}"
    if doubt.trouble is Trouble.BLIND:
        return f"{sensor} seems blind since {since}"
    return f'{sensor} says "somebody" without end since {since}'


def room_words(room: str) -> str:
    """In which room, by its kind; "" = unknown."""
    words = load_words()["en"]
    return f"in the {words(f'room.{room}').lower()}" if f"room.{room}" in words else "in no room"


def moment_words(moment: float, zone: str) -> str:
    """An epoch second on the home's clock; NaN = not known, inf = never."""
    if not np.isfinite(moment):
        return "never" if np.isinf(moment) else "not known"
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def span_words(seconds: float) -> str:
    """Hours and minutes."""
    if not np.isfinite(seconds):
        return "for ever" if np.isinf(seconds) else "not known"
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
