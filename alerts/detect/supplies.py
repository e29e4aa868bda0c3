"""What a home draws and how warm it is: power, water and climate as the detectors see them.

Built from the quarter-hour sums (`rollup`), so that a reading that comes late corrects them. Times are epoch
seconds, NaN = never or not known; spans are seconds.
"""

from dataclasses import dataclass

from alerts.detect.arrays import Bools, Floats, Ints, Texts


@dataclass(frozen=True)
class Power:
    """Homes whose meter shows much more than the base load now, one row a home.

    Attributes:
        home_id: int64 [homes]; device_id: the meter.
        watts: the last value. base_w: the home's base load.
        high_since: start of the run of quarters, up to now, in none of which it fell below the threshold.
        above_since: the same of the run in which it was as much above what is usual in a run like this; NaN = it is
            not, or none is usual.
        still_since: since when nobody was seen to move: the last sign of life.
        out: whether that silence began with somebody leaving. watched: whether silence means anything.
        usual_s: how long such a run lasts here at this hour when nothing is wrong (a water heater); NaN = never seen.
        known: whether the home's routine is known at all.
    """

    home_id: Ints
    device_id: Ints
    watts: Floats
    base_w: Floats
    high_since: Floats
    above_since: Floats
    still_since: Floats
    out: Bools
    watched: Bools
    usual_s: Floats
    known: Bools
    margin: Floats
    appliance_s: Floats


@dataclass(frozen=True)
class Water:
    """Homes with a water meter, one row a meter.

    Attributes:
        device_id, home_id: int64 [meters].
        low_since: since when less than `water_low_m3` has run in all; NaN = not known that far back.
        low_m3: how much has run since then.
        seen_s: how much of the time since `low_since` the meter was heard.
        running_since: since when some water has run in every half hour; NaN = it has not.
        day_m3: run in the last 24 h. recent_m3: in the last three hours (water.RECENT_S), counted from a half hour.
        door_at: last change of an exterior door: who came home then could not have drawn water before.
        dry_s: longest usual time without water and without the door; NaN = not known.
        out, watched: as in Whereabouts.
    """

    device_id: Ints
    home_id: Ints
    low_since: Floats
    low_m3: Floats
    seen_s: Floats
    running_since: Floats
    day_m3: Floats
    recent_m3: Floats
    door_at: Floats
    dry_s: Floats
    out: Bools
    watched: Bools
    water_low_s: Floats
    water_low_m3: Floats
    water_running_s: Floats
    water_day_m3: Floats


@dataclass(frozen=True)
class Climate:
    """Rooms that are measured, one row a sensor.

    Attributes:
        device_id, home_id: int64 [sensors]. room: kind of its room.
        celsius: the last value, measured at `time`.
        cold_since, hot_since: since when every value lay beyond the home's limit; NaN = the last one did not.
    """

    device_id: Ints
    home_id: Ints
    room: Texts
    time: Floats
    celsius: Floats
    cold_since: Floats
    hot_since: Floats
    cold_c: Floats
    heat_c: Floats
    climate_s: Floats
