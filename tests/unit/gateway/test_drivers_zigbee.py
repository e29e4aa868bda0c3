"""Zigbee2MQTT: fields, topics, the list of devices, presses and times."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.model import DeviceKind
from gateway.drivers.base import Decoded, Discovered, Driver, Nothing
from gateway.drivers.zigbee2mqtt import Zigbee2MqttDriver
from tests.unit.gateway.drivers import RECEIVED, values
from tests.unit.gateway.drivers import decode as decode_by

SHANGHAI = ZoneInfo("Asia/Shanghai")


def decode(topic: str, payload: object, *, driver: Driver | None = None, retained: bool = False) -> Decoded:
    return decode_by(driver or Zigbee2MqttDriver(), topic, payload, retained=retained)


def test_a_closed_contact_is_not_open() -> None:
    assert values(decode("zigbee2mqtt/FrontDoor", {"contact": True})) == {"open": 0}
    assert values(decode("zigbee2mqtt/FrontDoor", {"contact": False})) == {"open": 1}


def test_a_friendly_name_may_hold_slashes_and_any_letter() -> None:
    (reading,) = decode("zigbee2mqtt/二楼/卧室 #5 +/power", {"occupancy": True}).readings
    assert reading.device == "zigbee2mqtt/二楼/卧室 #5 +/power"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"fall_status": "normal"}, {"fall": 0}),
        ({"fall_status": "fall_warning"}, {"fall": 1}),
        ({"fall_status": "fall_alarm"}, {"fall": 2}),
        ({"fall_status": "unknown"}, {}),
        ({"fall_down_status": "none"}, {"fall": 0}),
        ({"fall_down_status": "maybe_fall"}, {"fall": 1}),
        ({"fall_down_status": "fall"}, {"fall": 2}),
        ({"fall_down_status": "fall", "fall_status": "normal"}, {"fall": 2}),
        ({"presence_state": "none"}, {"presence": 0}),
        ({"presence": True}, {"presence": 1}),
        ({"occupied": True}, {"occupied": 1}),
        ({"pressure_state": False}, {"occupied": 0}),
        ({"action": "emergency"}, {"sos": 1}),
        ({"action": ""}, {}),
        ({"action": None, "battery": None}, {}),
        ({"action": "single"}, {}),
        ({"smoke": True, "gas": False}, {"smoke": 1, "gas": 0}),
        ({"water_leak": True, "tamper": False}, {"leak": 1, "tamper": 0}),
        ({"temperature": 7.14, "humidity": 67.1, "pressure": 994}, {"temperature": 7.14, "humidity": 67.1}),
        ({"power": "12.5", "battery": "1e1", "energy": ""}, {"power": 12.5, "battery": 10}),
        ({"produced_energy": 3.5, "energy": 7}, {"energy_out": 3.5, "energy": 7}),
        ({"power_a": -1, "power_b": 2.5, "power_c": "3"}, {"power": 4.5}),
        ({"power_phase_a": 1, "power_phase_b": 2, "power_phase_c": 3, "power": 9}, {"power": 9}),
        ({"power_a": 1, "power_b": 2, "power_c": None}, {}),
        ({"movement": "movement"}, {"motion": 1}),
        ({"movement": "unknown_1"}, {}),
        ({"pir_detection": True, "occupancy": False}, {"motion": 1}),
        ({"battery_state": "low"}, {"battery_low": 1}),
        ({"smoke_state": "alarm"}, {"smoke": 1}),
        ({"device_temperature": 31, "voltage": 3000, "toString": 1}, {}),
    ],
)
def test_zigbee_fields_become_metrics_and_the_rest_is_kept_out(message: Any, expected: dict[str, float]) -> None:
    decoded = decode("zigbee2mqtt/x", message)
    assert (values(decoded), decoded.unread) == (expected, "")
    assert decoded.nothing is (None if expected else Nothing.NO_READING)


@pytest.mark.parametrize(
    ("message", "unread"),
    [
        ({"contact": 1}, "contact is 1: neither true nor false"),
        ({"smoke": "true"}, "smoke is 'true'"),
        ({"battery": True}, "battery is True: no number"),
        ({"battery": "full"}, "battery is 'full'"),
        ({"power": [12]}, "power is [12]"),
        ({"energy": {"total": 1}}, "energy is {"),
        ({"fall_status": "lying"}, "fall_status is 'lying': none of normal, fall_warning"),
        ({"action": 1}, "action is 1"),
        ({"action": ["emergency"]}, "action is ["),
    ],
)
def test_a_value_that_a_field_cannot_have_is_shown_and_hides_no_other(message: Any, unread: str) -> None:
    decoded = decode("zigbee2mqtt/x", {**message, "humidity": 50})
    assert values(decoded) == {"humidity": 50}
    assert decoded.unread.startswith(unread)
    assert decoded.puzzling == decoded.unread
    alone = decode("zigbee2mqtt/x", message)
    assert alone.nothing is Nothing.NO_READING
    assert alone.unread == decoded.unread


def test_a_button_says_i_am_all_right_only_where_it_is_configured_so() -> None:
    driver = Zigbee2MqttDriver(ok_actions=frozenset({"single"}))
    assert values(decode("zigbee2mqtt/Button", {"action": "single"}, driver=driver)) == {"ok_press": 1}


def test_the_attribute_mode_carries_one_bare_value() -> None:
    assert [r.device for r in decode("zigbee2mqtt/Bad/Tür/contact", b"false").readings] == ["zigbee2mqtt/Bad/Tür"]
    assert values(decode("zigbee2mqtt/Bad/Tür/contact", b"false")) == {"open": 1}
    assert values(decode("zigbee2mqtt/Button/action", b"emergency")) == {"sos": 1}
    assert values(decode("zigbee2mqtt/Button/action", b'"emergency"')) == {"sos": 1}
    assert decode("zigbee2mqtt/power", b"0").nothing is Nothing.UNREADABLE  # a device of that name, not a field


@pytest.mark.parametrize("payload", [b"online", b'{"state":"online"}', b'"online"'])
def test_availability_is_online(payload: bytes) -> None:
    assert values(decode("zigbee2mqtt/a/b/availability", payload)) == {"online": 1}
    assert values(decode("zigbee2mqtt/a/b/availability", payload.replace(b"online", b"offline"))) == {"online": 0}
    assert decode("zigbee2mqtt/a/availability", b"sleeping").nothing is Nothing.UNREADABLE


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        ("zigbee2mqtt/bridge/state", b"online", Nothing.BRIDGE),
        ("zigbee2mqtt/bridge/devices", b"[]", Nothing.CONFIGURATION),
        ("zigbee2mqtt/Lamp", b"", Nothing.HOUSEKEEPING),
        ("zigbee2mqtt/Lamp/set", b'{"occupancy":true}', Nothing.COMMAND),
        ("zigbee2mqtt/Lamp/set/power", b"5", Nothing.COMMAND),
        ("zigbee2mqtt/Lamp/get", b'{"contact":""}', Nothing.COMMAND),
        ("zigbee2mqtt2/Lamp", b"{}", Nothing.NOT_MINE),
        ("zigbee2mqtt/Lamp", b"\xff\x00", Nothing.UNREADABLE),
        ("zigbee2mqtt/Lamp", b'{"power":NaN}', Nothing.UNREADABLE),
        ("zigbee2mqtt/Lamp", b"[" * 100_000, Nothing.UNREADABLE),
        ("zigbee2mqtt/" + "x" * 300, b'{"contact":true}', Nothing.BAD_NAME),
        ("zigbee2mqtt/a\x00b", b'{"contact":true}', Nothing.BAD_NAME),
    ],
)
def test_what_is_no_reading_says_why(topic: str, payload: bytes, why: Nothing) -> None:
    assert decode(topic, payload) == Decoded([], why)


def test_a_retained_message_is_not_a_reading() -> None:
    assert decode("zigbee2mqtt/Motion", {"occupancy": True}, retained=True) == Decoded([], Nothing.RETAINED)


@pytest.mark.parametrize(
    ("last_seen", "measured"),
    [
        ("2026-03-02T16:59:57+08:00", RECEIVED - timedelta(seconds=3)),
        ("2026-03-02T08:59:57.250Z", RECEIVED - timedelta(seconds=2.75)),
        (1772441997000, RECEIVED - timedelta(seconds=3)),
        ("2026-02-20T09:00:00Z", RECEIVED - timedelta(days=10)),  # a state that Zigbee2MQTT remembered
        ("2026-03-02T09:00:01Z", RECEIVED),  # ahead of us: not yet measured
        ("2099-01-01T00:00:00Z", RECEIVED),
        ("1970-01-01T00:00:05Z", RECEIVED),  # a clock that was never set
        ("2026-03-02T08:59:57", RECEIVED),  # no zone
        (5, RECEIVED),
        (1e300, RECEIVED),
        (True, RECEIVED),
        ("N/A", RECEIVED),
        (None, RECEIVED),
    ],
)
def test_last_seen_is_when_it_was_measured_if_it_can_be_true(last_seen: object, measured: datetime) -> None:
    (reading,) = decode("zigbee2mqtt/Door", {"contact": True, "last_seen": last_seen}).readings
    assert (reading.time, reading.received) == (measured, RECEIVED)


@pytest.mark.parametrize(
    ("last_seen", "seconds_ago"),
    [
        ("2026-03-02T16:59:57", 3),
        ("2026-03-02T16:59:57.500", 2.5),
        ("2026-03-02 16:59:57", 3),
        ("2026-02-20T16:59:57", 10 * 86_400 + 3),
        ("2026-03-02T17:00:01", 0),  # ahead of us
        ("2026-03-02T08:59:57Z", 3),
    ],
)
def test_a_local_last_seen_counts_where_the_zone_is_a_setting(last_seen: str, seconds_ago: float) -> None:
    driver = Zigbee2MqttDriver(zone=SHANGHAI)
    (reading,) = decode("zigbee2mqtt/Door", {"contact": True, "last_seen": last_seen}, driver=driver).readings
    assert (RECEIVED - reading.time).total_seconds() == seconds_ago


def test_the_hour_that_happens_twice_is_the_later_one_that_can_be_true() -> None:
    driver = Zigbee2MqttDriver(zone=ZoneInfo("Europe/Berlin"))
    payload = b'{"contact":true,"last_seen":"2026-10-25T02:30:00"}'
    for received, measured in [("01:40", "01:30"), ("00:40", "00:30")]:
        at = datetime.fromisoformat(f"2026-10-25T{received}Z")
        (reading,) = driver.decode("zigbee2mqtt/Door", payload, at, retained=False).readings
        assert reading.time == datetime.fromisoformat(f"2026-10-25T{measured}Z")


def entry(name: str, exposes: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """One device of `bridge/devices`, as Zigbee2MQTT writes it."""
    return {
        "ieee_address": f"0x{hash(name) & 0xFFFFFFFF:016x}",
        "type": "EndDevice",
        "supported": True,
        "disabled": False,
        "friendly_name": name,
        "definition": {"vendor": "Aqara", "model": "X1", "description": "Thing", "exposes": exposes},
        "power_source": "Battery",
        **more,
    }


def binary(field: str, on: object = True, off: object = False) -> dict[str, Any]:
    return {"type": "binary", "name": field, "property": field, "value_on": on, "value_off": off, "access": 1}


def told(*entries: object, driver: Zigbee2MqttDriver | None = None) -> Zigbee2MqttDriver:
    """A driver that has received the retained list of devices."""
    driver = driver or Zigbee2MqttDriver()
    assert decode("zigbee2mqtt/bridge/devices", list(entries), driver=driver, retained=True).nothing is (
        Nothing.CONFIGURATION
    )
    return driver


def test_devices_are_discovered_from_the_retained_list() -> None:
    plug = entry(
        "Plug",
        [
            {"type": "switch", "features": [{**binary("state", "ON", "OFF"), "name": "state"}]},
            {"type": "numeric", "name": "power", "property": "power", "unit": "W"},
            {"type": "numeric", "name": "energy", "property": "energy", "unit": "kWh"},
        ],
        power_source="Mains (single phase)",
    )
    button = entry("Button", [{"type": "enum", "property": "action", "values": ["emergency"]}])
    driver = told(
        {"type": "Coordinator", "friendly_name": "Coordinator", "ieee_address": "0x00"},
        plug,
        button,
        entry("楼上/Bed", [binary("occupied")], power_source="DC Source"),
        entry("Out of use", [binary("contact", False, True)], disabled=True),
        entry("Unsupported", [], definition=None, power_source=None, model_id="Z3", manufacturer="Nobody"),
        *[None, 5, {}, {"friendly_name": 7}, {"friendly_name": "x"}, []],
    )
    link = frozenset({"link_quality"})
    assert driver.discovered() == [
        Discovered("zigbee2mqtt/Plug", DeviceKind.PLUG, True, "Plug", "Aqara X1 Thing", link | {"power", "energy"}),
        Discovered("zigbee2mqtt/Button", DeviceKind.SOS, False, "Button", "Aqara X1 Thing", link | {"sos"}),
        Discovered("zigbee2mqtt/楼上/Bed", DeviceKind.BED, True, "楼上/Bed", "Aqara X1 Thing", link | {"occupied"}),
        Discovered("zigbee2mqtt/Unsupported", None, None, "Unsupported", "Nobody Z3", link),
    ]


def test_a_renamed_device_tells_its_former_address() -> None:
    exposes = [binary("contact", False, True)]
    driver = told(entry("0x01", exposes, ieee_address="0x01"), entry("b", exposes, ieee_address="0x02"))
    told(entry("Door", exposes, ieee_address="0x01"), entry("b", exposes, ieee_address="0x02"), driver=driver)
    assert [(d.address, d.former) for d in driver.discovered()] == [
        ("zigbee2mqtt/Door", "zigbee2mqtt/0x01"),
        ("zigbee2mqtt/b", ""),
    ]


def test_what_the_bridge_and_a_retained_availability_say_is_known_and_is_no_reading() -> None:
    driver = told(entry("Door", []), entry("Other", []))
    assert driver.hub_online is None
    for payload, online in [(b"online", True), (b'{"state":"offline"}', False), (b"?", False)]:
        decode("zigbee2mqtt/bridge/state", payload, driver=driver, retained=True)
        assert driver.hub_online is online
    assert "'?'" in decode("zigbee2mqtt/bridge/state", b"?", driver=driver).puzzling
    retained = decode("zigbee2mqtt/Door/availability", b'{"state":"offline"}', driver=driver, retained=True)
    assert retained == Decoded([], Nothing.RETAINED)
    assert [device.online for device in driver.discovered()] == [False, None]


@pytest.mark.parametrize("payload", [b"{}", b"5", b"null", b"", b"\xff", b'"x"'])
def test_a_list_of_devices_that_is_none_is_shown_and_forgets_nothing(payload: bytes) -> None:
    driver = told(entry("Door", []))
    decoded = decode("zigbee2mqtt/bridge/devices", payload, driver=driver)
    assert (decoded.nothing, bool(decoded.puzzling)) == (Nothing.BRIDGE, True)
    assert len(driver.discovered()) == 1


def test_names_that_end_in_topic_words_are_names() -> None:
    driver = told(*(entry(name, []) for name in ("Kitchen/availability", "Hall/set", "Hall/get/contact", "a/action")))
    for name in ("Kitchen/availability", "Hall/set", "Hall/get/contact", "a/action"):
        decoded = decode(f"zigbee2mqtt/{name}", {"contact": False}, driver=driver)
        assert [(r.device, r.value) for r in decoded.readings] == [(f"zigbee2mqtt/{name}", 1)], name
        away = decode(f"zigbee2mqtt/{name}/availability", {"state": "offline"}, driver=driver)
        assert [(r.device, r.metric) for r in away.readings] == [(f"zigbee2mqtt/{name}", "online")], name
        assert decode(f"zigbee2mqtt/{name}/set", {"contact": False}, driver=driver).nothing is Nothing.COMMAND
        bare = decode(f"zigbee2mqtt/{name}/contact", b"false", driver=driver)
        assert [r.device for r in bare.readings] == [f"zigbee2mqtt/{name}"], name


def test_where_two_names_fit_a_topic_only_what_is_certain_is_read() -> None:
    driver = told(*(entry(name, []) for name in ("a", "a/availability", "a/set", "a/contact")))
    assert [r.device for r in decode("zigbee2mqtt/a/availability", b"online", driver=driver).readings] == [
        "zigbee2mqtt/a"
    ]
    state = decode("zigbee2mqtt/a/availability", {"contact": True}, driver=driver)
    assert [r.device for r in state.readings] == ["zigbee2mqtt/a/availability"]
    assert [r.device for r in decode("zigbee2mqtt/a/contact", b"true", driver=driver).readings] == ["zigbee2mqtt/a"]
    state = decode("zigbee2mqtt/a/contact", {"contact": True}, driver=driver)
    assert [r.device for r in state.readings] == ["zigbee2mqtt/a/contact"]
    unclear = decode("zigbee2mqtt/a/set", {"occupancy": True}, driver=driver)
    assert unclear.readings == []
    assert "a command to one device" in unclear.puzzling


def test_on_and_off_are_what_the_definition_says() -> None:
    exposes = [binary("occupancy", "ON", "OFF"), binary("smoke", "alarm", "ok"), binary("contact", "open", "closed")]
    driver = told(entry("x", exposes), entry("upside down", [binary("occupied", False, True)]))
    told_on = decode("zigbee2mqtt/x", {"occupancy": "ON", "smoke": "alarm", "contact": "open"}, driver=driver)
    assert values(told_on) == {"motion": 1, "smoke": 1, "open": 1}
    told_off = decode("zigbee2mqtt/x", {"occupancy": "OFF", "smoke": "ok", "contact": "closed"}, driver=driver)
    assert values(told_off) == {"motion": 0, "smoke": 0, "open": 0}
    neither = decode("zigbee2mqtt/x", {"occupancy": True}, driver=driver)
    assert (neither.readings, neither.unread) == ([], "occupancy is True: neither 'ON' nor 'OFF'")
    assert values(decode("zigbee2mqtt/upside down", {"occupied": False}, driver=driver)) == {"occupied": 1}


@pytest.mark.parametrize(("on", "off"), [(True, False), (False, True)])
def test_a_contact_of_true_is_closed_whichever_of_both_its_definition_calls_on(on: bool, off: bool) -> None:
    driver = told(entry("Door", [binary("contact", on, off)]))
    assert values(decode("zigbee2mqtt/Door", {"contact": True}, driver=driver)) == {"open": 0}


def test_a_battery_s_millivolts_are_read_where_the_definition_says_that_they_are_that() -> None:
    millivolts = {"type": "numeric", "property": "voltage", "unit": "mV"}
    driver = told(entry("Door", [millivolts]), entry("Plug", [{**millivolts, "unit": "V"}], power_source="DC Source"))
    assert values(decode("zigbee2mqtt/Door", {"voltage": 2955}, driver=driver)) == {"battery_voltage": 2.955}
    assert decode("zigbee2mqtt/Plug", {"voltage": 229}, driver=driver).nothing is Nothing.HOUSEKEEPING


def test_a_described_device_that_tells_nothing_for_us_is_no_riddle() -> None:
    driver = told(entry("Lamp", [{"type": "light", "features": [binary("state", "ON", "OFF")]}]))
    assert decode("zigbee2mqtt/Lamp", {"state": "ON"}, driver=driver).puzzling == ""
    assert decode("zigbee2mqtt/Lamp/brightness", b"5", driver=driver).puzzling == ""
    assert decode("zigbee2mqtt/Unknown", {"state": "ON"}, driver=driver).puzzling == "no_reading"


def test_a_press_that_is_said_on_both_topics_is_one_press_and_a_second_press_is_two() -> None:
    driver = Zigbee2MqttDriver()

    def press(topic: str, payload: bytes, milliseconds: int) -> Decoded:
        at = RECEIVED + timedelta(milliseconds=milliseconds)
        return driver.decode(f"zigbee2mqtt/{topic}", payload, at, retained=False)

    whole, bare = (b'{"action":"emergency"}', b"emergency")
    assert len(press("Button", whole, 0).readings) == 1
    assert press("Button/action", bare, 5).nothing is Nothing.REPEATED
    assert press("Button", b'{"action":""}', 10).readings == []
    assert press("Button/action", b"", 11).readings == []
    assert len(press("Button", whole, 1_000).readings) == 1  # pressed again
    assert len(press("Button", whole, 1_500).readings) == 1  # and again
    assert len(press("Other/action", bare, 1_501).readings) == 1
    assert len(press("Button/action", bare, 9_000).readings) == 1
    both = press("Button", b'{"action":"emergency","battery":90}', 9_001)
    assert [reading.metric for reading in both.readings] == ["battery"]


def test_sos_actions_are_a_setting_and_win_over_i_am_all_right() -> None:
    driver = Zigbee2MqttDriver(ok_actions=frozenset({"single", "double", "sos"}), sos_actions=frozenset({"double"}))
    for action, metric in [("single", "ok_press"), ("double", "sos"), ("sos", "sos"), ("emergency", "sos")]:
        assert values(decode("zigbee2mqtt/B", {"action": action}, driver=driver)) == {metric: 1}
