"""The drivers on real messages of real devices, recorded by others. They are not part of this project."""

import json
from datetime import UTC, datetime
from typing import Any

from gateway.drivers.base import Nothing
from gateway.drivers.homeassistant import HomeAssistantDriver
from gateway.drivers.set_up import set_up
from gateway.drivers.zigbee2mqtt import Zigbee2MqttDriver
from gateway.settings import Settings
from tests.recorded import recorded

RECEIVED = datetime(2026, 8, 1, tzinfo=UTC)
SETTINGS = Settings("gw-1", "secret", "mqtt://127.0.0.1:1", gateway_folder="/nowhere")
Expected = dict[str, float] | Nothing

EXPECTED: dict[tuple[str, str], Expected] = {
    ("SONOFF SNZB-04 contact", "zigbee2mqtt/Sonoff W1"): {"battery_low": 0, "open": 1, "link_quality": 21, "tamper": 0},
    ("SONOFF SNZB-04P contact", "zigbee2mqtt/Bedroom Window"): {
        "battery": 100,
        "battery_low": 0,
        "open": 0,
        "link_quality": 43,
        "tamper": 0,
    },
    ("Aqara RTCGQ11LM PIR", "zigbee2mqtt/0x00158d0001e50d78"): {"battery": 100, "link_quality": 18, "motion": 0},
    ("Aqara RTCGQ11LM PIR", "zigbee2mqtt/0x00158d00054a726a"): {"battery": 100, "link_quality": 26, "motion": 1},
    ("Aqara RTCGQ11LM PIR, no battery reported", "zigbee2mqtt/Detecteur mouvement"): {"link_quality": 15, "motion": 1},
    ("Aqara RTCGQ12LM/13LM PIR", "zigbee2mqtt/0x04cf8cdf3c8a82e0"): {
        "battery": 100,
        "link_quality": 152,
        "motion": 1,
        "temperature": 25,
    },
    ("Heiman HS2FD-EF1-3.0 mmWave fall sensor", "zigbee2mqtt/HS2FD-ZB"): {"fall": 0, "link_quality": 255, "motion": 1},
    ("Tuya WZ-M100-W mmWave presence", "zigbee2mqtt/0xa4c138d8d5738dd0"): {"link_quality": 176, "presence": 1},
    ("Tuya TS0215A SOS button press", "zigbee2mqtt/0x847127fffe0542eb"): {"sos": 1, "link_quality": 90},
    ("Tuya TS0601_sos announce", "zigbee2mqtt/0xa4c13899607febd1"): {"battery": 100, "link_quality": 14},
    ("Tuya TS0601_sos press", "zigbee2mqtt/0xa4c13899607febd1"): {"sos": 1, "battery": 100, "link_quality": 18},
    ("Aqara SJCGQ11LM leak, state JSON", "(state view)"): {
        "battery": 100,
        "battery_low": 0,
        "link_quality": 83,
        "tamper": 0,
        "temperature": 26,
        "leak": 0,
    },
    ("Xiaomi JTYJ-GD-01LM/BW smoke", "zigbee2mqtt/sens_smoke1"): {"battery": 100, "link_quality": 57, "smoke": 1},
    ("Xiaomi JTYJ-GD-01LM/BW smoke", "(device topic not given)"): {"battery": 100, "link_quality": 94, "smoke": 0},
    ("Tuya TS011F_plug_1 plug", "zigbee2mqtt/z1"): {"energy": 12.05, "link_quality": 40, "power": 0},
    ("Tuya TS011F_plug_1, attribute output mode", "zigbee2mqtt/z1/power"): {"power": 0},
    ("Tuya TS0121 plug", "zigbee2mqtt/Stopcontact"): {"energy": 1.54, "link_quality": 63, "power": 0},
    ("Xiaomi WSDCGQ11LM-type climate sensor", "zigbee2mqtt/veranda_climate_sensor"): {
        "temperature": 7.14,
        "link_quality": 70,
        "humidity": 67.1,
        "battery": 74,
    },
    ("frient KEYZB-110 keypad", "(device topic not given)"): {"battery": 100, "battery_low": 0},
    ("Zigbee2MQTT availability", "zigbee2mqtt/bulb_color/availability"): {"online": 1},
    ("Zigbee2MQTT bridge state (>=1.30)", "zigbee2mqtt/bridge/state"): Nothing.BRIDGE,
    ("Zigbee2MQTT bridge event", "zigbee2mqtt/bridge/event"): Nothing.BRIDGE,
    ("Zigbee2MQTT bridge logging", "zigbee2mqtt/bridge/logging"): Nothing.BRIDGE,
    ("Tasmota SML smart-meter head", "tele/tasmota_8BD1DC/SENSOR"): {"power": 0, "energy": 0, "energy_out": 0},
    ("Tasmota energy plug", "tele/athomspv3a/SENSOR"): {"power": 0, "energy": 1066},
    ("Tasmota Pow R2", "tele/pow1/SENSOR"): {"power": 2635, "energy": 6.294},
    ("Tasmota STATE", "tele/athomspv3a/STATE"): {"signal": -70},
    ("Tasmota door switch", "tele/tasmota/SENSOR"): {"open": 1},
    ("Tasmota LWT", "tele/tasmota/LWT"): {"online": 1},
    ("Shelly Gen3 1PM Mini NotifyStatus (partial)", "shelly1pmminig3-5432044edbc0/events/rpc"): {"power": 11.5},
    ("Shelly Gen3 1PM Mini status topic", "shelly1pmminig3-5432044edbc0/status/switch:0"): {
        "power": 11.5,
        "energy": 152.669987,
        "energy_out": 0,
    },
    # Zigbee2MQTT's own devices, which its driver reads
    (
        "Home Assistant MQTT discovery (Aqara contact)",
        "homeassistant/binary_sensor/0x00158d0004470a44/contact/config",
    ): Nothing.CONFIGURATION,
    (
        "Home Assistant MQTT discovery (Aqara contact battery)",
        "homeassistant/sensor/0x00158d0004470a44/battery/config",
    ): Nothing.CONFIGURATION,
    (
        "Home Assistant MQTT discovery (TS011F power, bridge_state template)",
        "homeassistant/sensor/0xa4c13801e33848a2/power/config",
    ): Nothing.CONFIGURATION,
}
ADDRESSES = {
    "zigbee2mqtt/z1/power": "zigbee2mqtt/z1",
    "zigbee2mqtt/bulb_color/availability": "zigbee2mqtt/bulb_color",
    "tele/pow1/SENSOR": "tasmota/pow1",
    "tele/tasmota/LWT": "tasmota/tasmota",
    "shelly1pmminig3-5432044edbc0/events/rpc": "shelly/shelly1pmminig3-5432044edbc0",
}


