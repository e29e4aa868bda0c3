"""Shelly of every generation."""

from datetime import timedelta
from typing import Any

import pytest

from core.errors import SettingsError
from core.model import DeviceKind
from gateway.drivers.base import Decoded, Discovered, Nothing
from gateway.drivers.configured import parse_fields
from gateway.drivers.shelly import VARIABLE, ShellyDriver
from tests.unit.gateway.drivers import RECEIVED, decode, values


def told(decoded: Decoded) -> dict[str, dict[str, float]]:
    """Address -> metric -> value."""
    found: dict[str, dict[str, float]] = {}
    for reading in decoded.readings:
        found.setdefault(reading.device, {})[reading.metric] = reading.value
    return found


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ("shellyplug-s-1/relay/0/power", b"12.5", {"shelly/shellyplug-s-1": {"power": 12.5}}),
        ("shellyplug-s-1/relay/0/energy", b"90000", {"shelly/shellyplug-s-1": {"energy": 1.5}}),
        ("shelly25-1/relay/1/power", b"7", {"shelly/shelly25-1/relay:1": {"power": 7}}),
        ("shelly2-1/relay/power", b"7", {"shelly/shelly2-1": {"power": 7}}),
        ("em3/emeter/0/power", b"-40", {"shelly/em3/emeter:0": {"power": -40}}),
        ("em3/emeter/2/total", b"1500", {"shelly/em3/emeter:2": {"energy": 1.5}}),
        ("em3/emeter/2/total_returned", b"500", {"shelly/em3/emeter:2": {"energy_out": 0.5}}),
        ("shellydw2-1/sensor/state", b"open", {"shelly/shellydw2-1": {"open": 1}}),
        ("shellydw2-1/sensor/state", b"close", {"shelly/shellydw2-1": {"open": 0}}),
        ("shellysense-1/sensor/motion", b"true", {"shelly/shellysense-1": {"motion": 1}}),
        ("shellyflood-1/sensor/flood", b"true", {"shelly/shellyflood-1": {"leak": 1}}),
        ("shellysmoke-1/sensor/smoke", b"false", {"shelly/shellysmoke-1": {"smoke": 0}}),
        ("shellygas-1/sensor/gas", b"heavy", {"shelly/shellygas-1": {"gas": 1}}),
        ("shellygas-1/sensor/gas", b"none", {"shelly/shellygas-1": {"gas": 0}}),
        ("shellyht-1/sensor/temperature", b"21.38", {"shelly/shellyht-1": {"temperature": 21.38}}),
        ("shellyht-1/sensor/humidity", b"50", {"shelly/shellyht-1": {"humidity": 50}}),
        ("shellyht-1/sensor/battery", b"99", {"shelly/shellyht-1": {"battery": 99}}),
        ("shelly1-1/ext_temperature/0", b"19.5", {"shelly/shelly1-1/ext:0": {"temperature": 19.5}}),
        (
            "shellymotion-1/status",
            b'{"motion":true,"timestamp":1,"active":true,"vibration":false,"lux":5,"bat":87}',
            {"shelly/shellymotion-1": {"motion": 1, "battery": 87}},
        ),
        ("shellymotion-1/status", b'{"motion":true,"active":false}', {}),
        ("x/online", b"true", {"shelly/x": {"online": 1}}),
    ],
)
def test_the_first_generation_says_one_value_a_topic(
    topic: str, payload: bytes, expected: dict[str, dict[str, float]]
) -> None:
    assert told(decode(ShellyDriver(), "shellies/" + topic, payload)) == expected


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        ("shellies/x/relay/0", b"on", Nothing.HOUSEKEEPING),
        ("shellies/x/relay/0/overpower_value", b"5", Nothing.HOUSEKEEPING),
        ("shellies/x/temperature", b"55", Nothing.HOUSEKEEPING),  # the chip's
        ("shellies/x/sensor/gas", b"test", Nothing.HOUSEKEEPING),
        ("shellies/x/sensor/lux", b"5", Nothing.HOUSEKEEPING),
        ("shellies/x/input/0", b"1", Nothing.HOUSEKEEPING),
        ("shellies/x/info", b"{}", Nothing.HOUSEKEEPING),
        ("shellies/x/something/else", b"1", Nothing.NO_READING),
        ("shellies/x/relay/0/command", b"on", Nothing.COMMAND),
        ("shellies/command", b"announce", Nothing.COMMAND),
        ("shellies/x/sensor/state", b"ajar", Nothing.UNREADABLE),
        ("shellies/x/sensor/battery", b"\xff", Nothing.UNREADABLE),
        ("shellies/x/relay/0/power", b"nan", Nothing.UNREADABLE),
        ("shellies/x/status", b"5", Nothing.UNREADABLE),
        ("shellies/x/online", b"?", Nothing.UNREADABLE),
        ("elsewhere/online", b"true", Nothing.NOT_MINE),
        ("elsewhere/status/wifi", b"{}", Nothing.NOT_MINE),
        ("elsewhere/status/a/b", b"{}", Nothing.NOT_MINE),
        ("shellyx/status/switch:0", b"5", Nothing.UNREADABLE),
        ("shellyx/events/rpc", b"{}", Nothing.UNREADABLE),
        ("shellyx/events/rpc", b'{"method":"NotifyNews","params":{}}', Nothing.NO_READING),
        ("shellyx/status/sys", b'{"uptime":5}', Nothing.HOUSEKEEPING),
        ("shellyx/status/presencezone:200", b'{"state":true}', Nothing.NO_READING),
        ("shellyx/status/bthomesensor:200", b'{"value":true}', Nothing.NO_READING),
    ],
)
def test_what_is_no_reading_says_why(topic: str, payload: bytes, why: Nothing) -> None:
    assert decode(ShellyDriver(), topic, payload).nothing is why


