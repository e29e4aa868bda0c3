"""Quiet spells: from one sign of life to the next, and how each began.

How a spell began is all that can be known while it lasts (nothing happens in it), so it is what the personal limits
are learned by: a silence that began at the front door is another matter than one that began in the bathroom.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.detect.arrays import Bools, Floats, Ints, Texts
from core.metrics import BY_NAME
from core.model import RoomKind

Codes = NDArray[np.int8]

# A motion sensor in the hall that fires while the door falls shut behind somebody is still part of leaving.
DOOR_GRACE_S: Final = 60.0
# The door after so long a silence indoors is somebody who comes home, not somebody who leaves.
CAME_S: Final = 900.0
ROOMS: Final = tuple(RoomKind)  # a room's code is its place here; UNKNOWN = in no room
UNKNOWN: Final = -1
_WET: Final = tuple(ROOMS.index(kind) for kind in (RoomKind.BATHROOM, RoomKind.TOILET))
_BEDROOM: Final = ROOMS.index(RoomKind.BEDROOM)
_OCCUPIED: Final = BY_NAME["occupied"].id


class Began(IntEnum):
    """How a quiet spell began. Kept in profiles: numbers are never used twice."""

    INDOORS = 0
    BEDROOM = 1
    BATHROOM = 2  # or toilet
    RESTING = 3  # somebody is on a bed or seat that can tell
    LEFT = 4  # the exterior door, soon after something indoors
    CAME = 5  # the exterior door, after a long time with nothing indoors
    DOOR_RESTING = (
        6  # the exterior door, while a bed or seat says that somebody is on it: a visitor left, or it is stuck
    )


@dataclass(frozen=True)
class Signs:
    """A home's signs of life, in time order.

    Attributes:
        time: float64 [signs], epoch seconds.
        exterior: bool [signs], whether the exterior door gave it.
        room: int8 [signs], code of the room, UNKNOWN = none.
        resting: bool [signs], whether somebody was on a bed or seat right after it.
    """

    time: Floats
    exterior: Bools
    room: Codes
    resting: Bools

    def __len__(self) -> int:
        return len(self.time)

    def before(self, moment: float) -> "Signs":
        """Those before `moment`, epoch seconds."""
        end = int(np.searchsorted(self.time, moment))
        return Signs(self.time[:end], self.exterior[:end], self.room[:end], self.resting[:end])

    def since(self, moment: float) -> "Signs":
        """Those from `moment` on, epoch seconds."""
        start = int(np.searchsorted(self.time, moment))
        return Signs(self.time[start:], self.exterior[start:], self.room[start:], self.resting[start:])


@dataclass(frozen=True)
class Spells:
    """Quiet spells in time order; the one that still runs is not among them.

    Attributes:
        at: float64 [spells], when each began, epoch seconds.
        length_s: float64 [spells].
        began: int8 [spells], see `Began`.
    """

    at: Floats
    length_s: Floats
    began: Codes

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: "NDArray[np.bool_] | NDArray[np.intp]") -> "Spells":
        return Spells(self.at[rows], self.length_s[rows], self.began[rows])

    def then(self, later: "Spells") -> "Spells":
        """These and later ones."""
        return Spells(
            np.append(self.at, later.at),
            np.append(self.length_s, later.length_s),
            np.append(self.began, later.began),
        )


DOOR: Final = (Began.LEFT, Began.CAME, Began.DOOR_RESTING)


def room_codes(rooms: Texts) -> Codes:
    """int8 [rows]: codes of room kinds; UNKNOWN for "" and for a kind of no room."""
    codes = {str(kind): code for code, kind in enumerate(ROOMS)}
    return np.array([codes.get(room, UNKNOWN) for room in rooms], dtype=np.int8)


def signs_of(time: Floats, device: Ints, metric: Ints, value: Floats, exterior: Bools, room: Codes) -> Signs:
    """Signs of life from readings that are signs of life, in time order.

    Args:
        time, device, metric, value: one row a reading; `device` is a place in the next two.
        exterior, room: one row a device.
    """
    resting = np.zeros(len(time), dtype=np.bool_)
    for place in np.unique(device[metric == _OCCUPIED]):
        mine = np.flatnonzero((device == place) & (metric == _OCCUPIED))
        latest = np.searchsorted(mine, np.arange(len(time)), side="right") - 1
        resting |= (latest >= 0) & (value[mine[np.maximum(latest, 0)]] > 0)
    return Signs(time, exterior[device], room[device], resting)


def how_began(life_at: Floats, door_at: Floats, inside_at: Floats, resting: Bools, room: Codes) -> Codes:
    """int8 [homes]: how the present silences began, see `Began`.

    Args:
        life_at: last sign of life, epoch seconds.
        door_at: last sign of an exterior door; NaN = none.
        inside_at: last sign of anything else; NaN = none.
        resting: whether somebody is on a bed or seat that can tell.
        room: code of the room of the last sign.
    """
    at_door = life_at - door_at <= DOOR_GRACE_S  # NaN compares false
    # NaN compares false: with no sign indoors at all the door is somebody who comes.
    came = ~(door_at - inside_at < CAME_S)
    code = np.select(
        [resting & at_door, resting, at_door & came, at_door, np.isin(room, _WET), room == _BEDROOM],
        [Began.DOOR_RESTING, Began.RESTING, Began.CAME, Began.LEFT, Began.BATHROOM, Began.BEDROOM],
        Began.INDOORS,
    )
    return np.asarray(code, dtype=np.int8)


def beginnings(signs: Signs) -> Codes:
    """int8 [signs]: how the silence after each sign begins."""
    never = -np.inf
    door_at = np.maximum.accumulate(np.where(signs.exterior, signs.time, never))
    inside_at = np.maximum.accumulate(np.where(signs.exterior, never, signs.time))
    blank = np.nan
    return how_began(
        signs.time,
        np.where(np.isinf(door_at), blank, door_at),
        np.where(np.isinf(inside_at), blank, inside_at),
        signs.resting,
        signs.room,
    )


def spells_of(signs: Signs, least_s: float = 0.0) -> Spells:
    """The finished quiet spells that lasted at least `least_s`."""
    length = np.diff(signs.time)
    rows = np.flatnonzero(length >= least_s)
    return Spells(signs.time[rows], length[rows], beginnings(signs)[rows])
