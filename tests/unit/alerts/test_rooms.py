"""The detectors of rooms, doors, supplies and sensors say what their naive twins in tests/oracles say."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.detect import (
    appliance_on,
    door_open,
    fall,
    hub_down,
    left_at_night,
    long_stay,
    no_door,
    not_risen,
    sensor_stuck,
    temperature,
    water,
)
from alerts.detect.aftermath import Aftermath
from alerts.detect.arrays import Bools, Devices, Ints, Texts, UrgentEvents
from alerts.detect.findings import Findings
from alerts.detect.sensors import Sensors
from alerts.detect.supplies import Climate, Power, Water
from alerts.detect.whereabouts import Whereabouts
from alerts.hindsight.readings import READING
from alerts.hindsight.register import register_of
from alerts.hindsight.sums import Sums
from alerts.observe import supplies
from alerts.observe.supplies import Grid
from alerts.policy import Policy
from core.metrics import BY_NAME
from tests.oracles import rooms as oracle

NOW = 1_770_022_800.0  # 17:00 in Shanghai
HOUR, DAY = 3600.0, 86_400.0
MIDNIGHT = NOW - 17 * HOUR
MOTION = BY_NAME["motion"].id
ages = st.sampled_from([0, 1199, 1200, 2700, 2710, 4500, 4510, 4 * HOUR, 12 * HOUR, 13 * HOUR, 16 * HOUR, 30 * HOUR,
                        72 * HOUR, 73 * HOUR, 8 * DAY, 9 * DAY])  # fmt: skip
past = ages.map(lambda age: NOW - age)
maybe = st.none() | past
slacks = st.sampled_from([0.0, 10.0])
spans = st.none() | st.sampled_from([0.5 * HOUR, 3 * HOUR, 7 * HOUR, 12 * HOUR, 24 * HOUR, 60 * HOUR])
flag = st.booleans()

homes = st.fixed_dictionaries(
    {
        "watched": st.just(True) | flag, "seen_since": maybe, "midnight": st.sampled_from([MIDNIGHT, NOW - 9 * HOUR]),
        "out": flag, "resting": flag, "life_at": maybe, "day_at": maybe, "day_sensors": st.integers(0, 1),
        "bath_at": maybe, "elsewhere_at": maybe, "elsewhere_sensors": st.integers(0, 1), "elsewhere_whole": flag,
        "doubtful": flag, "bath_hours": st.integers(2, 5), "door_from": maybe,
        "bath_from": maybe | ages.map(lambda age: NOW - age + 900),
        "door_at": maybe, "open_since": maybe, "rise_s": spans, "stay_s": spans, "away_s": spans, "door_gap_s": spans,
        "night_out": st.lists(flag, min_size=24, max_size=24), "margin": st.just(1.5),
        "not_risen_s": st.just(11 * HOUR), "not_risen_margin_s": st.just(1.5 * HOUR),
        "long_stay_s": st.sampled_from([4 * HOUR, 4.4 * HOUR]),
        "long_stay_floor_s": st.just(1.25 * HOUR), "night_from_s": st.just(22.5 * HOUR),
        "night_until_s": st.just(5 * HOUR), "left_at_night_s": st.just(1200.0), "door_open_s": st.just(2700.0),
        "no_door_s": st.just(72 * HOUR),
    }
)  # fmt: skip
powers = st.fixed_dictionaries(
    {"high_since": maybe, "above_since": maybe, "still_since": maybe, "watched": flag, "known": flag, "usual_s": spans,
     "margin": st.just(1.5), "appliance_s": st.just(HOUR)}
)  # fmt: skip
waters = st.fixed_dictionaries(
    {"low_since": maybe, "door_at": maybe, "seen_s": st.sampled_from([0.0, 12 * HOUR, 30 * HOUR, 9 * DAY]),
     "running_since": maybe, "day_m3": st.sampled_from([0.0, 2.0, 2.001]),
     "recent_m3": st.sampled_from([0.0, 0.249, 0.25, 2.0]), "dry_s": spans, "out": flag,
     "watched": flag, "water_low_s": st.just(12 * HOUR), "water_running_s": st.just(24 * HOUR),
     "water_day_m3": st.just(2.0)}
)  # fmt: skip
devices = st.fixed_dictionaries(
    {"kind": st.sampled_from(["motion", "radar", "meter", "climate", "contact"]),
     "room": st.sampled_from(["entry", "living"]), "value": st.none() | st.sampled_from([0.0, 1.0, 20.0, 80.0, -40.0]),
     "time": maybe, "changed_at": maybe, "life_at": maybe, "alive": st.just(True) | flag, "registered_at": past,
     "elsewhere_at": maybe, "door_at": maybe, "stuck_s": st.just(6 * HOUR), "mute_s": st.just(8 * DAY)}
)  # fmt: skip
falls = st.fixed_dictionaries(
    {"time": st.sampled_from([0, 1, 89, 90, 599, 600, 7 * HOUR, 4 * DAY]).map(lambda age: NOW - age),
     "value": st.sampled_from([1.0, 2.0]),
     "stored_at": st.sampled_from([0, 89, 90, 599, 600]).map(lambda age: NOW - age),
     "off_at": st.none() | st.sampled_from([NOW - 80, NOW - 10, NOW - 9 * DAY]),
     "life_at": st.none() | st.sampled_from([NOW - 81, NOW - 10, NOW]),
     "elsewhere_at": st.none() | st.sampled_from([NOW - 88, NOW - 5, NOW - 9 * DAY]),
     "ok_at": st.none() | st.sampled_from([NOW - 5, NOW - 9 * DAY]), "late_s": st.just(6 * HOUR),
     "past_s": st.just(3 * DAY)}
)  # fmt: skip


def made(kind: Any, rows: Sequence[dict[str, Any]], **columns: Any) -> Any:
    """Arrays of that class: the rows' values, None as NaN; what no row has is 0, or what `columns` says."""
    types = {id(Bools): np.bool_, id(Texts): np.object_, id(Ints): np.int64}
    for part in fields(kind):
        if part.name not in columns:
            values = [row.get(part.name, 0) for row in rows]
            columns[part.name] = np.array(values, dtype=types.get(id(part.type), np.float64))
    return kind(**columns)


