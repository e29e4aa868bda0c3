"""A motion sensor that says "somebody" for hours on end is no witness, and a home that has lost one is judged so."""

import numpy as np
import pytest

from alerts import profile
from alerts.detect import arrays, cannot_watch, inactivity
from alerts.detect.spells import Began
from alerts.observe.homes import homes
from alerts.policy import DEFAULTS

NOW = 1_770_022_800.0
HOUR = 3600.0


def observed(life_at: float, somebody_h: "list[float | None]", *, door_at: float = np.nan) -> arrays.Homes:
    """One home whose limit is two hours for every silence, with one motion sensor for each of `somebody_h`."""
    count = len(somebody_h)
    here = np.zeros(count, dtype=np.int64)
    now = np.full(count, NOW)
    devices = arrays.Devices(
        device_id=np.arange(count), home_id=here, kind=np.array(["motion"] * count, dtype=np.object_),
        room=np.array(["living"] * count, dtype=np.object_), last_at=now, gone_at=np.full(count, np.nan),
        registered_at=now - 90 * 24 * HOUR, online_since=now - 90 * 24 * HOUR, gateway_heard_at=now,
        limit_s=np.full(count, 26 * HOUR), life=np.ones(count, dtype=np.bool_),
        somebody_s=np.array([np.nan if hours is None else hours * HOUR for hours in somebody_h]),
    )  # fmt: skip
    one = np.array([life_at])
    columns = {
        "id": np.zeros(1, dtype=np.int64), "life_at": one, "door_at": np.array([door_at]),
        "inside_at": np.array([life_at - 60]), "resting": np.zeros(1, dtype=np.bool_), "zone_offset_s": np.zeros(1),
        "life_room": np.array(["living"], dtype=np.object_), "radio_s": np.full(1, np.nan),
        "away_until": np.full(1, np.nan),
    }  # fmt: skip
    known = profile.read([None], [None])
    known.minutes[:] = 120
    gateway = {"heard_at": np.array([NOW]), "measured_until": np.array([NOW]), "online": np.ones(1, dtype=np.bool_),
               "since": np.array([NOW - 90 * 24 * HOUR])}  # fmt: skip
    limits = {
        name: np.array([float(getattr(DEFAULTS, name))])
        for name in ("inactivity_s", "inactivity_floor_s", "inactivity_stretch", "stuck_s", "routine_margin",
                     "not_returned_s")
    }  # fmt: skip
    return homes(NOW, columns, known, devices, here, gateway, np.zeros(1, dtype=np.int64), limits,
                 lambda *_: np.zeros(1, dtype=np.int64), 0.0)  # fmt: skip


@pytest.mark.parametrize(
    ("somebody_h", "hours"), [([None, None], 2), ([None, 1.4], 2), ([None, 1.6], 4), ([9.0, 9.0], 4)]
)
def test_a_sensor_that_stands_on_somebody_doubles_the_limit(somebody_h: "list[float | None]", hours: float) -> None:
    assert inactivity.limit_s(observed(NOW - 3 * HOUR, somebody_h))[0] == hours * HOUR


def test_a_stuck_sensor_raises_one_alarm_less_and_hides_no_collapse() -> None:
    for silent_h, alarms in ((3.0, 0), (4.5, 1), (13.0, 1)):
        assert len(inactivity.find(NOW, observed(NOW - silent_h * HOUR, [None, 20.0]))) == alarms


def test_who_left_is_not_waited_for_longer_because_of_it() -> None:
    at = NOW - 3 * HOUR
    seen = observed(at, [None, 20.0], door_at=at)
    assert seen.began[0] == Began.LEFT
    assert seen.personal_s[0] == 2 * HOUR


def test_a_home_whose_only_witness_is_stuck_cannot_be_watched() -> None:
    seen = observed(NOW - 13 * HOUR, [7.0])
    assert (seen.life_devices[0], seen.life_devices_seen[0]) == (1, 0)
    assert not len(inactivity.find(NOW, seen))
    assert not cannot_watch.watched(NOW, seen)[0]
    assert observed(NOW - 13 * HOUR, [None, 7.0]).life_devices_seen[0] == 1