def rpc(params: dict[str, Any], method: str = "NotifyStatus") -> dict[str, Any]:
    return {"src": "shellyx", "dst": "shellyx/events", "method": method, "params": params}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"switch:0": {"apower": 11.5, "current": 0.07}}, {"shelly/shellyx": {"power": 11.5}}),
        ({"switch:0": {"id": 0, "output": True}}, {}),
        (
            {"switch:0": {"apower": 1}, "switch:1": {"apower": 2, "aenergy": {"total": 2500.5}}, "wifi": {"rssi": -60}},
            {"shelly/shellyx": {"power": 1, "signal": -60}, "shelly/shellyx/switch:1": {"power": 2, "energy": 2.5005}},
        ),
        (
            {"pm1:0": {"apower": -5, "aenergy": {"total": 1000}, "ret_aenergy": {"total": 4000}}},
            {"shelly/shellyx": {"power": -5, "energy": 1, "energy_out": 4}},
        ),
        (
            {"em:0": {"a_act_power": 1, "total_act_power": 6}, "emdata:0": {"total_act": 3000, "total_act_ret": 0}},
            {"shelly/shellyx": {"power": 6, "energy": 3, "energy_out": 0}},
        ),
        (
            {"em1:0": {"act_power": 6}, "em1data:0": {"total_act_energy": 3000}, "em1:1": {"act_power": 7}},
            {"shelly/shellyx/em1:0": {"power": 6, "energy": 3}, "shelly/shellyx/em1:1": {"power": 7}},
        ),
        ({"flood:0": {"alarm": True, "mute": False}}, {"shelly/shellyx": {"leak": 1}}),
        ({"smoke:0": {"alarm": False}}, {"shelly/shellyx": {"smoke": 0}}),
        (
            {"temperature:0": {"tC": 19.8, "tF": 67.6}, "humidity:0": {"rh": 42.2}, "temperature:100": {"tC": 5}},
            {
                "shelly/shellyx": {"temperature": 19.8, "humidity": 42.2},
                "shelly/shellyx/temperature:100": {"temperature": 5},
            },
        ),
        (
            {"devicepower:0": {"battery": {"V": 5.9, "percent": 90}, "external": {"present": False}}},
            {"shelly/shellyx": {"battery": 90, "battery_voltage": 5.9}},
        ),
        ({"devicepower:0": {"battery": {"V": 0.4, "percent": 0}, "external": {"present": True}}}, {}),
        ({"temperature:0": {"tC": None}, "smoke:0": {"alarm": None}}, {}),
        ({"bthomedevice:200": {"battery": 88, "rssi": -50}}, {"shelly/shellyx/bthomedevice:200": {"battery": 88}}),
    ],
)
def test_later_generations_tell_the_status_of_components_whole_or_in_part(
    params: dict[str, Any], expected: dict[str, dict[str, float]]
) -> None:
    for method in ("NotifyStatus", "NotifyFullStatus"):
        decoded = decode(ShellyDriver(), "shellyx/events/rpc", rpc({"ts": None, **params}, method))
        assert told(decoded) == expected
        assert decoded.unread == ""
    by_topic: dict[str, dict[str, float]] = {}
    for component, status in params.items():
        for address, found in told(decode(ShellyDriver(), f"shellyx/status/{component}", status)).items():
            by_topic.setdefault(address, {}).update(found)
    assert by_topic == expected


def test_a_value_that_cannot_be_is_shown_and_hides_no_other() -> None:
    params = {"switch:0": {"apower": "?", "aenergy": 5}, "smoke:0": {"alarm": 1}, "humidity:0": {"rh": 40}}
    decoded = decode(ShellyDriver(), "shellyx/events/rpc", rpc(params))
    assert values(decoded) == {"humidity": 40}
    assert decoded.unread == "switch:0 apower is '?'; smoke:0 alarm is 1"