def where(rows: Sequence[dict[str, Any]]) -> Whereabouts:
    night = np.array([row["night_out"] for row in rows], dtype=np.bool_).reshape(len(rows), 24)
    found: Whereabouts = made(Whereabouts, rows, home_id=np.arange(len(rows)), night_out=night,
                              bath_room=np.array(["toilet"] * len(rows), dtype=np.object_))  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("find", "slowly"),
    [
        (not_risen.find, oracle.not_risen),
        (long_stay.find, oracle.long_stay),
        (left_at_night.find, oracle.left_at_night),
        (door_open.find, oracle.door_open),
        (no_door.find, oracle.no_door),
    ],
)
@given(st.lists(homes, max_size=6), slacks)
def test_rooms_and_doors(
    find: Callable[[float, Whereabouts, float], Findings],
    slowly: Callable[[float, oracle.Row, float], bool],
    rows: list[dict[str, Any]],
    slack: float,
) -> None:
    found = find(NOW, where(rows), slack)
    assert found.home_id.tolist() == [index for index, row in enumerate(rows) if slowly(NOW, row, slack)]
    assert all("from_at" in finding.coverage and finding.began_at.timestamp() <= NOW for finding in found.each())


@given(st.lists(st.integers(0, 5 * 3600 - 1), max_size=12), st.integers(0, 5 * 3600), st.integers(0, 6 * 3600))
def test_movements_in_the_bathroom(moments: list[int], since: int, now: int) -> None:
    start = MIDNIGHT
    device = {"id": 1, "home_id": 1, "gateway_id": 1, "kind": "motion", "mains": False, "exterior": False,
              "registered_at": start}  # fmt: skip
    register = register_of(
        [{"id": 1, "zone": "UTC"}], [{"id": 1, "home_id": 1}],
        [device | {"room": "toilet"}, device | {"id": 2, "room": "kitchen"}], [Policy()],
    )  # fmt: skip
    readings = np.zeros(2 * len(moments), READING)
    for row, moment in enumerate(moments):
        at = start + moment
        readings[2 * row] = (at, at, at, 1.0, 0, MOTION, True)
        readings[2 * row + 1] = (at, at, at, 1.0, 1, MOTION, True)  # elsewhere: counts for nothing
    sums = Sums(register, start, start + 6 * HOUR)
    sums.feed(readings)
    first, hours = sums.bath_moves(start + now, np.array([0]), np.array([start + since]))
    found = (None if np.isnan(first[0]) else first[0], hours[0])
    assert found == oracle.bath_moves([start + moment for moment in moments], start + since, start + now)


@given(st.lists(powers, max_size=6), slacks)
def test_an_appliance(rows: list[dict[str, Any]], slack: float) -> None:
    found = appliance_on.find(NOW, made(Power, rows, home_id=np.arange(len(rows))), slack)
    assert found.home_id.tolist() == [at for at, row in enumerate(rows) if oracle.appliance_on(NOW, row, slack)]


@given(st.lists(waters, max_size=6), slacks)
def test_water(rows: list[dict[str, Any]], slack: float) -> None:
    arrays = made(Water, rows, home_id=np.arange(len(rows)))
    low, running = water.find_low(NOW, arrays, slack), water.find_running(NOW, arrays, slack)
    assert low.home_id.tolist() == [at for at, row in enumerate(rows) if oracle.water_low(NOW, row, slack)]
    assert running.home_id.tolist() == [at for at, row in enumerate(rows) if oracle.water_running(NOW, row, slack)]


