import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.metrics import BY_ID, Life
from core.model import DeviceKind, Flag
from simulator.days import DayBook
from simulator.events import Events, What
from simulator.history import history
from simulator.homes import demo_homes
from simulator.play import messages
from simulator.routine import OUTSIDE, Activity
from tests.unit.simulator.support import DAWN, DAY, DAY_MS, MONDAY, SEED, at, book, home

NUMBERS = (1, 3, 8, 17, 24)


def occupied(events: Events, index: int, initial: float) -> Iterator[tuple[int, int]]:
    """The spans (ms) in which a device reports 1."""
    since = at(0) if initial else None
    for event in events[(events["device"] == index) & (events["what"] == What.REPORT)]:
        if event["value"] and since is None:
            since = int(event["time"])
        elif not event["value"] and since is not None:
            yield since, int(event["time"])
            since = None
    if since is not None:
        yield since, at(24)


def test_the_same_seed_gives_the_same_messages() -> None:
    first, second = (list(messages(book(), DAWN, DAWN + 2 * DAY)) for _ in range(2))
    assert first == second
    other = list(messages(DayBook(demo_homes(SEED + 1)[2]), DAWN, DAWN + 2 * DAY))
    assert first != other


def test_homes_and_days_differ() -> None:
    assert list(messages(book(1), DAWN, DAWN + DAY)) != list(messages(book(2), DAWN, DAWN + DAY))
    today = [message.topic for message in messages(book(), DAWN, DAWN + DAY)]
    assert today != [message.topic for message in messages(book(), DAWN + DAY, DAWN + 2 * DAY)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4 * DAY_MS), min_size=1, max_size=6))
def test_intervals_join_without_a_seam(cuts: list[int]) -> None:
    whole = list(messages(book(), DAWN, DAWN + 4 * DAY))
    edges = [0, *sorted(cuts), 4 * DAY_MS]
    times = [DAWN + timedelta(milliseconds=edge) for edge in edges]
    asked = book()  # one that has nothing in memory
    parts = [message for low, high in itertools.pairwise(times) for message in messages(asked, low, high)]
    assert parts == whole


def test_an_interval_may_begin_at_any_hour_after_a_restart() -> None:
    late = DAWN + timedelta(hours=30, minutes=7)
    assert list(messages(book(), late, late + DAY)) == [
        message for message in messages(book(), DAWN, DAWN + 3 * DAY) if late <= message.time < late + DAY
    ]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_bed_is_occupied_only_while_the_person_lies_in_it(number: int) -> None:
    days = book(number)
    bed = days.home.only(DeviceKind.BED)
    lying = [
        (stay.start.timestamp() * 1000, stay.end.timestamp() * 1000)
        for stay in days.timeline(MONDAY)
        if stay.activity in (Activity.SLEEP, Activity.NAP)
    ]
    spans = list(occupied(days.events(at(0), at(24)), bed, 1))
    assert len(spans) == len(lying)
    for (low, high), (start, end) in zip(spans, lying, strict=True):
        assert start <= low < high <= end


@pytest.mark.parametrize("number", NUMBERS)
def test_movement_is_seen_only_where_the_person_is(number: int) -> None:
    days = book(number)
    events = days.events(at(0), at(24))
    stays = days.timeline(MONDAY)
    for index in days.home.of_kind(DeviceKind.MOTION):
        room = days.home.devices[index].room
        seen = events[(events["device"] == index) & (events["what"] == What.REPORT) & (events["value"] == 1)]
        for time in seen["time"] / 1000:
            (stay,) = (stay for stay in stays if stay.start.timestamp() <= time < stay.end.timestamp())
            assert stay.room == room


@pytest.mark.parametrize("number", NUMBERS)
def test_nobody_moves_at_home_while_the_person_is_out(number: int) -> None:
    days = book(number)
    for day in range(7):
        events = days.events(at(24 * day), at(24 * day + 24))
        moving = events[(events["what"] == What.REPORT) & (events["value"] > 0) & (events["device"] > 0)]
        for stay in days.timeline(MONDAY + timedelta(days=day)):
            if stay.room == OUTSIDE:
                start, end = stay.start.timestamp() * 1000, stay.end.timestamp() * 1000
                assert not np.any((moving["time"] > start) & (moving["time"] < end))


def test_every_outing_opens_the_front_door_twice() -> None:
    for number in NUMBERS:
        days = book(number)
        stays = days.timeline(MONDAY)
        outings = sum(stay.room == OUTSIDE for stay in stays)
        let_in = sum(stay.activity is Activity.DOOR for stay in stays)
        events = days.events(at(0), at(24))
        opened = events[(events["device"] == 0) & (events["what"] == What.REPORT) & (events["value"] == 1)]
        assert len(opened) == 2 * outings + let_in


