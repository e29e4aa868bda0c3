"""Homes that are made different stay homes: in order, with the outings where they belong, and the same each time."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import calendars, devices, kits
from evaluation.alterations import ALTERATIONS, Alteration
from evaluation.altered import evaluate
from evaluation.recorded import DAY_S, NO_SPANS, Source, home_of
from evaluation.report import altered_table
from simulator.recordings import RecordedSensor, Recording

HOUR = 3600.0
START = 1_769_990_400.0  # a midnight
SENSORS = (
    RecordedSensor("door", "contact", "entry", True),
    RecordedSensor("kitchen", "motion", "kitchen"),
    RecordedSensor("bathroom", "motion", "bathroom"),
    RecordedSensor("bed", "pressure", "bedroom"),
    RecordedSensor("flush", "contact", "toilet"),
)


def source(days: int = 16, *, sensors: tuple[RecordedSensor, ...] = SENSORS) -> Source:
    """Out from ten to eleven, in bed from ten at night to seven, in the kitchen or bathroom every ten minutes."""
    rows: list[tuple[float, int, float]] = []
    for day in range(days):
        at = START + day * DAY_S
        rows += [(at + 7 * HOUR, 3, 0.0), (at + 22 * HOUR, 3, 1.0)]
        rows += [(at + 8 * HOUR, 4, 1.0), (at + 8 * HOUR + 5, 4, 0.0)]
        rows += [(at + hour * HOUR + after, 0, value) for hour in (10, 11) for after, value in ((0, 1.0), (5, 0.0))]
        for minute in range(7 * 60 + 5, 22 * 60, 10):
            if not 600 <= minute < 660:
                moved, which = at + minute * 60.0 + day % 3, 1 + minute // 10 % 2
                rows += [(moved, which, 1.0), (moved + 20, which, 0.0)]
    rows.sort()
    table = np.array(rows)
    wall = (table[:, 0] * 1000).astype(np.int64).astype("datetime64[ms]")
    out = START + np.array([[day * DAY_S + 10 * HOUR, day * DAY_S + 11 * HOUR] for day in range(days)])
    return Source(Recording("made-up", 1, sensors, wall, table[:, 1].astype(np.int64), table[:, 2]), out, NO_SPANS)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def seconds(one: Source) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return one.recording.wall.astype(np.int64) / 1000


@pytest.mark.parametrize("kind", ALTERATIONS, ids=lambda kind: kind.name)
def test_an_altered_home_is_a_home_and_the_same_each_time(kind: Alteration) -> None:
    made, again = kind.change(source(), rng()), kind.change(source(), rng())
    assert made
    for one, other in zip(made, again, strict=True):
        recording = one.recording
        assert (np.diff(recording.wall) >= np.timedelta64(0, "ms")).all()
        assert set(recording.sensor.tolist()) <= set(range(len(recording.sensors)))
        assert len(recording.wall) == len(recording.sensor) == len(recording.value)
        assert one.out is not None
        assert (one.out[:, 1] > one.out[:, 0]).all()
        assert len(home_of(one).signs) > 50
        for mine, its in ((recording.wall, other.recording.wall), (recording.value, other.recording.value)):
            assert mine.tolist() == its.tolist()


def test_each_sensor_is_taken_away_once() -> None:
    made = kits.without_each(source(), rng())
    gone = [{sensor.name for sensor in SENSORS} - {sensor.name for sensor in one.recording.sensors} for one in made]
    assert gone == [{sensor.name} for sensor in SENSORS]
    whole = len(source().recording.wall)
    assert sum(whole - len(one.recording.wall) for one in made) == whole


def test_a_motion_sensor_that_rests_says_nothing_meanwhile() -> None:
    (made,) = devices.resting(1800.0, source(), rng())
    for place in (1, 2):
        said = seconds(made)[(made.recording.sensor == place) & (made.recording.value > 0)]
        assert np.diff(said).min() >= 1800
    others = source().recording.sensor
    assert (made.recording.sensor == 3).sum() == (others == 3).sum()


def test_a_motion_sensor_that_never_clears_still_shows_life() -> None:
    (made,) = devices.never_clear(source(), rng())
    usual = home_of(source()).signs
    assert len(home_of(made).signs) == len(usual)


@given(st.lists(st.integers(0, 13), min_size=1, max_size=20))
def test_days_in_another_order_take_their_outings_with_them(order: list[int]) -> None:
    made = calendars.in_order(source(), np.array(order))
    assert made.out is not None
    first = START + DAY_S  # whose 04:00 is the first in the recording
    days = np.floor((seconds(made) - calendars.CUT_S - first) / DAY_S).astype(np.int64)
    assert set(days.tolist()) == set(range(len(order)))
    assert (made.out[:, 0] - first).tolist() == [day * DAY_S + 10 * HOUR for day in range(len(order))]
    for place, day in enumerate(order):  # of each recorded day the seconds tell which it was
        moved = seconds(made)[(days == place) & np.isin(made.recording.sensor, (1, 2)) & (made.recording.value > 0)]
        assert set((moved % 60).tolist()) == {(day + 1) % 3}


def test_holes_are_known_and_nothing_is_received_in_them() -> None:
    (made,) = calendars.holes(source(), rng())
    time = seconds(made)
    assert len(made.holes) >= 4
    assert (np.diff(made.holes[:, 0]) > 0).all()
    for start, end in made.holes:
        assert not ((time >= start) & (time < end)).any()


def test_an_outing_is_cut_where_days_are() -> None:
    spans = np.array([[START + 20 * HOUR, START + 30 * HOUR], [START + 40 * HOUR, START + 41 * HOUR]])
    cut = calendars._cut(spans, START + 4 * HOUR, np.arange(3, dtype=np.float64), DAY_S)
    assert ((cut - START) / HOUR).tolist() == [[20, 28], [28, 30], [40, 41]]


def test_an_outing_that_a_shift_carries_over_the_end_of_a_day_stays_whole() -> None:
    """Out from 17:00 to 21:00, and the day turned round by eight hours: out in its last three hours and its first."""
    days = 12
    out = START + np.array([[day * DAY_S + 17 * HOUR, day * DAY_S + 21 * HOUR] for day in range(days)])
    (made,) = calendars.three_shifts(replace(source(days), out=out), rng())
    home = home_of(made)
    first = START + DAY_S + calendars.CUT_S  # its first 04:00; the days from the fifth on are late ones
    for day in (4, 5, 6, 7):
        dawn = first + day * DAY_S
        hours = dawn + HOUR * np.arange(0.5, 24)
        assert np.flatnonzero(home.is_out(hours)).tolist() == [0, 21, 22, 23], day


def test_altered_homes_are_judged_beside_the_rules(tmp_path: Path) -> None:
    toml = ["[tiny]", "residents = 1", "[tiny.sensors]"] + [
        f'{sensor.name} = {{ kind = "{sensor.kind}", room = "{sensor.room}", '
        f"exterior = {str(sensor.exterior).lower()} }}"
        for sensor in SENSORS
    ]
    family = ["[family]", "residents = 2", "[family.sensors]", 'pir = { kind = "motion", room = "living" }']
    (tmp_path / "homes.toml").write_text("\n".join([*toml, *family]))
    with gzip.open(tmp_path / "family.csv.gz", "wt") as file:
        file.write("ts,sensor,value\n2026-01-01T00:00:00,pir,ON\n")
    recording = source().recording
    words = np.where(recording.value > 0, "ON", "OFF")
    with gzip.open(tmp_path / "tiny.csv.gz", "wt") as file:
        file.write("ts,sensor,value\n")
        for wall, place, word in zip(recording.wall, recording.sensor, words, strict=True):
            file.write(f"{wall},{SENSORS[place].name},{word}\n")
    heard: list[float] = []
    found = evaluate(tmp_path, 1, lambda done, total: heard.append(done / total))
    assert heard == sorted(heard)
    assert heard[-1] == 1
    kinds = found["alterations"]
    assert kinds["as_recorded"]["pooled"]["home_days"] == 8
    assert kinds["without_one_sensor"]["variants"] == len(SENSORS)
    measured = [one for one in kinds.values() if not one["alarming"]][1:]
    assert found["all"]["pooled"]["home_days"] == sum(one["pooled"]["home_days"] for one in measured)
    assert found["all"]["second_week"]["false_alarms"] <= found["all"]["pooled"]["false_alarms"]
    assert kinds["away_two_days"]["pooled"]["false_alarms"] == 1
    assert kinds["as_recorded"]["goal"]
    assert set(kinds["as_recorded"]["baselines"]) == {"no_activity_12h", "no_activity_24h", "longest_so_far"}
    assert found["left_out"] == ["family"]
    shown = altered_table(found)
    assert shown.row_count == len(kinds) + 1
    assert str(shown.caption).endswith("family")
