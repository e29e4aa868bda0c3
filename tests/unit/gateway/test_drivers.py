"""The drivers on single messages, and on junk."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.metrics import BY_NAME
from gateway.drivers.base import Decoded, Driver, Nothing, is_address
from gateway.drivers.tasmota import TasmotaDriver
from gateway.drivers.zigbee2mqtt import _FIELDS, Zigbee2MqttDriver

RECEIVED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ZIGBEE = Zigbee2MqttDriver()
TASMOTA = TasmotaDriver()


def decode(topic: str, payload: object, *, driver: Driver = ZIGBEE, retained: bool = False) -> Decoded:
    raw = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    return driver.decode(topic, raw, RECEIVED, retained)


def values(decoded: Decoded) -> dict[str, float]:
    return {reading.metric: reading.value for reading in decoded.readings}


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
        ({"battery": True, "contact": 1, "power": "12", "smoke": "true"}, {}),
        ({"device_temperature": 31, "voltage": 3000, "toString": 1}, {}),
    ],
)
def test_zigbee_fields_become_metrics_and_the_rest_is_kept_out(message: Any, expected: dict[str, float]) -> None:
    decoded = decode("zigbee2mqtt/x", message)
    assert values(decoded) == expected
    assert decoded.nothing is (None if expected else Nothing.NO_READING)


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
        ("zigbee2mqtt/bridge/devices", b"[]", Nothing.BRIDGE),
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
    assert decode("tele/plug/LWT", b"Online", driver=TASMOTA, retained=True) == Decoded([], Nothing.RETAINED)


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
    ("message", "expected"),
    [
        ({"ENERGY": {"Power": 12.5, "Total": 3}}, {"power": 12.5, "energy": 3}),
        ({"ENERGY": {"Power": [1, 2.5, 3], "Total": [1, 1, 1]}}, {"power": 6.5, "energy": 3}),
        ({"ENERGY": {"Power": [1, None], "Total": []}}, {}),
        ({"ENERGY": [1]}, {}),
        ({"SML": {"Power_cur": -300, "total_in": 9000.5}}, {"power": -300, "energy": 9000.5}),
        ({"Switch1": "ON"}, {"open": 1}),
        ({"Switch1": "TOGGLE"}, {}),
        ({"ESP32": {"Temperature": 65.6}}, {}),
    ],
)
def test_tasmota_sensors_become_metrics(message: Any, expected: dict[str, float]) -> None:
    decoded = decode("tele/meter/SENSOR", {"Time": "1970-01-01T00:00:00", **message}, driver=TASMOTA)
    assert values(decoded) == expected
    assert all(reading.time == RECEIVED and reading.device == "tasmota/meter" for reading in decoded.readings)


def test_tasmota_says_whether_it_is_there() -> None:
    assert values(decode("tele/plug/LWT", b"Online", driver=TASMOTA)) == {"online": 1}
    assert values(decode("tele/plug/LWT", b"Offline", driver=TASMOTA)) == {"online": 0}
    assert decode("tele/plug/LWT", b"?", driver=TASMOTA).nothing is Nothing.UNREADABLE
    assert decode("tele/plug/STATE", b'{"UptimeSec":194}', driver=TASMOTA).nothing is Nothing.NO_READING
    assert decode("stat/plug/RESULT", b"{}", driver=TASMOTA).nothing is Nothing.NOT_MINE


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(
    [*_FIELDS, "action", "last_seen", "state", "ENERGY", "SML", "Switch1", "Power", "Total", "Power_curr", "x"]
)
messages = st.dictionaries(fields, json_values | st.dictionaries(fields, json_values, max_size=4), max_size=8)
payloads = (
    st.binary(max_size=60)
    | json_values.filter(lambda v: _can_encode(v)).map(msgspec.json.encode)
    | messages.filter(lambda v: _can_encode(v)).map(msgspec.json.encode)
)
topics = st.sampled_from(
    ["zigbee2mqtt/a", "zigbee2mqtt/a/availability", "zigbee2mqtt/a/power", "zigbee2mqtt/a/action", "tele/a/SENSOR",
     "tele/a/LWT", "zigbee2mqtt/", "tele//SENSOR", "/", ""]
) | st.text().map("zigbee2mqtt/{}".format) | st.text().map("tele/{}/SENSOR".format) | st.text()  # fmt: skip


def _can_encode(value: object) -> bool:
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, OverflowError, msgspec.MsgspecError):
        return False
    return True


@given(topics, payloads, st.booleans())
@example("zigbee2mqtt/a", b'{"power":' + b"9" * 400 + b"}", False)
@example("zigbee2mqtt/a", b'{"power":1e999}', False)
@example("tele/a/SENSOR", b'{"ENERGY":{"Power":[1e308,1e308]}}', False)
@example("zigbee2mqtt/\ud800", b'{"contact":true}', False)
def test_no_message_whatever_raises_or_gives_what_the_wire_cannot_carry(
    topic: str, payload: bytes, retained: bool
) -> None:
    for driver in (ZIGBEE, TASMOTA):
        decoded = driver.decode(topic, payload, RECEIVED, retained)
        assert bool(decoded.readings) is (decoded.nothing is None)
        assert not (retained and decoded.readings)
        for reading in decoded.readings:
            assert reading.metric in BY_NAME
            assert is_address(reading.device)
            assert reading.time <= reading.received
            assert msgspec.json.decode(msgspec.json.encode(reading.value)) == reading.value
