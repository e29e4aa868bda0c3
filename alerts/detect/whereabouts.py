"""Where the person was last seen and since when: what the detectors of rooms and doors look at, one row a home."""

from dataclasses import dataclass

from alerts.detect.arrays import Bools, Floats, Ints, Texts

DAY_S = 86_400.0


@dataclass(frozen=True)
class Whereabouts:
    """One row a home, in the order of `arrays.Homes`. Times are epoch seconds, NaN = never; spans seconds.

    Attributes:
        home_id: int64 [homes].
        watched: whether silence means anything now (cannot_watch.watched).
        seen_since: since when its gateway is connected without a break; NaN = it is not.
        midnight: the last local midnight.
        out: whether the silence began with somebody leaving (inactivity.went_out).
        resting: somebody is on a bed or seat that can tell.
        life_at: last sign of life.
        day_at: last sign in a room in which nobody sleeps or washes; `day_sensors` how many sensors could give one now,
            0 while fewer than half of them can.
        bath_at: last sign in the bathroom or toilet, `bath_room` which; elsewhere_at: last sign anywhere else.
        bath_from: the first quarter of an hour in which somebody moved in the bathroom or toilet, from the one on that
            elsewhere_at is in: its start. bath_hours: in how many hours of the clock since then somebody did. Only
            known where they decide (the limit of a long stay has passed), else NaN and 0.
        elsewhere_whole: whether every sensor elsewhere is heard: a dead one in the bedroom makes a
            sleeper look like somebody in the bathroom.
        doubtful: whether a motion sensor elsewhere is stuck or sees nobody though it should (witnesses.blind).
        elsewhere_sensors: how many sensors that can be seen could give one elsewhere.
        door_at: last change of an exterior door. door_from: since when its contact was heard without a hole; NaN = it
            is not, or not known. open_since: since when one stands open; NaN = shut or not known.
        rise_s: latest usual rising, seconds after local midnight; stay_s: longest usual stay in the bathroom;
            away_s: longest usual absence; door_gap_s: longest usual time without the exterior door; NaN = not known.
        night_out: bool [homes, 24], local hours in which leaving is usual here.
        sensors, sensors_seen: life sensors of the home, and those that can be seen now.
        not_risen_s ... no_door_s: the home's policy.
    """

    home_id: Ints
    watched: Bools
    seen_since: Floats
    midnight: Floats
    out: Bools
    resting: Bools
    life_at: Floats
    day_at: Floats
    day_sensors: Ints
    bath_at: Floats
    bath_room: Texts
    elsewhere_at: Floats
    bath_from: Floats
    bath_hours: Ints
    elsewhere_sensors: Ints
    elsewhere_whole: Bools
    doubtful: Bools
    door_at: Floats
    door_from: Floats
    open_since: Floats
    rise_s: Floats
    stay_s: Floats
    away_s: Floats
    door_gap_s: Floats
    night_out: Bools
    sensors: Ints
    sensors_seen: Ints
    margin: Floats
    not_risen_s: Floats
    not_risen_margin_s: Floats
    long_stay_s: Floats
    long_stay_floor_s: Floats
    night_from_s: Floats
    night_until_s: Floats
    left_at_night_s: Floats
    door_open_s: Floats
    no_door_s: Floats
