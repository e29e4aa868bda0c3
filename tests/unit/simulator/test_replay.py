import gzip
import itertools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.errors import RegisterError
from core.model import DeviceKind, RoomKind
from simulator.dialect import Message
from simulator.recordings import Recording, load_recording
from simulator.replay import address_of, recording_messages, recording_register
from tests.recorded import recorded

STATES = ("occupancy", "contact", "occupied")
HOMES = """
[tiny]
residents = 1
[tiny.sensors]
"Front_door#12" = { kind = "contact", room = "entry", exterior = true }
"Kitchen/Cooktop:PIR" = { kind = "motion", room = "kitchen" }
"bed mat" = { kind = "pressure", room = "bedroom" }
seat = { kind = "pressure", room = "living" }
power_w = { kind = "power_w", room = "whole home" }
"""
ROWS = """ts,sensor,value
2011-06-15T01:03:39.149,bed mat,ON
2011-06-15T01:10:00,power_w,252
2011-06-15T07:00:00,bed mat,OFF
2011-06-15T07:00:10.5,Kitchen/Cooktop:PIR,ON
2011-06-15T07:00:12,Kitchen/Cooktop:PIR,OFF
2011-06-15T09:00:00,Front_door#12,OPEN
2011-06-15T09:00:05,Front_door#12,CLOSE
2011-06-15T12:00:00,power_w,1900.5
"""


def write(folder: Path, rows: str = ROWS, homes: str = HOMES) -> tuple[Path, Path]:
    csv, toml = folder / "tiny.csv.gz", folder / "homes.toml"
    csv.write_bytes(gzip.compress(rows.encode()))
    toml.write_text(homes)
    return csv, toml


@pytest.fixture
def tiny(tmp_path: Path) -> Recording:
    return load_recording(*write(tmp_path))


def body(message: Message) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(message.payload)
    return content


def states(messages: list[Message]) -> list[tuple[str, str, Any]]:
    return [
        (message.topic, field, body(message)[field])
        for message in messages
        for field in STATES
        if field in body(message)
    ]


@pytest.mark.parametrize(("name", "rows"), [("home_1", 61_578), ("home_2", 2_458), ("home_3", 45_400), ("home_4", 818)])
def test_each_row_of_a_recording_is_exactly_one_state(name: str, rows: int) -> None:
    recording = load_recording(recorded(f"{name}.csv.gz"), recorded("homes.toml"))
    assert len(recording.wall) == recording.states == rows
    messages = list(recording_messages(recording))
    times = [message.time for message in messages]
    assert times == sorted(times)
    said = Counter(topic for topic, _, _ in states(messages))
    assert sum(said.values()) == rows
    counts = np.bincount(recording.sensor, minlength=len(recording.sensors))
    assert said == Counter(
        {address_of(sensor): int(count) for sensor, count in zip(recording.sensors, counts, strict=True) if count}
    )


def test_a_meter_recording_is_told_as_tasmota() -> None:
    recording = load_recording(recorded("meter_1.csv.gz"), recorded("homes.toml"))
    assert recording.states == 0
    first = next(recording_messages(recording))
    assert first.topic == "tele/kettle_w/SENSOR"
    assert body(first)["ENERGY"]["Power"] == 0
    assert body(first)["Time"] == "2013-05-20T21:28:00"


def test_rows_become_what_the_sensors_would_say(tiny: Recording) -> None:
    messages = list(recording_messages(tiny))
    assert states(messages) == [
        ("zigbee2mqtt/bed mat", "occupied", True),
        ("zigbee2mqtt/bed mat", "occupied", False),
        ("zigbee2mqtt/Kitchen/Cooktop:PIR", "occupancy", True),
        ("zigbee2mqtt/Kitchen/Cooktop:PIR", "occupancy", False),
        ("zigbee2mqtt/Front_door#12", "contact", False),
        ("zigbee2mqtt/Front_door#12", "contact", True),
    ]
    first = messages[0]
    assert first.time == datetime(2011, 6, 14, 17, 3, 39, 149_000, tzinfo=UTC)
    assert body(first)["last_seen"] == "2011-06-15T01:03:39.149+08:00"


def test_check_ins_come_hourly_and_repeat_no_state(tiny: Recording) -> None:
    check_ins = [message for message in recording_messages(tiny) if b"battery" in message.payload]
    for sensor in tiny.sensors[:4]:
        times = [message.time for message in check_ins if message.topic == address_of(sensor)]
        assert len(times) >= 10
        assert {later - earlier for earlier, later in itertools.pairwise(times)} == {timedelta(hours=1)}
    assert states(check_ins) == []