@given(st.lists(devices, max_size=8), slacks)
def test_a_sensor_that_cannot_be_right(rows: list[dict[str, Any]], slack: float) -> None:
    found = sensor_stuck.find(NOW, made(Sensors, rows, device_id=np.arange(len(rows))), slack)
    said = [(at, oracle.sensor_stuck(NOW, row, slack)) for at, row in enumerate(rows)]
    assert [(one.subject_id, one.parameters["fault"]) for one in found.each()] == [one for one in said if one[1]]


@given(st.lists(falls, max_size=8))
def test_a_fall_by_what_follows(rows: list[dict[str, Any]]) -> None:
    number = np.arange(len(rows))
    events = made(UrgentEvents, rows, event_id=number, metric=np.full(len(rows), 5),
                  room=np.array(["bathroom"] * len(rows), dtype=np.object_))  # fmt: skip
    after = made(Aftermath, rows)
    said = [oracle.fall(NOW, row) for row in rows]
    urgent, moved = fall.find(NOW, events, after), fall.find_moved(NOW, events, after)
    assert (urgent.event_id.tolist() if urgent.event_id is not None else []) == [
        at for at, one in enumerate(said) if one == "urgent"
    ]
    assert (moved.event_id.tolist() if moved.event_id is not None else []) == [
        at for at, one in enumerate(said) if one == "moved"
    ]
    assert np.flatnonzero(fall.waiting(NOW, events, after)).tolist() == [
        at for at, one in enumerate(said) if one == "waits"
    ]


rooms = st.fixed_dictionaries(
    {"home_id": st.integers(0, 2), "cold_since": maybe, "hot_since": maybe, "climate_s": st.just(4 * HOUR)}
)


@given(st.lists(rooms, max_size=6), slacks)
def test_a_room_too_cold_or_too_hot(rows: list[dict[str, Any]], slack: float) -> None:
    home_id = np.array([row["home_id"] for row in rows], dtype=np.int64)
    arrays = made(Climate, rows, device_id=np.arange(len(rows)), home_id=home_id,
                  room=np.array(["living"] * len(rows), dtype=np.object_))  # fmt: skip
    for find, since in ((temperature.find_cold, "cold_since"), (temperature.find_hot, "hot_since")):
        found = find(NOW, arrays, slack)
        said = oracle.temperature(NOW, rows, since, slack)
        assert dict(zip(found.home_id.tolist(), found.subject_id.tolist(), strict=True)) == said
        assert [one.parameters["silence_s"] for one in found.each()] == [
            NOW - rows[said[home]][since] for home in sorted(said)
        ]


degrees = st.lists(st.none() | st.sampled_from([9.0, 11.9, 12.0, 20.0, 34.0, 34.1]), min_size=8, max_size=8)


@given(degrees, degrees)
def test_a_room_is_cold_since_it_was_last_warm_enough_and_hot_since_it_was_last_cool_enough(
    lows: list[float | None], highs: list[float | None]
) -> None:
    heard = [(low, high) if low is not None and high is not None else (None, None) for low, high in
             zip(lows, highs, strict=True)]  # fmt: skip
    low, high = ([one[side] for one in heard] for side in (0, 1))
    grid = Grid(np.array([1]), NOW, np.array([low], np.float64), np.array([high], np.float64))
    for celsius in (11.0, 12.0, 34.0, 35.0):
        columns = {"home_id": 1, "room": "living", "time": NOW, "celsius": celsius, "cold_c": 12.0, "heat_c": 34.0,
                   "climate_s": 0.0}  # fmt: skip
        found = supplies.climate(grid, {name: np.array([value]) for name, value in columns.items()})
        cold = oracle.beyond_since(high, lambda value: value >= 12, NOW) if celsius < 12 else None
        hot = oracle.beyond_since(low, lambda value: value <= 34, NOW) if celsius > 34 else None
        assert [None if np.isnan(one[0]) else one[0] for one in (found.cold_since, found.hot_since)] == [cold, hot]


hubs = st.fixed_dictionaries(
    {"home_id": st.integers(0, 2), "with_hub": flag, "gone_at": maybe, "last_at": maybe, "life": flag}
)


@given(st.lists(hubs, max_size=8))
def test_a_hub_that_is_down_is_one_finding_a_home(rows: list[dict[str, Any]]) -> None:
    devices = made(Devices, rows, home_id=np.array([row["home_id"] for row in rows], dtype=np.int64),
                   with_hub=np.array([row["with_hub"] for row in rows], dtype=np.bool_))  # fmt: skip
    found = hub_down.find(NOW, devices)
    assert {one.home_id: (one.began_at.timestamp(), one.parameters["sensors"]) for one in found.each()} == (
        oracle.hub_down(rows)
    )


