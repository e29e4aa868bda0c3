"""Home Assistant's MQTT discovery: entities from their configurations, read without code of their own."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.model import DeviceKind
from gateway.drivers.base import Decoded, Discovered, Nothing, covers
from gateway.drivers.configured import parse_fields
from gateway.drivers.homeassistant import VARIABLE, HomeAssistantDriver
from gateway.drivers.shelly import ShellyDriver
from gateway.drivers.tasmota import TasmotaDriver
from gateway.drivers.zigbee2mqtt import Zigbee2MqttDriver
from tests.unit.gateway.drivers import RECEIVED, decode, values

NATIVES = (Zigbee2MqttDriver(), TasmotaDriver(), ShellyDriver())
DEVICE = {"ids": "a0b1c2", "name": "Hall", "mdl": "D1", "mf": "espressif"}


def told(topic: str, config: object, driver: HomeAssistantDriver | None = None) -> HomeAssistantDriver:
    """A driver that has received a configuration it wholly understands."""
    driver = driver or HomeAssistantDriver(natives=NATIVES)
    decoded = decode(driver, f"homeassistant/{topic}/config", config, retained=True)
    assert (decoded.nothing, decoded.unread) == (Nothing.CONFIGURATION, "")
    return driver


def sensor(device_class: str, unit: str = "", **more: Any) -> dict[str, Any]:
    return {"dev_cla": device_class, "unit_of_meas": unit, "stat_t": "x/s", "dev": DEVICE, **more}


@pytest.mark.parametrize(
    ("device_class", "metric"),
    [
        ("door", "open"), ("window", "open"), ("motion", "motion"), ("occupancy", "presence"), ("smoke", "smoke"),
        ("gas", "gas"), ("carbon_monoxide", "gas"), ("moisture", "leak"), ("tamper", "tamper"),
        ("battery", "battery_low"), ("connectivity", "online"),
    ],
)  # fmt: skip
def test_a_state_s_device_class_says_its_metric(device_class: str, metric: str) -> None:
    driver = told("binary_sensor/hall/d", {"dev_cla": device_class, "stat_t": "hall/d/state", "dev": DEVICE})
    assert driver.filters[-1] == "hall/d/state"
    (reading,) = decode(driver, "hall/d/state", b"ON").readings
    assert (reading.device, reading.metric, reading.value) == ("homeassistant/a0b1c2", metric, 1)
    assert values(decode(driver, "hall/d/state", b"OFF")) == {metric: 0}
    neither = decode(driver, "hall/d/state", b"maybe")
    assert (neither.readings, neither.unread) == ([], "d: 'maybe' is neither 'ON' nor 'OFF'")
    for unknown in (b"", b"unknown", b"unavailable", b"None"):
        assert decode(driver, "hall/d/state", unknown).puzzling == ""
    assert decode(driver, "hall/d/state", b"ON", retained=True) == Decoded([], Nothing.RETAINED)
    assert decode(driver, "hall/d/state", b"\xff").nothing is Nothing.UNREADABLE


@pytest.mark.parametrize(
    ("config", "said", "expected"),
    [
        (sensor("power", "W"), "12.5", {"power": 12.5}),
        (sensor("power", "kW"), "-1.5", {"power": -1500}),
        (sensor("energy", "Wh", stat_cla="total_increasing"), "2500", {"energy": 2.5}),
        (sensor("energy", "kWh"), "2500", {"energy": 2500}),
        (sensor("energy", "kWh", stat_cla="measurement"), "5", None),
        (sensor("energy", "kcal"), "5", None),
        (sensor("water", "L"), "250", {"water": 0.25}),
        (sensor("temperature", "°F"), "68", {"temperature": 20}),
        (sensor("temperature", "K"), "293.15", {"temperature": 20}),
        (sensor("temperature"), "20", None),  # in which unit?
        (sensor("temperature", "°C", ent_cat="diagnostic"), "60", None),  # the chip's
        (sensor("battery", "%", ent_cat="diagnostic"), "60", {"battery": 60}),
        (sensor("signal_strength", "dBm", ent_cat="diagnostic"), "-60", {"signal": -60}),
        (sensor("humidity", "%", en=False), "60", None),
        (sensor("illuminance", "lx"), "60", None),
    ],
)
def test_a_sensor_is_read_in_its_unit(config: Any, said: str, expected: dict[str, float] | None) -> None:
    driver = told("sensor/hall/x", config)
    decoded = decode(driver, "x/s", said.encode())
    assert values(decoded) == (expected or {})
    assert (decoded.nothing is Nothing.NOT_MINE) is (expected is None)


def test_templates_payloads_and_the_base_topic_are_honoured() -> None:
    driver = told(
        "binary_sensor/porch/open",
        {"~": "porch/contact", "stat_t": "~/state", "dev_cla": "door", "pl_on": False, "pl_off": True,
         "val_tpl": "{{ value_json.contact }}", "dev": {"ids": ["0x1"], "name": "porch"}},
    )  # fmt: skip
    assert values(decode(driver, "porch/contact/state", {"contact": False, "battery": 5})) == {"open": 1}
    assert values(decode(driver, "porch/contact/state", {"contact": True})) == {"open": 0}
    missing = decode(driver, "porch/contact/state", {"battery": 5})
    assert (missing.readings, missing.puzzling) == ([], "")
    assert decode(driver, "porch/contact/state", b"no json").puzzling == ""
    assert "neither 'False' nor 'True'" in decode(driver, "porch/contact/state", {"contact": 1}).puzzling


def test_a_device_with_all_its_entities_in_one_message() -> None:
    config = {
        "dev": {"ids": "ea334450", "name": "Kitchen", "mf": "Bla", "mdl": "xya"},
        "o": {"name": "bla2mqtt"},
        "stat_t": "kitchen/state",
        "cmps": {
            "t": {"p": "sensor", "dev_cla": "temperature", "unit_of_meas": "°C", "val_tpl": "{{value_json.t}}"},
            "h": {
                "p": "sensor",
                "device_class": "humidity",
                "unit_of_measurement": "%",
                "value_template": "{{ value_json['h'] | float | round(1) }}",
            },
            "m": {"p": "binary_sensor", "dev_cla": "motion", "stat_t": "kitchen/motion"},
            "light": {"p": "light", "cmd_t": "x"},
            "gone": {"p": "sensor"},
            "junk": 5,
        },
    }
    driver = told("device/0AFFD2", config)
    assert driver.discovered() == [
        Discovered(
            "homeassistant/ea334450",
            DeviceKind.MOTION,
            None,
            "Kitchen",
            "Bla xya",
            frozenset({"temperature", "humidity", "motion"}),
        )
    ]
    said = decode(driver, "kitchen/state", {"t": 20.5, "h": "55.55"})
    assert values(said) == {"temperature": 20.5, "humidity": 55.5}
    assert {reading.device for reading in said.readings} == {"homeassistant/ea334450"}
    assert values(decode(driver, "kitchen/motion", b"ON")) == {"motion": 1}


def test_two_entities_of_one_metric_have_addresses_of_their_own() -> None:
    radar = {"dev_cla": "occupancy", "dev": DEVICE}
    driver = told("binary_sensor/hall/still", {**radar, "stat_t": "hall/still"})
    assert [device.address for device in driver.discovered()] == ["homeassistant/a0b1c2"]
    told("binary_sensor/hall/moving", {**radar, "stat_t": "hall/moving"}, driver)
    told("sensor/hall/power", sensor("power", "W"), driver)
    addresses = ["homeassistant/a0b1c2/still", "homeassistant/a0b1c2/moving", "homeassistant/a0b1c2"]
    assert [device.address for device in driver.discovered()] == addresses
    assert [r.device for r in decode(driver, "hall/moving", b"ON").readings] == addresses[1:2]
    decode(driver, "homeassistant/binary_sensor/hall/moving/config", b"")  # taken away
    assert [r.device for r in decode(driver, "hall/still", b"ON").readings] == ["homeassistant/a0b1c2"]
    assert decode(driver, "hall/moving", b"ON").nothing is Nothing.NOT_MINE
    assert "hall/moving" not in driver.filters


@pytest.mark.parametrize(
    "topic",
    ["zigbee2mqtt/porte", "tele/plug/SENSOR", "stat/plug/POWER", "shellies/x/relay/0", "shellyx/status/switch:0"],
)
def test_what_a_native_driver_reads_is_left_to_it(topic: str) -> None:
    driver = told("binary_sensor/x/contact", {"dev_cla": "door", "stat_t": topic, "dev": DEVICE})
    assert driver.discovered() == []
    assert decode(driver, topic, b"ON").nothing is Nothing.NOT_MINE
    alone = told("binary_sensor/x/contact", {"dev_cla": "door", "stat_t": topic, "dev": DEVICE}, HomeAssistantDriver())
    assert values(decode(alone, topic, b"ON")) == {"open": 1}


def test_no_topic_is_asked_for_that_a_filter_takes_already() -> None:
    config = {"dev_cla": "door", "stat_t": "porch/status/x", "avty_t": "porch/online", "dev": DEVICE}
    driver = told("binary_sensor/x/contact", config)
    assert not any("porch" in topic for topic in driver.filters)  # `+/status/+` and `+/online` are Shelly's
    assert values(decode(driver, "porch/status/x", b"ON")) == {"open": 1}


def test_the_gateway_s_own_state_is_not_read_as_a_device() -> None:
    config = {"device_class": "connectivity", "state_topic": "yiju/gateway/g/state", "device": {"manufacturer": "Yiju"}}
    assert told("binary_sensor/yiju_g/connected", config).discovered() == []


def test_availability_is_a_reading_when_it_is_live_and_known_when_it_is_retained() -> None:
    config = {"dev_cla": "door", "stat_t": "hall/door", "avty_t": "hall/status", "dev": DEVICE}
    driver = told("binary_sensor/hall/door", config)
    assert decode(driver, "hall/status", b"offline", retained=True) == Decoded([], Nothing.RETAINED)
    assert [device.online for device in driver.discovered()] == [False]
    assert values(decode(driver, "hall/status", b"online")) == {"online": 1}
    assert decode(driver, "hall/status", b"?").readings == []
    assert [device.online for device in driver.discovered()] == [True]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("all", [None, 1, 0, 0]),
        ("any", [1, 1, 1, 0]),
        ("latest", [1, 1, 0, 0]),
    ],
)
def test_availability_of_several_topics_is_by_its_mode(mode: str, expected: list[float | None]) -> None:
    template = "{{ value_json.state }}"
    topics = [
        {"t": "bridge/state", "val_tpl": template},
        {"topic": "hall/here", "pl_avail": "yes", "pl_not_avail": "no"},
    ]
    driver = told(
        "binary_sensor/hall/door",
        {"dev_cla": "door", "stat_t": "hall/door", "availability": topics, "avty_mode": mode, "dev": DEVICE},
    )
    said = [("bridge/state", {"state": "online"}), ("hall/here", b"yes"), ("hall/here", b"no"),
            ("bridge/state", {"state": "offline"})]  # fmt: skip
    assert [values(decode(driver, topic, payload)).get("online") for topic, payload in said] == expected


def test_what_no_description_says_is_named_by_a_setting() -> None:
    fields = parse_fields(
        "bed=occupied a0b1c2/help=sos call_1=sos fell=fall flow=water*0.001 hidden= door_sos=ok_press", VARIABLE
    )
    driver = HomeAssistantDriver(fields=fields)
    told("binary_sensor/hall/bed", {"stat_t": "hall/bed", "dev": DEVICE}, driver)
    told("binary_sensor/hall/x", {"stat_t": "hall/help", "uniq_id": "help", "dev": DEVICE}, driver)
    told("binary_sensor/hall/fell", {"stat_t": "hall/fell", "dev": DEVICE}, driver)
    told("sensor/hall/flow", {"stat_t": "hall/flow", "dev": DEVICE}, driver)
    told("binary_sensor/hall/hidden", {"stat_t": "hall/hidden", "dev_cla": "door", "dev": DEVICE}, driver)
    told("event/hall/call", {"stat_t": "hall/call", "obj_id": "call_1", "evt_typ": ["press"], "dev": DEVICE}, driver)
    told(
        "device_automation/hall/door_sos",
        {"atype": "trigger", "t": "hall/door_sos", "pl": "PRESSED", "type": "button_short_press", "dev": DEVICE},
        driver,
    )
    assert values(decode(driver, "hall/bed", b"ON")) == {"occupied": 1}
    assert values(decode(driver, "hall/help", b"ON")) == {"sos": 1}
    assert values(decode(driver, "hall/fell", b"ON")) == {"fall": 2}  # an alarm, not a warning
    assert values(decode(driver, "hall/fell", b"OFF")) == {"fall": 0}
    assert values(decode(driver, "hall/flow", b"1500")) == {"water": 1.5}
    assert decode(driver, "hall/hidden", b"ON").nothing is Nothing.NOT_MINE
    assert values(decode(driver, "hall/call", {"event_type": "press"})) == {"sos": 1}
    assert decode(driver, "hall/call", {"event_type": "release"}).readings == []
    assert values(decode(driver, "hall/door_sos", b"PRESSED")) == {"ok_press": 1}
    assert decode(driver, "hall/door_sos", b"RELEASED").readings == []


@pytest.mark.parametrize(
    ("topic", "config", "why"),
    [
        (
            "binary_sensor/hall/fell",
            {"stat_t": "hall/fell"},
            "hall/fell does not say what it is: name it in YIJU_HOMEAS",
        ),
        ("sensor/hall/x", sensor("power", "W", val_tpl="{% for x in y %}{% endfor %}"), "for is no statement"),
        ("sensor/hall/x", sensor("power", "W", val_tpl=5), "its template is no text"),
        ("sensor/hall/x", sensor("power", "W", stat_t="a/#"), "'a/#' is no topic"),
        ("sensor/hall/x", sensor("power", "W", stat_t=None), "'' is no topic"),
        ("sensor/hall/x", sensor("power", "W", avty_t="a/+"), "'a/+' is no topic"),
        (
            "event/hall/call",
            {"stat_t": "hall/call"},
            "hall/call does not say what it is: name it in YIJU_HOMEASSISTANT",
        ),
        ("sensor/hall/x", [], "no configuration"),
        ("sensor/hall/x", b"{", "not JSON"),
        ("sensor/a/b/c", {}, "no configuration"),
    ],
)
def test_a_configuration_that_is_not_understood_is_shown(topic: str, config: object, why: str) -> None:
    driver = HomeAssistantDriver()
    decoded = decode(driver, f"homeassistant/{topic}/config", config)
    assert decoded.nothing is Nothing.CONFIGURATION
    assert why in decoded.puzzling
    assert driver.discovered() == []


@pytest.mark.parametrize(
    ("topic", "config"),
    [
        ("sensor/hall/x", {"stat_t": "hall/x", "val_tpl": "{% for a in b %}{% endfor %}"}),  # no class of ours
        ("sensor/hall/x", {"dev_cla": "timestamp"}),
        ("light/hall/x", {"cmd_t": "hall/x"}),
        ("event/x/action", {"stat_t": "zigbee2mqtt/x", "val_tpl": "{% set a = ['b'] %}{% for c in a %}{% endfor %}"}),
    ],
)
def test_an_entity_that_is_nothing_for_us_is_no_riddle(topic: str, config: object) -> None:
    assert told(topic, config).discovered() == []


def remembering(file: Path) -> HomeAssistantDriver:
    return HomeAssistantDriver(natives=NATIVES, memory=file)


def test_descriptions_outlive_the_process_until_the_broker_has_said_its_own(tmp_path: Path) -> None:
    file = tmp_path / "descriptions.json"
    driver = remembering(file)
    for name in ("door", "gone"):
        told(f"binary_sensor/{name}/x", {"dev_cla": "door", "stat_t": f"{name}/state", "dev": {"ids": name}}, driver)
    told("binary_sensor/lamp/x", {"stat_t": "zigbee2mqtt/lamp", "dev_cla": "door"}, driver)  # not ours to remember
    driver.decode("door/state", b"ON", RECEIVED + timedelta(seconds=10), retained=False)

    driver = remembering(file)  # the process was killed
    assert values(decode(driver, "door/state", b"ON")) == {"open": 1}  # what waited comes before the descriptions
    assert {"door/state", "gone/state"} <= set(driver.filters)
    told("binary_sensor/door/x", {"dev_cla": "door", "stat_t": "door/state", "dev": {"ids": "door"}}, driver)
    assert len(driver.discovered()) == 2
    driver.decode("nobody", b"", RECEIVED + timedelta(minutes=1), retained=False)
    assert [device.address for device in driver.discovered()] == ["homeassistant/door"]
    driver.decode("nobody", b"", RECEIVED + timedelta(minutes=2), retained=False)
    assert [device.address for device in remembering(file).discovered()] == ["homeassistant/door"]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"a": 1}', b'{"homeassistant/sensor/x/config": "{"}'])
def test_a_damaged_memory_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "descriptions.json"
    file.write_bytes(content)
    assert remembering(file).discovered() == []


def test_a_disk_that_takes_nothing_costs_no_description(tmp_path: Path) -> None:
    driver = remembering(tmp_path / "not there" / "descriptions.json")
    told("binary_sensor/door/x", {"dev_cla": "door", "stat_t": "door/state"}, driver)
    driver.decode("door/state", b"ON", RECEIVED + timedelta(minutes=1), retained=False)
    assert len(driver.discovered()) == 1


def test_a_flood_of_configurations_stops_at_a_limit() -> None:
    driver = HomeAssistantDriver()
    components = {
        f"e{n}": {"p": "sensor", "dev_cla": "power", "unit_of_meas": "W", "stat_t": f"x/{n}"} for n in range(300)
    }
    told = [
        decode(driver, f"homeassistant/device/d{n}/config", msgspec.json.encode({"cmps": components})) for n in range(5)
    ]
    assert [bool(decoded.puzzling) for decoded in told] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("pattern", "topic", "taken"),
    [
        ("a/+/c", "a/b/c", True), ("a/#", "a/b/c", True), ("a/#", "a", True), ("#", "a", True), ("a/+", "a", False),
        ("a/b", "a/b/c", False), ("+/+", "a/b", True), ("a/+/c", "a/b/d", False), ("a", "a", True),
    ],
)  # fmt: skip
def test_a_filter_covers_a_topic(pattern: str, topic: str, taken: bool) -> None:
    assert covers(pattern, topic) is taken