def test_after_the_cut_only_check_ins_and_the_base_load_go_on(tiny: Recording) -> None:
    cut = datetime(2011, 6, 15, 7, 0, 11)
    instant = cut.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    messages = list(recording_messages(tiny, cut))
    assert len(states(messages)) == 3
    after = [message for message in messages if message.time >= instant]
    watts = [body(message)["ENERGY"]["Power"] for message in after if message.topic.startswith("tele/")]
    assert watts == [252]
    beats = [message.time for message in after if b"battery" in message.payload]
    assert timedelta(hours=47) < beats[-1] - instant < timedelta(hours=48)


@pytest.mark.parametrize("wrong", ["2011-06-16T00:00", "2011-06-15T08:00+08:00"])
def test_a_cut_that_makes_no_sense_says_what_would(tiny: Recording, wrong: str) -> None:
    with pytest.raises(RegisterError, match="the cut"):
        list(recording_messages(tiny, datetime.fromisoformat(wrong)))


def test_wall_times_follow_the_zone_and_its_daylight_saving(tmp_path: Path) -> None:
    rows = "ts,sensor,value\n2011-03-12T12:00:00,seat,ON\n2011-03-14T12:00:00,seat,OFF\n"
    recording = load_recording(*write(tmp_path, rows))
    first, second = recording.times(ZoneInfo("America/New_York"))
    assert second - first == 47 * 3_600_000


def test_the_register_names_every_sensor_as_its_messages_do(tiny: Recording) -> None:
    (home,) = recording_register(tiny)["home"]
    devices = {device["address"]: device for device in home["device"]}
    assert {message.topic for message in recording_messages(tiny) if not message.topic.startswith("tele/")} == {
        address for address in devices if address.startswith("zigbee2mqtt/")
    }
    assert devices["zigbee2mqtt/Front_door#12"]["exterior"]
    assert [device["kind"] for device in devices.values()] == ["contact", "motion", "bed", "seat", "meter"]
    assert home["commissioned"] == "2011-06-15T01:03:39.149000+08:00"
    assert home["gateway"] == [{"key": "replay"}]
    rooms = {room["key"] for room in home["room"]}
    assert all(device.get("room", "entry") in rooms for device in home["device"])
    assert {room["kind"] for room in home["room"]} <= set(RoomKind)
    assert {device["kind"] for device in home["device"]} <= set(DeviceKind)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("time;sensor\n", r"tiny\.csv\.gz, line 1: the header"),
        ("", r"line 1: the header"),
        (ROWS + "2011-06-16T00:00:00,Cellar,ON\n", r"line 10: .*homes\.toml has no sensor 'Cellar'.*add it"),
        (ROWS + "2011-06-16T00:00:00,seat\n", r"line 10: .* has 2 columns"),
        (ROWS + "2011-06-16T00:00:00,seat,MAYBE\n", r"line 10: 'seat' is 'MAYBE'.*ON, OFF"),
        (ROWS + "2011-06-16T00:00:00,power_w,much\n", r"line 10: 'power_w' is 'much'.*watts"),
        (ROWS + "yesterday,seat,ON\n", r"line 10: 'yesterday' is no time"),
        (ROWS + "2011-06-14T00:00:00,seat,ON\n", r"line 10: earlier than the line before"),
    ],
)
def test_a_wrong_line_is_named_with_its_remedy(tmp_path: Path, rows: str, says: str) -> None:
    with pytest.raises(RegisterError, match=says):
        load_recording(*write(tmp_path, rows))


def test_a_file_that_is_missing_broken_or_unlisted_is_named(tmp_path: Path) -> None:
    csv, toml = write(tmp_path)
    with pytest.raises(RegisterError, match=r"none\.csv\.gz cannot be read"):
        load_recording(csv.with_name("none.csv.gz"), write(tmp_path, homes=HOMES.replace("tiny", "none"))[1])
    with pytest.raises(RegisterError, match=r"has no table \[tiny\]"):
        load_recording(csv, toml)
    write(tmp_path)
    csv.write_bytes(csv.read_bytes()[:40])
    with pytest.raises(RegisterError, match="no whole gzip file"):
        load_recording(csv, toml)
    with pytest.raises(RegisterError, match="--homes"):
        load_recording(csv, tmp_path / "nowhere.toml")
