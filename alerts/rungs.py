"""What a ladder is made of, and the ladders that hold where nobody has set one. docs/alerts.md draws them."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

import msgspec

from core.model import AlertKind, Severity


class Audience(StrEnum):
    """Who is told on a rung."""

    ELDER = "elder"  # asked through the gateway: "are you all right?"
    CONTACT = "contact"  # family, one after the other in the order of the consents
    FAMILY = "family"  # all of them at once
    ON_SHIFT = "on_shift"  # the worker on shift; without shifts the workers of the nearest region
    SECOND = "second"  # who is second on shift, and the other workers there
    VOLUNTEER = "volunteer"
    CENTRE = "centre"  # the street's desk
    MANAGER = "manager"
    PLATFORM = "platform"  # the platform's own channels
    EMERGENCY = "emergency"  # everyone so far hears that 120 must be called


Wait = Annotated[float, msgspec.Meta(ge=0, le=7 * 86_400)]


class Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the ladder.

    Attributes:
        tell: who is told, all at once. The rung is empty, and skipped, when none of them can be.
        wait_s: how long an answer is waited for, seconds; 0 = the next rung is told at once too; None = the home's
            `rung_urgent_s` or `rung_s`.
        channels: only channels of these kinds (`mailto`, `wecombot` ...); none = all of a person's.
        repeat: how often it is told, each time with its wait, before the next rung.
    """

    tell: Annotated[tuple[Audience, ...], msgspec.Meta(min_length=1)]
    wait_s: Wait | None = None
    channels: tuple[str, ...] = ()
    repeat: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1


Ladder = Annotated[tuple[Rung, ...], msgspec.Meta(min_length=1, max_length=20)]
Ladders = dict[str, Ladder]  # by alert kind, or by severity

ASK_S: Final = 60.0  # for the elder's answer
CONTACT_S: Final = 10 * 60.0
LAST_S: Final = 10 * 60.0  # after the last rung of an urgent ladder: then it begins anew
LAST_CALM_S: Final = 4 * 3600.0

_CALM: Final = (
    Rung((Audience.CONTACT,), CONTACT_S),
    Rung((Audience.ON_SHIFT, Audience.PLATFORM)),
    Rung((Audience.SECOND, Audience.VOLUNTEER)),
    Rung((Audience.CENTRE, Audience.MANAGER), LAST_CALM_S),
)
_UPWARDS: Final = (
    Rung((Audience.SECOND, Audience.VOLUNTEER)),
    Rung((Audience.CENTRE, Audience.MANAGER)),
)
_URGENT: Final = (
    Rung((Audience.FAMILY, Audience.ON_SHIFT, Audience.PLATFORM)),
    *_UPWARDS,
    Rung((Audience.EMERGENCY,), LAST_S),
)
DEFAULT_LADDERS: Final[Mapping[str, Sequence[Rung]]] = MappingProxyType(
    {
        # Somebody pressed, or the house burns: nobody is asked first.
        **dict.fromkeys((AlertKind.SOS.value, AlertKind.SMOKE.value, AlertKind.GAS.value), _URGENT),
        # She may be on the floor and able to press a button: asked, while the others are told.
        AlertKind.FALL.value: (Rung((Audience.ELDER,), 0), *_URGENT),
        # A silence of hours can bear a minute more, and most end with her answer.
        Severity.URGENT.value: (Rung((Audience.ELDER,), ASK_S), *_URGENT),
        AlertKind.REGIONAL_OUTAGE.value: (
            Rung((Audience.ON_SHIFT, Audience.CENTRE, Audience.MANAGER, Audience.PLATFORM), LAST_CALM_S),
        ),
        # Nobody is home to be asked, or it is no question of how she is.
        **dict.fromkeys((AlertKind.NOT_RETURNED.value, AlertKind.LEAK.value), _CALM),
        Severity.NORMAL.value: (Rung((Audience.ELDER,), ASK_S), *_CALM),
        Severity.NOTICE.value: (Rung((Audience.ON_SHIFT, Audience.PLATFORM), LAST_CALM_S),),
    }
)
NAMES: Final = (*(kind.value for kind in AlertKind), *(severity.value for severity in Severity))


def ladder_of(own: Mapping[str, Sequence[Rung]], kind: str, severity: str) -> tuple[str, Sequence[Rung]]:
    """Which ladder an alert climbs: what was set for its kind, then for its severity; else the default in that order.

    Returns its name (a kind or a severity) and its rungs.
    """
    for ladders in (own, DEFAULT_LADDERS):
        for name in (kind, severity):
            if name in ladders:
                return name, ladders[name]
    raise KeyError(f"{severity!r} is no severity: every severity has a default ladder")