@pytest.mark.parametrize(("seconds", "counted"), [(-5, -5), (-3600, 0), (5, 0), (-1e12, 0), (1e300, 0)])
def test_a_device_s_clock_counts_where_it_can_be_right(seconds: float, counted: float) -> None:
    at = RECEIVED.timestamp() + seconds
    (reading,) = decode(ShellyDriver(), "shellyx/events/rpc", rpc({"ts": at, "switch:0": {"apower": 1}})).readings
    assert reading.time == RECEIVED + timedelta(seconds=counted)


def test_inputs_buttons_and_bluetooth_sensors_mean_what_the_setting_says() -> None:
    fields = parse_fields("door/input:0=!open input:1=sos bthomesensor:200=motion gone/input:1=", VARIABLE)
    driver = ShellyDriver(fields=fields)
    assert told(decode(driver, "door/status/input:0", {"id": 0, "state": False})) == {"shelly/door": {"open": 1}}
    assert told(decode(driver, "other/status/input:0", {"id": 0, "state": False})) == {}
    assert told(decode(driver, "shellies/door/input/0", b"1")) == {"shelly/door": {"open": 0}}
    sensor = decode(driver, "shellyx/events/rpc", rpc({"bthomesensor:200": {"value": True, "last_updated_ts": 5}}))
    assert told(sensor) == {"shelly/shellyx/bthomesensor:200": {"motion": 1}}
    push = rpc({"ts": None, "events": [{"component": "input:1", "event": "single_push"}, 5, {}]}, "NotifyEvent")
    assert told(decode(driver, "shellyx/events/rpc", push)) == {"shelly/shellyx/input:1": {"sos": 1}}
    assert told(decode(driver, "gone/events/rpc", push)) == {}
    up = rpc({"events": [{"component": "input:1", "event": "btn_up"}]}, "NotifyEvent")
    assert decode(driver, "shellyx/events/rpc", up).nothing is Nothing.HOUSEKEEPING
    assert decode(driver, "door/status/input:0", {"state": "ajar"}).unread == "input:0 is 'ajar'"


def test_a_press_that_the_first_generation_says_again_each_half_minute_is_one_press() -> None:
    driver = ShellyDriver(fields=parse_fields("input:0=sos", VARIABLE))

    def press(device: str, count: int, event: str = "S") -> dict[str, float]:
        return values(decode(driver, f"shellies/{device}/input_event/0", {"event": event, "event_cnt": count}))

    assert press("shellyix3-1", 7) == {}  # may be of yesterday
    assert press("shellyix3-1", 7) == {}
    assert press("shellyix3-1", 8) == {"sos": 1}
    assert press("shellyix3-1", 8) == {}
    assert press("shellyix3-1", 1, "") == {}
    assert press("shellybutton1-1", 7, "L") == {"sos": 1}  # speaks only when it is pressed
    assert press("shellybutton1-1", 7, "L") == {}


def test_retained_words_make_a_device_known_and_are_no_readings() -> None:
    driver = ShellyDriver(["+", "home/+/shelly"])
    assert "home/+/shelly/events/rpc" in driver.filters
    decode(driver, "shellies/announce", {"id": "shellyplug-s-1", "model": "SHPLG-S"})
    decode(driver, "shellies/shellydw-1/online", b"false", retained=True)
    assert decode(driver, "kitchen/status/switch:0", {"apower": 5}, retained=True) == Decoded([], Nothing.RETAINED)
    assert values(decode(driver, "kitchen/online", b"true")) == {"online": 1}  # known by now
    decode(driver, "home/a/shelly/status/smoke:0", {"alarm": False})
    assert driver.discovered() == [
        Discovered("shelly/shellyplug-s-1", None, True, "shellyplug-s-1", "Shelly SHPLG-S"),
        Discovered("shelly/shellydw-1", None, False, "shellydw-1", online=False),
        Discovered("shelly/kitchen", name="kitchen", online=True),
        Discovered("shelly/home/a/shelly", DeviceKind.SMOKE, name="home/a/shelly", metrics=frozenset({"smoke"})),
    ]


def test_a_prefix_below_shellies_is_of_either_generation() -> None:
    driver = ShellyDriver()
    assert told(decode(driver, "shellies/k/status/switch:0", {"apower": 5})) == {"shelly/k": {"power": 5}}
    assert told(decode(driver, "shellies/k/events/rpc", rpc({"switch:0": {"apower": 5}}))) == {"shelly/k": {"power": 5}}
    assert told(decode(driver, "shellies/k/online", b"true")) == {"shelly/k": {"online": 1}}


@pytest.mark.parametrize("prefix", ["", "/", "#", "home/#"])
def test_a_wrong_prefix_is_named(prefix: str) -> None:
    with pytest.raises(SettingsError, match="YIJU_SHELLY_TOPICS has"):
        ShellyDriver([prefix])
