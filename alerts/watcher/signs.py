"""From what was seen to what is wrong with the platform. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import msgspec

SILENT_S: Final = 60.0  # of a service whose heart beats each 2 s
URGENT_WAITS_S: Final = 60.0
WAITS_S: Final = 20 * 60.0  # what is not urgent may wait ten minutes for who has had their share


class Trouble(StrEnum):
    """What the operator is told of. A closed list; its words are `watch.trouble.{...}`."""

    DATABASE_AWAY = "database_away"
    INGEST_SILENT = "ingest_silent"
    ALERTS_SILENT = "alerts_silent"
    API_SILENT = "api_silent"
    BROKER_LOST = "broker_lost"
    NOTHING_STORED = "nothing_stored"
    TICK_LATE = "tick_late"
    HOMES_BLIND = "homes_blind"
    CLIMB_BROKEN = "climb_broken"
    DELIVERIES_WAIT = "deliveries_wait"
    CLOCK_JUMPED = "clock_jumped"


MOMENTARY: Final = frozenset({Trouble.CLOCK_JUMPED})  # it has no end to tell of
SERVICES: Final = {"ingest": Trouble.INGEST_SILENT, "alerts": Trouble.ALERTS_SILENT, "api": Trouble.API_SILENT}


class Limits(msgspec.Struct, frozen=True):
    """From when on it is trouble; real seconds."""

    nothing_stored_s: float = 900.0
    clock_jump_s: float = 60.0


@dataclass(frozen=True)
class Seen:
    """What a look saw; spans in real seconds.

    Attributes:
        beats: service -> how long ago its heart last beat.
        details: service -> what it last said of itself.
        stored_s: how long ago anything came from a gateway; None: nothing ever did.
        waits_s, urgent_waits_s: how long the oldest due message has waited; None: none waits.
        up_s: how long the watching service runs; a stack that starts has silent services for a moment.
        jump_s: how far the clock went astray between two looks.
    """

    beats: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stored_s: float | None = None
    waits_s: float | None = None
    urgent_waits_s: float | None = None
    up_s: float = 0.0
    jump_s: float = 0.0


def find(seen: Seen, limits: Limits, me: str) -> set[Trouble]:
    """What is wrong. `me`: the service that looks; it does not judge its own heart."""
    found: set[Trouble] = set()
    if abs(seen.jump_s) > limits.clock_jump_s:
        return {Trouble.CLOCK_JUMPED}  # every span is wrong by it; the next look is sound again
    for service, trouble in SERVICES.items():
        if service == me:
            continue
        age = seen.beats.get(service)
        if (age is None and seen.up_s > SILENT_S and service != "api") or (age is not None and age > SILENT_S):
            found.add(trouble)
    if Trouble.INGEST_SILENT not in found and seen.details.get("ingest", {}).get("broker") == "lost":
        found.add(Trouble.BROKER_LOST)
    if Trouble.ALERTS_SILENT not in found and seen.details.get("alerts", {}).get("stalled"):
        found.add(Trouble.TICK_LATE)
    if Trouble.ALERTS_SILENT not in found and seen.details.get("alerts", {}).get("blind"):
        found.add(Trouble.HOMES_BLIND)
    if Trouble.ALERTS_SILENT not in found and seen.details.get("alerts", {}).get("broken"):
        found.add(Trouble.CLIMB_BROKEN)
    if seen.stored_s is not None and seen.stored_s > limits.nothing_stored_s and not found:
        found.add(Trouble.NOTHING_STORED)  # without another reason for it
    if (seen.urgent_waits_s or 0.0) > URGENT_WAITS_S or (seen.waits_s or 0.0) > WAITS_S:
        found.add(Trouble.DELIVERIES_WAIT)
    return found