def messages() -> list[dict[str, Any]]:
    """The recorded messages; skips where they are not at hand."""
    lines = recorded("device_payloads.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_recorded_message_gives_what_it_says_and_nothing_else() -> None:
    seen: set[tuple[str, str]] = set()
    for line in messages():
        key = (line["device"], line["topic"])
        expected = EXPECTED.get(key, Nothing.NOT_MINE)
        topic = "zigbee2mqtt/unnamed" if line["topic"].startswith("(") else line["topic"]
        payload = line["payload"].encode()
        decoded = [driver.decode(topic, payload, RECEIVED, retained=False) for driver in set_up(SETTINGS)]
        mine = [result for result in decoded if result.nothing is not Nothing.NOT_MINE]
        seen.add(key)
        if expected is Nothing.NOT_MINE:
            assert mine == [], key
            assert topic.startswith("<"), key  # not the topic of a device
            continue
        (result,) = mine
        if isinstance(expected, Nothing):
            assert result.nothing is expected, key
        else:
            assert {reading.metric: reading.value for reading in result.readings} == expected, key
            assert {reading.device for reading in result.readings} <= {ADDRESSES.get(topic, result.readings[0].device)}
            assert all(reading.time <= RECEIVED for reading in result.readings), key
    assert set(EXPECTED) <= seen


def test_last_seen_of_real_devices_is_read_in_both_its_forms() -> None:
    times = {
        line["device"]: Zigbee2MqttDriver().decode("zigbee2mqtt/x", line["payload"].encode(), RECEIVED, retained=False)
        for line in messages()
        if "last_seen" in line["payload"]
    }
    assert times["SONOFF SNZB-04P contact"].readings[0].time == datetime(2024, 10, 8, 10, 54, 51, tzinfo=UTC)
    assert times["Aqara SJCGQ11LM leak, state JSON"].readings[0].time == datetime(
        2022, 6, 25, 0, 54, 4, 933_000, tzinfo=UTC
    )


def test_nothing_that_real_devices_say_is_a_riddle_but_what_no_driver_knows() -> None:
    """A plug's and a motion sensor's many other fields are silence, not samples."""
    riddles = {
        line["device"]: decoded.puzzling
        for line in messages()
        for driver in set_up(SETTINGS)
        if (decoded := driver.decode(line["topic"], line["payload"].encode(), RECEIVED, retained=False)).puzzling
    }
    assert riddles == {}


def test_real_discovery_makes_a_device_that_no_driver_knows_readable() -> None:
    """Zigbee2MQTT's discovery, at a gateway that is not told of Zigbee2MQTT."""
    driver = HomeAssistantDriver()
    for line in messages():
        if line["topic"].startswith("homeassistant/"):
            driver.decode(line["topic"], line["payload"].encode(), RECEIVED, retained=True)
    assert {device.address: (device.model, set(device.metrics)) for device in driver.discovered()} == {
        "homeassistant/zigbee2mqtt_0x00158d0004470a44": (
            "Xiaomi Aqara door & window contact sensor (MCCGQ11LM)",
            {"open", "battery", "online"},
        ),
        "homeassistant/zigbee2mqtt_0xa4c13801e33848a2": (
            "TuYa Smart plug (with power monitoring) (TS011F_plug_1)",
            {"power", "online"},
        ),
    }
    said = driver.decode("zigbee2mqtt/porte", b'{"contact":false,"battery":74}', RECEIVED, retained=False)
    assert {reading.metric: reading.value for reading in said.readings} == {"open": 1, "battery": 74}
    said = driver.decode("zigbee2mqtt/0xa4c13801e33848a2", b'{"power":12.5}', RECEIVED, retained=False)
    assert {reading.metric: reading.value for reading in said.readings} == {"power": 12.5}
