"""All drivers together: whatever is said at a home's broker, nothing raises, and what is not understood is kept."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.clock import ManualClock
from core.errors import SettingsError
from core.metrics import BY_NAME
from gateway.drivers.base import Driver, Nothing, is_address
from gateway.drivers.set_up import set_up
from gateway.drivers.zigbee_fields import FIELDS
from gateway.gateway import Gateway
from gateway.settings import Settings
from tests.unit.gateway.chatter import JSON, PAYLOADS, TOPICS, encoded
from tests.unit.gateway.drivers import RECEIVED

SETTINGS = Settings(
    "gw-1",
    "secret",
    "mqtt://127.0.0.1:1",
    gateway_folder="/nowhere",
    ok_actions="single",
    device_zone="Asia/Shanghai",
    tasmota_fields="SML.x=power*1000 Switch2=!occupied Button1=sos COUNTER.C1=water",
    shelly_fields="input:0=open input:1=sos bthomesensor:200=motion",
    homeassistant_fields="bed=occupied help=sos",
)


def said(drivers: tuple[Driver, ...], topic: str, payload: bytes, *, retained: bool) -> None:
    """Gives a message to the drivers as the gateway does, and checks what they make of it."""
    for driver in drivers:
        decoded = driver.decode(topic, payload, RECEIVED, retained)
        assert bool(decoded.readings) is (decoded.nothing is None)
        assert not (retained and decoded.readings)
        for reading in decoded.readings:
            assert reading.metric in BY_NAME
            assert is_address(reading.device)
            assert reading.device.startswith(driver.name + "/")
            assert reading.time <= reading.received == RECEIVED
            assert msgspec.json.decode(msgspec.json.encode(reading.value)) == reading.value
        assert isinstance(decoded.puzzling, str)
        for device in driver.discovered():
            assert device.metrics <= BY_NAME.keys()
        assert all(driver.filters)


@given(st.lists(st.tuples(TOPICS, PAYLOADS, st.booleans()), min_size=1, max_size=6))
@example([("zigbee2mqtt/a", b'{"power":' + b"9" * 400 + b"}", False)])
@example([("zigbee2mqtt/a", b'{"power":1e999}', False)])
@example([("zigbee2mqtt/a", b"[" * 100_000, False)])
@example([("tele/a/SENSOR", b'{"ENERGY":{"Power":[1e308,1e308]}}', False)])
@example([("tele/a/SENSOR", b'{"SML":{"x":1e308}}', False)])
@example([("stat/a/RESULT", b'{"Button1": []}', False)])
@example([("zigbee2mqtt/\ud800", b'{"contact":true}', False)])
@example([("shellies/a/relay/0/power", "१२".encode(), False)])
@example([("zigbee2mqtt/bridge/devices", b'[{"ieee_address":"1","friendly_name":"\\ud800"}]', True)])
@example(
    [
        ("homeassistant/sensor/a/config", b'{"dev_cla":"power","unit_of_meas":"kW","stat_t":"a/state"}', True),
        ("a/state", b"1e307", False),
    ]
)
def test_no_messages_whatever_raise_or_give_what_the_wire_cannot_carry(
    messages: list[tuple[str, bytes, bool]],
) -> None:
    drivers = set_up(SETTINGS)
    for topic, payload, retained in messages:
        said(drivers, topic, payload, retained=retained)


SENSIBLE: list[tuple[list[tuple[str, Any]], str, Any]] = [  # what was said before, a topic, and a message for it
    ([], "zigbee2mqtt/bridge/devices", [{"ieee_address": "0x1", "friendly_name": "a", "type": "EndDevice",
     "power_source": "Battery", "disabled": False, "definition": {"vendor": "V", "model": "M", "description": "D",
     "exposes": [{"type": "binary", "property": "contact", "value_on": False, "value_off": True, "features": []}]}}]),
    ([], "zigbee2mqtt/a", {"contact": True, "action": "single", "power_a": 1, "power_b": 1, "power_c": 1}),
    ([], "zigbee2mqtt/a/availability", {"state": "online"}),
    ([], "zigbee2mqtt/bridge/state", {"state": "online"}),
    ([], "tele/a/SENSOR", {"Time": "2026-03-02T16:59:57", "ENERGY": {"Power": [1, 2], "Total": 3, "ExportActive": 1},
     "SML": {"Power_curr": 1, "x": 2}, "AM2301": {"Temperature": 1, "Humidity": 2}, "TempUnit": "F", "Switch1": "ON"}),
    ([], "stat/a/STATUS8", {"StatusSNS": {"ENERGY": {"Power": 1}, "COUNTER": {"C1": 5}}}),
    ([], "stat/a/RESULT", {"Button1": {"Action": "SINGLE"}, "Switch2": {"Action": "ON"}}),
    ([], "tele/a/STATE", {"Wifi": {"Signal": -60}}),
    ([], "tasmota/discovery/AB/config", {"t": "a", "ft": "%prefix%/%topic%/", "fn": ["x"], "md": "M",
     "rl": [1], "bat": 0}),
    ([], "shellies/announce", {"id": "shellyht-1", "model": "SHHT-1"}),
    ([], "shellies/a/status", {"motion": True, "active": True, "bat": 50}),
    ([], "shellies/a/input_event/1", {"event": "S", "event_cnt": 3}),
    ([], "shellyx/events/rpc", {"method": "NotifyFullStatus", "params": {"ts": 1.5, "switch:0": {"apower": 1,
     "aenergy": {"total": 5}}, "devicepower:0": {"battery": {"V": 1, "percent": 5}, "external": {"present": False}},
     "input:0": {"state": True}, "smoke:0": {"alarm": True}, "bthomesensor:200": {"value": 1}}}),
    ([], "shellyx/events/rpc", {"method": "NotifyEvent", "params": {"events": [{"component": "input:1",
     "event": "single_push"}]}}),
    ([], "shellyx/status/em1data:1", {"total_act_energy": 5, "total_act_ret_energy": 5}),
    ([], "homeassistant/binary_sensor/a/door/config", {"dev_cla": "door", "stat_t": "~/s", "~": "b", "pl_on": True,
     "pl_off": False, "val_tpl": "{{ value_json.x }}", "avty": [{"t": "b/h", "val_tpl": "{{ value }}"}],
     "avty_mode": "all",
     "dev": {"ids": ["1"], "cns": [["mac", "2"]], "name": "n", "mf": "m", "mdl": "l"}, "ent_cat": "", "en": True}),
    ([], "homeassistant/device/a/config", {"dev": {"ids": "1"}, "o": {"name": "x"}, "stat_t": "b/s",
     "cmps": {"a": {"p": "sensor", "dev_cla": "power", "unit_of_meas": "W", "stat_cla": "measurement"}}}),
    ([("homeassistant/event/a/help/config", {"stat_t": "b/s"}), ("homeassistant/sensor/a/p/config", {"stat_t": "b/s",
     "dev_cla": "power", "unit_of_meas": "W", "val_tpl": "{{ value_json.p.q | float }}", "avty_t": "b/s"})],
     "b/s", {"event_type": "press", "p": {"q": 5}}),
]  # fmt: skip


def paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every field of a message stands, the message itself among them."""
    found = [above]
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += paths(inner, (*above, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_json_value_for_any_field_of_any_driver_gives_readings_or_a_reason_and_never_raises(
    data: st.DataObject,
) -> None:
    before, topic, message = data.draw(st.sampled_from(SENSIBLE))
    path = data.draw(st.sampled_from(paths(message)))
    drivers = set_up(SETTINGS)
    for earlier, content in before:
        said(drivers, earlier, encoded(content), retained=False)
    said(drivers, topic, encoded(replaced(message, path, data.draw(JSON))), retained=data.draw(st.booleans()))
    for after in ("b/s", "b/h", "zigbee2mqtt/a", "zigbee2mqtt/a/contact"):  # what was learned is used
        said(drivers, after, b'{"contact":true,"x":true,"voltage":5}', retained=False)


@given(st.data())
def test_any_json_value_for_a_field_of_a_described_device_gives_a_reading_or_says_why_not(data: st.DataObject) -> None:
    """What a driver knows it reads, what it does not it names; null and nothing are the only silence."""
    field = data.draw(st.sampled_from([name for name in FIELDS if name != "linkquality"]))
    value = data.draw(JSON)
    decoded = set_up(SETTINGS)[0].decode("zigbee2mqtt/a", encoded({field: value}), RECEIVED, retained=False)
    silent = value is None or value == "" or (value, field) in (("unknown", "fall_status"),)
    unknown = field == "movement" and value in ("unknown_0", "unknown_1")
    why = decoded.puzzling
    assert bool(decoded.readings) or bool(why)
    if silent or unknown:
        assert why == Nothing.NO_READING
    else:
        assert decoded.readings or why.startswith(f"{field} is ") or why == Nothing.UNREADABLE  # a half surrogate


@given(st.lists(st.tuples(TOPICS, PAYLOADS), min_size=1, max_size=4))
def test_what_the_gateway_does_not_understand_it_keeps(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[str, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("gateway")
    gateway = Gateway(msgspec.structs.replace(SETTINGS, gateway_folder=str(folder)), ManualClock(RECEIVED))
    again = set_up(SETTINGS)
    puzzling = 0
    for topic, payload in messages:
        gateway.receive(topic, payload)
        decoded = next(
            (d for driver in again if (d := driver.decode(topic, payload, RECEIVED, retained=False)).nothing
             is not Nothing.NOT_MINE),
            None,
        )  # fmt: skip
        puzzling += bool(decoded is not None and decoded.puzzling)
    assert sum(sample.count for sample in gateway.samples.each()) == puzzling
    gateway.stop()


def test_a_sample_shows_what_was_said_and_why_it_was_not_read(tmp_path: Path) -> None:
    ours = msgspec.structs.replace(SETTINGS, gateway_folder=str(tmp_path))
    gateway = Gateway(ours, ManualClock(RECEIVED))
    gateway.receive("zigbee2mqtt/Thing", b'{"contact":"ajar","battery":90}')
    gateway.receive("zigbee2mqtt/Lamp", b'{"state":"ON"}')
    gateway.tick(RECEIVED)
    found = [(sample.driver, sample.topic, sample.payload, sample.reason) for sample in gateway.samples.each()]
    assert found == [
        ("zigbee2mqtt", "zigbee2mqtt/Lamp", '{"state":"ON"}', "no_reading"),
        ("zigbee2mqtt", "zigbee2mqtt/Thing", '{"contact":"ajar","battery":90}',
         "contact is 'ajar': neither true nor false"),
    ]  # fmt: skip
    gateway.stop()
    gateway = Gateway(ours, ManualClock(RECEIVED + timedelta(days=1)))
    assert len(gateway.samples.each()) == 2
    gateway.stop()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device_zone": "Mars/Base"}, "YIJU_DEVICE_ZONE is 'Mars/Base'"),
        ({"device_zone": "../etc"}, "YIJU_DEVICE_ZONE"),
        ({"tasmota_topics": "%topic%"}, "YIJU_TASMOTA_TOPICS"),
        ({"tasmota_fields": "x"}, "YIJU_TASMOTA_FIELDS"),
        ({"shelly_topics": "#"}, "YIJU_SHELLY_TOPICS"),
        ({"shelly_fields": "input:0=door"}, "YIJU_SHELLY_FIELDS"),
        ({"homeassistant_fields": "=open"}, "YIJU_HOMEASSISTANT_FIELDS"),
    ],
)
def test_a_wrong_setting_of_a_driver_is_named(change: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        set_up(msgspec.structs.replace(SETTINGS, **change))
