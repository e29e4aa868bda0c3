"""A sensor that cannot be believed is no witness, and a home that has lost one is judged so."""

import numpy as np
import pytest

from alerts import profile
from alerts.detect import arrays, cannot_watch, inactivity
from alerts.detect.spells import Began
from alerts.detect.visits import nobody_came
from alerts.observe.homes import homes
from alerts.policy import DEFAULTS

NOW = 1_770_022_800.0
HOUR = 3600.0


def observed(
    life_at: float, somebody_h: "list[float | None]", *, door_at: float = np.nan, silent_days: float = 0.0,
    standing_s: float = np.nan, blinded: int = 0, kind: str = "motion", room: str = "living",
) -> arrays.Homes:  # fmt: skip
    """One home whose limit is two hours for every silence, with one motion sensor for each of `somebody_h`.

    The first of them is of that `kind`, is not heard since `silent_days` and stands on "somebody" since `standing_s`.
    The last sign came from `room`.
    """
    count = len(somebody_h)
    here = np.zeros(count, dtype=np.int64)
    now = np.full(count, NOW)
    devices = arrays.Devices(
        device_id=np.arange(count), home_id=here, kind=np.array([kind] + ["motion"] * (count - 1), dtype=np.object_),
        room=np.array(["living"] * count, dtype=np.object_),
        last_at=now - np.append(silent_days * 24 * HOUR, np.zeros(count - 1)), gone_at=np.full(count, np.nan),
        registered_at=now - 90 * 24 * HOUR, online_since=now - 90 * 24 * HOUR, gateway_heard_at=now,
        limit_s=np.full(count, 26 * HOUR), life=np.ones(count, dtype=np.bool_),
        somebody_s=np.array([np.nan if hours is None else hours * HOUR for hours in somebody_h]),
        standing_since=np.append(NOW - standing_s, np.full(count - 1, np.nan)), exterior=np.arange(count) == 0,
    )  # fmt: skip
    one = np.array([life_at])
    columns = {
        "id": np.zeros(1, dtype=np.int64), "life_at": one, "door_at": np.array([door_at]),
        "inside_at": np.array([life_at - 60]), "resting": np.array([kind == "bed"]),
        "zone_offset_s": np.zeros(1), "blinded": np.array([float(blinded)]),
        "meter_changed_at": np.full(1, np.nan), "meter_still_s": np.full(1, np.nan), "meter_outages": [None],
        "life_room": np.array([room], dtype=np.object_), "radio_s": np.full(1, np.nan),
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
                 lambda *_: np.zeros(1, dtype=np.int64), nobody_came(1), 0.0)  # fmt: skip


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


@pytest.mark.parametrize(("silent_days", "hours"), [(1.0, 2), (1.2, 4), (13.0, 4), (15.0, 2)])
def test_a_silent_motion_sensor_doubles_the_limit_until_it_is_learned_without(silent_days: float, hours: float) -> None:
    seen = observed(NOW - 3 * HOUR, [None, None], silent_days=silent_days)
    assert inactivity.limit_s(seen)[0] == hours * HOUR


@pytest.mark.parametrize(
    ("standing_s", "said_again_h", "hours"),
    [(500.0, 500 / HOUR, 2), (700.0, 700 / HOUR, 4), (9000.0, 0.0, 2), (np.nan, 700 / HOUR, 2)],
)
def test_while_a_sensor_that_clears_says_somebody_again_the_limit_is_doubled(
    standing_s: float, said_again_h: float, hours: float
) -> None:
    seen = observed(NOW - 3 * HOUR, [said_again_h, None], standing_s=standing_s)
    assert inactivity.limit_s(seen)[0] == hours * HOUR


def test_a_sensor_that_the_others_call_blind_doubles_the_limit() -> None:
    assert inactivity.limit_s(observed(NOW - 3 * HOUR, [None, None], blinded=1))[0] == 4 * HOUR


@pytest.mark.parametrize(
    ("room", "silent_days", "began"),
    [("entry", 1.2, Began.LEFT), ("entry", 1.0, Began.INDOORS), ("kitchen", 1.2, Began.LEFT)],
)
def test_without_its_door_contact_a_silence_from_the_hall_may_be_an_outing(
    room: str, silent_days: float, began: Began
) -> None:
    seen = observed(NOW - 3 * HOUR, [None, None], kind="contact", silent_days=silent_days, room=room)
    assert seen.began[0] == began


@pytest.mark.parametrize(("silent_days", "resting", "began"), [(1.0, True, Began.RESTING), (1.2, False, Began.RESTING)])
def test_a_silent_bed_mat_holds_nobody_and_the_bedroom_is_judged_as_the_bed(
    silent_days: float, resting: bool, began: Began
) -> None:
    seen = observed(NOW - 3 * HOUR, [None, None], kind="bed", silent_days=silent_days, room="bedroom")
    assert (bool(seen.resting[0]), seen.began[0]) == (resting, began)
