"""What goes wrong in the homes of an alert drill, and what must come of it: the truth, made before it happens.

In most homes one thing happens. A tenth of them has a motion sensor and falls silent: some have said that they are
away, some lose their gateway, in some a fitter is at work. Those silences are muted, and what is muted must stand on
record; one of them is home again later, and then it must be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID

from core.wire import to_ms
from yiju.drills.homes import Happening, Plan
from yiju.drills.stage import DEVICES, MOTION, is_quiet

SHARE: Final = 0.6  # of the other homes something happens in
OFFLINE: Final = 0.15  # of these happenings, a gateway that goes away
UNPLUGGED_S: Final = 15.0  # of platform time after the last sign of life
OFFLINE_KIND: Final = "gateway_offline"
SILENT_KIND: Final = "inactivity"


class Case(StrEnum):
    """A silence, and what mutes it."""

    TOLD = "told"  # nothing
    AWAY = "away"  # an absence; in the same home it burns later, and that is never muted
    RETURNED = "returned"  # an absence that ends while she is still silent
    UNPLUGGED = "unplugged"  # the gateway goes away after the last sign of life
    FITTER = "fitter"  # work on the equipment, and the gateway goes away


@dataclass(frozen=True)
class Silence:
    """A home that falls silent.

    Attributes:
        muted: the kind of finding that must stand on record as muted; "" = none.
        cause: how its cause begins.
        at: from when on the home is silent, platform time.
    """

    gateway: str
    case: Case
    muted: str
    cause: str
    at: datetime


@dataclass(frozen=True)
class Trouble:
    """The plan that the homes live by, and those that fall silent."""

    plan: Plan
    silences: Sequence[Silence]

    @property
    def incidents(self) -> Sequence[Happening]:
        """What must lead to an alert."""
        return [one for one in self.plan.happenings if one.kind]


MUTED: Final = {
    Case.TOLD: ("", ""),
    Case.AWAY: (SILENT_KIND, "absence:"),
    Case.RETURNED: (SILENT_KIND, "absence:"),
    Case.UNPLUGGED: (SILENT_KIND, "v1:gateway_offline"),
    Case.FITTER: (OFFLINE_KIND, "maintenance:"),
}


def make_trouble(gateways: Sequence[str], first: datetime, minutes: float, random: Random) -> Trouble:
    """Args: first: when trouble begins, platform time; minutes: of platform time that it lasts."""
    quiet = [key for key in gateways if is_quiet(key)]
    others = [key for key in gateways if not is_quiet(key)]
    happenings: list[Happening] = []

    def happens(gateway: str, at: datetime, kind: str, device: str, metric: str, value: float = 1.0) -> None:
        session = UUID(int=random.getrandbits(128), version=4)
        happenings.append(Happening(gateway, to_ms(at), kind, device, metric, session, value))

    struck = random.sample(others, max(1, round(len(gateways) * SHARE)))
    for place, gateway in enumerate(struck):
        at = first + timedelta(minutes=minutes * random.random())
        if place < OFFLINE * len(struck):
            happens(gateway, at, OFFLINE_KIND, "", "")
            continue
        kind = random.choice(sorted(DEVICES))
        happens(gateway, at, kind, kind, kind, 2.0 if kind == "fall" else 1.0)
    silences = []
    for place, gateway in enumerate(quiet):
        case = list(Case)[place % len(Case)]
        at = first + timedelta(minutes=minutes * random.uniform(0.1, 0.35))
        told = case in (Case.TOLD, Case.RETURNED)
        happens(gateway, at, SILENT_KIND if told else "", MOTION, "motion")
        if case is Case.AWAY:
            happens(gateway, at + timedelta(minutes=minutes * 0.3), "smoke", "smoke", "smoke")
        if case in (Case.UNPLUGGED, Case.FITTER):
            kind = OFFLINE_KIND if case is Case.UNPLUGGED else ""
            happens(gateway, at + timedelta(seconds=UNPLUGGED_S), kind, "", "")
        silences.append(Silence(gateway, case, *MUTED[case], at))
    return Trouble(Plan(list(gateways), sorted(happenings, key=lambda one: one.at_ms)), silences)
