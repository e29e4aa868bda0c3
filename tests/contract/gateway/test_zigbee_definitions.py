"""The Zigbee2MQTT driver on the definitions of real devices: every value that they can send is understood."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.model import DeviceKind
from gateway.drivers.base import Decoded
from gateway.drivers.zigbee2mqtt import Zigbee2MqttDriver
from gateway.drivers.zigbee_fields import FIELDS
from tests.recorded import recorded

RECEIVED = datetime(2026, 8, 1, tzinfo=UTC)
KINDS: dict[str, tuple[DeviceKind | None, set[str]]] = {
    "HS2FD-EF1-3.0": (DeviceKind.RADAR, {"motion", "fall"}),
    "WSDCGQ11LM": (DeviceKind.CLIMATE, {"temperature", "humidity", "battery", "battery_voltage"}),
    "RTCGQ11LM": (DeviceKind.MOTION, {"motion", "battery", "battery_voltage"}),
    "RTCZCGQ11LM": (DeviceKind.RADAR, {"presence"}),
    "FP1E": (DeviceKind.RADAR, {"presence", "motion"}),
    "MCCGQ11LM": (DeviceKind.CONTACT, {"open", "battery", "battery_voltage"}),
    "SJCGQ11LM": (DeviceKind.LEAK, {"leak", "battery", "battery_low", "battery_voltage"}),
    "JTYJ-GD-01LM/BW": (DeviceKind.SMOKE, {"smoke", "tamper", "battery", "battery_low", "battery_voltage"}),
    "PS-S04D": (DeviceKind.RADAR, {"presence", "motion", "temperature", "humidity", "battery", "battery_voltage"}),
    "SNZB-04": (DeviceKind.CONTACT, {"open", "battery", "battery_low", "battery_voltage"}),
    "SNZB-01": (None, {"battery", "battery_voltage"}),
    "SNZB-03": (DeviceKind.MOTION, {"motion", "battery", "battery_low", "battery_voltage"}),
    "SNZB-04P": (DeviceKind.CONTACT, {"open", "tamper", "battery", "battery_low", "battery_voltage"}),
    "TS0215A_sos": (DeviceKind.SOS, {"sos", "battery", "battery_voltage"}),
    "TS011F_plug_1": (DeviceKind.PLUG, {"power", "energy"}),
    "MIR-HE200-TY": (DeviceKind.RADAR, {"presence", "motion", "fall"}),
}


def definitions() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(recorded("zigbee_device_fields.json").read_text(encoding="utf-8"))
    return found


def listed(model: str, definition: dict[str, Any]) -> dict[str, Any]:
    """The device as `bridge/devices` would list it, under its model as its name."""
    exposes = [
        {**expose, "value_on": expose.get("on"), "value_off": expose.get("off"), "name": expose["property"]}
        for expose in definition["exposes"]
    ]
    battery = any(expose["property"] in ("battery", "voltage") and expose.get("unit") != "V" for expose in exposes)
    return {
        "ieee_address": "0x" + model.encode().hex(),
        "type": "EndDevice",
        "friendly_name": model,
        "power_source": "Battery" if battery else "Mains (single phase)",
        "definition": {
            "vendor": definition["vendor"],
            "model": model,
            "description": definition["description"],
            "exposes": exposes,
        },
    }


def told() -> Zigbee2MqttDriver:
    driver = Zigbee2MqttDriver()
    devices = json.dumps([listed(model, definition) for model, definition in definitions().items()]).encode()
    assert driver.decode("zigbee2mqtt/bridge/devices", devices, RECEIVED, retained=True).puzzling == ""
    return driver


def test_every_real_definition_is_discovered_with_its_kind_and_metrics() -> None:
    found = {device.name: (device.kind, set(device.metrics) - {"link_quality"}) for device in told().discovered()}
    assert found == KINDS


def say(driver: Zigbee2MqttDriver, model: str, field: str, value: object) -> Decoded:
    payload = json.dumps({field: value}).encode()
    return driver.decode(f"zigbee2mqtt/{model}", payload, RECEIVED, retained=False)


def test_every_value_of_every_real_field_is_read_or_known_to_be_nothing_for_us() -> None:
    driver = told()
    for model, definition in definitions().items():
        for expose in definition["exposes"]:
            field = expose["property"]
            for value in (*expose.get("values", ()), *(expose[key] for key in ("on", "off") if key in expose)):
                decoded = say(driver, model, field, value)
                assert decoded.puzzling == "", (model, field, value)
            if expose["type"] == "numeric":
                assert say(driver, model, field, 12.5).puzzling == "", (model, field)


@pytest.mark.parametrize("described", [True, False])
def test_on_and_off_of_real_binary_fields_are_one_and_nought_with_or_without_their_definition(described: bool) -> None:
    driver = told() if described else Zigbee2MqttDriver()
    read = 0
    for model, definition in definitions().items():
        for expose in definition["exposes"]:
            if expose["type"] == "binary" and expose["property"] in FIELDS:
                for key, expected in (("on", 1), ("off", 0)):
                    (reading,) = say(driver, model, expose["property"], expose[key]).readings
                    assert reading.value == expected, (model, expose["property"])
                    read += 1
    assert read > 30