cells = st.lists(st.none() | st.integers(0, 3).map(float), min_size=8, max_size=8)


@given(st.lists(cells, min_size=1, max_size=4))
def test_a_run_of_high_power_begins_where_it_last_was_low(lows: list[list[float | None]]) -> None:
    low = np.array(lows, dtype=np.float64)
    count = len(lows)
    blank = np.zeros(count)
    grid = Grid(np.arange(count), NOW, low, low)
    found = supplies.power(
        grid,
        {"home_id": np.arange(count), "base_w": blank, "known": blank == 0, "still_since": blank, "out": blank > 0,
         "watched": blank == 0, "margin": blank, "appliance_s": blank},
        blank, np.full(count, 2.0), blank, np.zeros((count, 24)), np.ones((count, 24)),
    )  # fmt: skip
    for since, least in ((found.high_since, 2.0), (found.above_since, 3.0)):
        assert [None if np.isnan(one) else one for one in since] == [oracle.high_since(row, least, NOW) for row in lows]


def counted(lows: Sequence[float | None], highs: Sequence[float | None], water_running_s: float = 1.0) -> Water:
    """What a water meter shows whose counter was so low and so high in each quarter."""
    grid = Grid(np.array([1]), NOW, np.array([lows], dtype=np.float64), np.array([highs], dtype=np.float64))
    one = {name: np.array([value]) for name, value in
           {"home_id": 1, "door_at": np.nan, "dry_s": np.nan, "out": False, "watched": True, "water_low_s": 1.0,
            "water_low_m3": 0.0095, "water_running_s": water_running_s, "water_day_m3": 2.0}.items()}  # fmt: skip
    return supplies.water(grid, one)


def test_a_water_counter_that_begins_anew_shows_the_water_that_runs_after_that() -> None:
    """The meter was exchanged, or what counts its pulses was started anew, twice."""
    highs = [500.0, 500.02, 0.02, 0.04, None, 0.06, 0.01, 0.03]
    found = counted([high if high is None else high - 0.005 for high in highs], highs)
    assert found.day_m3[0] == pytest.approx(0.005 + 0.02 + 0.005 + 0.02 + 0.02 + 0.005 + 0.02)
    assert np.isnan(found.low_since[0])  # not low since the counter was that high
    assert found.running_since[0] == NOW - 8 * 900


def test_a_water_counter_that_says_zero_once_has_not_begun_anew() -> None:
    highs = [500.0, 500.02, 0.0, 500.04, 500.04, 500.04, 500.04, 500.04]
    found = counted(highs, highs)
    assert found.day_m3[0] == pytest.approx(0.04)


@given(st.lists(st.none() | st.integers(0, 6), min_size=14, max_size=14))
def test_water_is_what_the_counter_rose_by_also_over_quarters_without_a_word(steps: list[int | None]) -> None:
    counter, lows, highs = 100.0, [], []
    for step in steps:
        lows.append(None if step is None else counter)
        counter += (step or 0) / 1000
        highs.append(None if step is None else counter)
    uses = oracle.water_uses(lows, highs)
    found = counted(lows, highs)
    assert found.day_m3[0] == pytest.approx(sum(uses), abs=1e-9)
    assert found.recent_m3[0] == pytest.approx(sum(uses[-12:]), abs=1e-9)
    heard = [at for at, high in enumerate(highs) if high is not None]
    quiet = 0
    while quiet < 14 and sum(uses[14 - quiet - 1 :]) < 0.0095:
        quiet += 1
    if not heard or max(14 - quiet, heard[0]) >= 14:
        assert np.isnan(found.low_since[0])
    else:
        assert found.low_since[0] == NOW - (14 - max(14 - quiet, heard[0])) * 900


def test_too_much_water_is_a_finding_until_the_tap_has_been_shut_and_not_half_a_day_later() -> None:
    found = {}
    for hours_since_shut in (0.0, 2.0, 4.0, 12.0):
        opened_s, shut_s = (hours_since_shut + 4) * HOUR, hours_since_shut * HOUR  # four hours of 900 litres
        ago_s = np.arange(supplies.WATER_QUARTERS, 0, -1) * 900.0
        used = np.where((ago_s <= opened_s) & (ago_s > shut_s), 0.225, 0.0)
        high = 100 + np.cumsum(used)
        shown = counted(list(high - used), list(high), 24 * HOUR)
        found[hours_since_shut] = len(water.find_running(NOW, shown).home_id)
    assert found == {0.0: 1, 2.0: 1, 4.0: 0, 12.0: 0}