@pytest.mark.parametrize("number", NUMBERS)
def test_states_alternate_and_check_ins_repeat_them(number: int) -> None:
    days = book(number)
    events = days.events(at(0), at(72))
    for index, device in enumerate(days.home.devices):
        if device.kind is DeviceKind.PLUG:
            continue
        mine = events[(events["device"] == index) & np.isin(events["what"], [What.REPORT, What.CHECK_IN])]
        state = None
        for event in mine:
            if event["what"] == What.REPORT:
                assert event["value"] != state
            elif state is not None:
                assert event["value"] == state
            state = event["value"]


def test_battery_devices_check_in_every_hour_and_mains_devices_every_ten_minutes() -> None:
    days = book()
    events = days.events(at(0), at(96))
    for index, device in enumerate(days.home.devices):
        said = events[(events["device"] == index) & np.isin(events["what"], [What.CHECK_IN, What.ENERGY])]
        gaps = np.diff(said["time"]) / 60_000
        if device.kind is DeviceKind.METER:
            assert np.all(gaps == 5)
        else:
            low, high = (8.5, 10.5) if device.mains else (50, 60.5)
            assert gaps.min() > low
            assert gaps.max() < high


def test_the_meters_counter_never_runs_backwards() -> None:
    for number in NUMBERS:
        days = book(number)
        events = days.events(at(0), at(24 * 14))
        metered = events[events["what"] == What.ENERGY]
        assert np.all(np.diff(metered["second"]) >= 0)
        used = metered["second"][-1] - metered["second"][0]
        assert 70 < used < 110
        assert np.all(metered["value"] >= 0)
        assert metered["value"].max() < 8000


def test_power_follows_what_the_person_does() -> None:
    days = book()
    events = days.events(at(0), at(24 * 7))
    metered = events[events["what"] == What.ENERGY]
    stays = [stay for day in range(7) for stay in days.timeline(MONDAY + timedelta(days=day))]
    starts = np.array([stay.start.timestamp() * 1000 for stay in stays])
    doing = np.array([str(stay.activity) for stay in stays])[np.searchsorted(starts, metered["time"], side="right") - 1]
    person = metered["value"] - metered["idle"]
    assert person[doing == "cook"].mean() > 500
    assert abs(person[doing == "sleep"]).mean() < 60  # a rice cooker or a washing machine may outlast its stay


def test_messages_are_in_the_dialects_of_real_devices() -> None:
    by_topic: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for message in messages(book(3), DAWN, DAWN + DAY):
        if not message.topic.endswith("/LWT"):
            by_topic[message.topic].append(json.loads(message.payload))
    door = by_topic["zigbee2mqtt/front_door"]
    assert {type(said["contact"]) for said in door} == {bool}
    assert any("battery" in said for said in door)
    for said in by_topic["zigbee2mqtt/living_motion"]:
        assert datetime.fromisoformat(said["last_seen"]).utcoffset() == timedelta(hours=8)
        assert {"occupancy", "linkquality"} <= said.keys()
    assert {said["fall_status"] for said in by_topic["zigbee2mqtt/bedroom_radar"]} == {"normal"}
    assert all("action" not in said for said in by_topic["zigbee2mqtt/sos_button"])
    assert len(by_topic["tele/meter/SENSOR"]) == 288
    assert {"Power", "Total"} <= by_topic["tele/meter/SENSOR"][0]["ENERGY"].keys()
    assert by_topic["zigbee2mqtt/bed/availability"] == [{"state": "online"}]


def test_history_is_in_time_order_and_within_what_its_metrics_can_be() -> None:
    readings = history(book(), DAWN, DAWN + 3 * DAY)
    assert np.all(np.diff(readings["time"]) >= 0)
    for metric in np.unique(readings["metric"]):
        values = readings["value"][readings["metric"] == metric]
        assert BY_ID[int(metric)].low <= values.min()
        assert values.max() <= BY_ID[int(metric)].high


def test_history_marks_what_a_gateway_would_mark() -> None:
    """Values that differ from the one before, and each 1 of a motion sensor that has not said 0 yet."""
    last: dict[tuple[int, int], float] = {}
    cleared: set[tuple[int, int]] = set()
    for reading in history(book(), DAWN, DAWN + 2 * DAY).tolist():
        device, metric, _, value, flags = reading
        before = last.get((device, metric))
        again = value == 1 and BY_ID[metric].life is Life.TURNED_ON and (device, metric) not in cleared
        assert flags == (Flag.CHANGED if before is not None and (before != value or again) else Flag.NONE)
        if value == 0:
            cleared.add((device, metric))
        last[device, metric] = value


def test_a_home_sends_a_believable_number_of_readings_a_day() -> None:
    for number in range(1, 25):
        assert 1000 < len(history(book(number), DAWN, DAWN + DAY)) < 4500


def test_every_home_has_what_the_incidents_need() -> None:
    for number in range(1, 25):
        kinds = [device.kind for device in home(number).devices]
        for kind in (DeviceKind.METER, DeviceKind.RADAR, DeviceKind.BED, DeviceKind.SOS):
            assert kinds.count(kind) == 1
        assert sum(device.exterior for device in home(number).devices) == 1
