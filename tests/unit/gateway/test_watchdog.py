"""Silence is judged per device, a hub that is away is one incident, and only time that could be heard counts."""

from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.model import Reading
from gateway.quiet import DAYS, LEAST_BATTERY_S, Quiet
from gateway.watchdog import Watchdog
from tests.unit.gateway.home_parts import DAY, DOOR, HOUR, MINUTE, PLUG, SMOKE, SOS, START, configuration, reading


class Time:
    """A watchdog and its time."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "watchdog.json"
        self.now = START
        self.said: list[Reading] = []
        self.begin()

    def begin(self) -> None:
        """A start of the gateway."""
        self.dog = Watchdog(self.file)
        self.dog.configure(configuration())
        self.dog.tick(self.now)

    def speak(self, *devices: str, metric: str = "battery", value: float = 90, late: timedelta = timedelta()) -> None:
        self.dog.heard([reading(device, metric, self.now, value, late=late) for device in devices])

    def go(self, span: timedelta, *chatty: str) -> list[tuple[str, str, float]]:
        """Time passes, minute by minute; `chatty` devices speak each minute. Returns what was said."""
        said: list[Reading] = []
        for _ in range(span // MINUTE):
            self.now += MINUTE
            self.speak(*chatty)
            said += self.dog.tick(self.now)
        self.said += said
        return [(one.device, one.metric, one.value) for one in said]


def test_a_mains_device_is_silent_within_minutes_and_heard_at_once(tmp_path: Path) -> None:
    time = Time(tmp_path)
    time.speak(PLUG, DOOR)
    assert time.go(15 * MINUTE, DOOR) == []
    assert time.go(MINUTE, DOOR) == [(PLUG, "silent", 1)]
    assert time.go(HOUR, DOOR) == []  # said once
    time.speak(PLUG)
    assert time.go(MINUTE, DOOR) == [(PLUG, "silent", 0)]


def test_a_battery_devices_limit_is_learned_from_its_longest_usual_gap(tmp_path: Path) -> None:
    time = Time(tmp_path)
    for day in range(6):
        for hours in (8, 4, 4, 4, 4) if day == 3 else (4,) * 6:  # once it misses a turn: that worst gap is trimmed
            time.speak(DOOR)
            time.go(hours * HOUR, PLUG)
    assert 2 * 4 * 3600 <= (time.dog.limit_s(DOOR) or 0) < 2 * 4 * 3600 + 600
    limits = [one.value for one in time.said if one.metric == "silence_limit" and one.device == DOOR]
    assert limits
    assert abs(limits[-1] - 8 * 3600) < 0.2 * 8 * 3600
    time.speak(DOOR)
    assert (DOOR, "silent", 1) not in time.go(8 * HOUR - 5 * MINUTE, PLUG)
    assert (DOOR, "silent", 1) in time.go(20 * MINUTE, PLUG)


def test_a_hub_that_says_that_it_is_offline_is_one_incident_and_its_return_accuses_nobody(tmp_path: Path) -> None:
    time = Time(tmp_path)
    time.speak(PLUG, DOOR, SOS, SMOKE)
    time.go(5 * MINUTE, PLUG)
    time.dog.hub("zigbee2mqtt", False, time.now)
    assert time.go(MINUTE) == []  # a restart is no incident
    said = time.go(3 * HOUR)
    assert ("gateway", "hubs_down", 1) in said
    assert {(device, value) for device, metric, value in said if metric == "silent"} == {
        (device, 2) for device in (PLUG, DOOR, SOS, SMOKE)
    }
    assert len(said) == 5
    time.dog.hub("zigbee2mqtt", True, time.now)
    back = time.go(MINUTE)
    assert ("gateway", "hubs_down", 0) in back
    assert {(device, value) for device, metric, value in back if metric == "silent"} == {
        (device, 0) for device in (PLUG, DOOR, SOS, SMOKE)
    }
    assert time.go(10 * MINUTE) == []  # the plug has its whole limit


def test_no_message_of_a_whole_driver_is_the_hubs_silence(tmp_path: Path) -> None:
    time = Time(tmp_path)
    time.speak(PLUG, DOOR)
    said = time.go(17 * MINUTE)
    assert ("gateway", "hubs_down", 1) in said
    assert (PLUG, "silent", 2) in said
    assert not [one for one in said if one[1] == "silent" and one[2] == 1]


def test_without_the_homes_broker_no_device_is_accused(tmp_path: Path) -> None:
    time = Time(tmp_path)
    time.speak(PLUG, DOOR)
    time.dog.broker(False, time.now)
    said = time.go(2 * DAY)
    assert {value for _, metric, value in said if metric == "silent"} == {2}
    time.dog.broker(True, time.now)
    assert {value for _, metric, value in time.go(MINUTE) if metric == "silent"} == {0}


def test_what_is_declared_gone_and_what_is_only_remembered_was_not_heard(tmp_path: Path) -> None:
    time = Time(tmp_path)
    time.speak(PLUG, DOOR)
    for _ in range(16):
        time.speak(PLUG, metric="online", value=0)
        time.speak(PLUG, metric="power", value=3, late=HOUR)
        time.go(MINUTE, DOOR)
    assert (PLUG, "silent", 1.0) in [(one.device, one.metric, one.value) for one in time.said]


def test_a_dead_sensor_is_found_where_the_gateway_restarts_each_day(tmp_path: Path) -> None:
    time = Time(tmp_path)
    time.speak(DOOR)
    said: list[tuple[str, str, float]] = []
    for _ in range(4):
        said += time.go(9 * HOUR, PLUG)
        time.dog.save()
        time.now += 15 * HOUR  # the plug is pulled at night: that time was not watched
        time.begin()
    assert {one for one in said if one[0] == DOOR} == {(DOOR, "silent", 1)}


def test_a_clock_that_jumps_by_years_accuses_nobody(tmp_path: Path) -> None:
    time = Time(tmp_path)
    time.speak(PLUG, DOOR, SOS, SMOKE)
    time.now += 3650 * DAY
    assert time.go(2 * MINUTE) == []
    time.now -= 7000 * DAY
    assert time.go(2 * MINUTE) == []


def test_a_damaged_memory_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "watchdog.json").write_bytes(b'{"devices": {"x": ')
    time = Time(tmp_path)
    time.speak(PLUG)
    assert time.go(16 * MINUTE, DOOR) == [(PLUG, "silent", 1)]


def test_a_device_that_is_not_registered_any_more_is_forgotten(tmp_path: Path) -> None:
    time = Time(tmp_path)
    time.speak(PLUG)
    time.go(20 * MINUTE, DOOR)
    assert time.dog.silent() == {PLUG: 1}
    rest = configuration()
    rest.devices[:] = [device for device in rest.devices if device.address != PLUG]
    time.dog.configure(rest)
    assert time.dog.silent() == {}
    assert time.go(HOUR, DOOR) == []


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 86_400)), max_size=60))
def test_a_learned_limit_stays_within_its_bounds_and_the_memory_small(gaps: list[tuple[int, float]]) -> None:
    quiet = Quiet(heard=True)
    for day, gap in gaps:
        quiet.pass_time(gap)
        quiet.speak(datetime(2026, 1, 1, tzinfo=START.tzinfo) + day * DAY)
    assert len(quiet.days) <= DAYS
    battery = quiet.limit_s(mains=False, first_s=93_600, most_s=72 * 3600)
    assert LEAST_BATTERY_S <= battery <= 93_600 or battery <= 72 * 3600
    assert 900 <= quiet.limit_s(mains=True, first_s=900, most_s=72 * 3600) <= 7200
    usual = quiet.usual_s()
    assert usual is None or sum(gap > usual for gap in quiet.days.values()) <= 1
