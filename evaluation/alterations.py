"""Recorded homes made different, in the ways in which other people's homes differ.

Each alteration makes one or more homes of one; none where it means nothing there (a home with no motion sensor has
none that is blind). What is random comes from the generator that is passed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from evaluation import calendars, devices, kits
from evaluation.recorded import Source

Change = Callable[[Source, np.random.Generator], Sequence[Source]]


@dataclass(frozen=True)
class Alteration:
    """One way in which a home may be different.

    Attributes:
        name: as `--json` calls it.
        what: the same in a sentence.
        change: makes the other homes.
        alarming: something in it should alarm, so its alarms are no measure: it stays out of the figures of all.
    """

    name: str
    what: str
    change: Change
    alarming: bool = False


AS_RECORDED: Final = Alteration("as_recorded", "nothing is changed", lambda source, rng: [source])
ALTERATIONS: Final = (
    Alteration("without_one_sensor", "each sensor taken away in turn", kits.without_each),
    Alteration("motion_only", "motion sensors alone", kits.motion_only),
    Alteration("motion_and_door", "motion sensors and the exterior door", kits.motion_and_door),
    Alteration("contacts_only", "contacts alone, the exterior door among them", kits.contacts_only),
    Alteration("no_bed_no_seat", "no sensor on bed or seat", kits.no_bed),
    Alteration("no_exterior_door", "nothing watches the exterior door", kits.no_door),
    Alteration("rooms_unknown", "nobody has said which room a sensor is in", kits.rooms_unknown),
    Alteration("small_kit", "exterior door, bed, one sensor for washing, one for living", kits.small),
    Alteration("blind_5_min", "motion sensors rest for 5 min after each report", partial(devices.resting, 300.0)),
    Alteration("blind_10_min", "... for 10 min", partial(devices.resting, 600.0)),
    Alteration("blind_30_min", "... for 30 min", partial(devices.resting, 1800.0)),
    Alteration("never_clear", "motion sensors never say that nobody is there", devices.never_clear),
    Alteration("lost_1_in_5", "every fifth message is lost", partial(devices.lossy, 0.8)),
    Alteration("lost_1_in_2", "half of the messages are lost", partial(devices.lossy, 0.5)),
    Alteration("lost_4_in_5", "four of five are: few events a day", partial(devices.lossy, 0.2)),
    Alteration("doubled", "messages come twice, times are off by seconds", devices.doubled),
    Alteration("chattering_door", "the exterior door's contact bounces, thrice a day for nothing", devices.chattering),
    Alteration("later_by_3_h", "everything happens three hours later", partial(calendars.later, 3.0)),
    Alteration("later_by_12_h", "the person lives by night", partial(calendars.later, 12.0)),
    Alteration("clock_changed", "the clocks go an hour forward, or back, in the middle", calendars.clock_changed),
    Alteration("habits_moved", "from the middle on all is three hours later, or earlier", calendars.habits_moved),
    Alteration("other_order", "the days begin at another, in four turns", calendars.turned),
    Alteration("odd_first_week", "the quietest seven days come first, or the busiest", calendars.odd_first_week),
    Alteration("fourteen_days", "fourteen days alone: the first, the last", partial(calendars.short, 14)),
    Alteration("ten_days", "ten days alone, from each fifth day on", partial(calendars.short, 10)),
    Alteration("shuffled_60_days", "sixty days drawn from those of the same weekday", partial(calendars.drawn, 60)),
    Alteration("three_shifts", "four days early, four late, four by night", calendars.three_shifts),
    Alteration("holes", "one day in eight is not received, and half an afternoon in four", calendars.holes),
    Alteration("naps", "most afternoons one and a half to three and a half hours are quiet", calendars.naps),
    Alteration("quiet_nights", "nothing moves from half past eleven to six", calendars.quiet_nights),
    Alteration("away_two_days", "two days away that nobody has been told of", calendars.away, alarming=True),
)
