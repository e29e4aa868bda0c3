"""Hypothesis strategies: what may be said at a home's broker, mostly in the words that drivers know."""

import json
from typing import Any

from hypothesis import strategies as st

from gateway.drivers.tasmota_fields import _ENERGY, _POWER
from gateway.drivers.zigbee_fields import FIELDS

WORDS = st.sampled_from(
    [
        *FIELDS, *_POWER[:2], *_ENERGY[:2], "action", "last_seen", "state", "voltage", "power_a", "power_b",
        "power_c", "ENERGY", "SML", "Switch1", "Switch2", "Button1", "Action", "Power", "Total", "Time", "TempUnit",
        "StatusSNS", "DS18B20", "Temperature", "Wifi", "Signal", "COUNTER", "C1", "t", "ft", "fn", "md", "rl", "bat",
        "method", "params", "ts", "events", "component", "event", "event_cnt", "switch:0", "em:0", "em1data:1",
        "input:0", "input:1", "smoke:0", "devicepower:0", "bthomesensor:200", "apower", "aenergy", "total", "alarm",
        "percent", "value", "output", "motion", "active", "id", "model", "friendly_name", "ieee_address",
        "definition", "exposes", "property", "features", "value_on", "value_off", "type", "unit", "values",
        "power_source", "disabled", "dev_cla", "stat_t", "val_tpl", "pl_on", "pl_off", "~", "avty", "avty_t",
        "avty_mode", "dev", "ids", "cns", "cmps", "p", "topic", "unit_of_meas", "ent_cat", "uniq_id", "obj_id", "o",
        "name", "en", "x",
    ]
)  # fmt: skip
TEXTS = st.sampled_from(
    [
        "", "ON", "OFF", "online", "offline", "Online", "true", "emergency", "single", "12.5", "nan", "open", "heavy",
        "normal", "fall_alarm", "maybe_fall", "none", "unknown", "low", "binary", "numeric", "composite", "Battery",
        "mV", "door", "motion", "power", "energy", "W", "kW", "%", "binary_sensor", "sensor", "event", "all", "any",
        "F", "{{ value }}", "{{ value_json.x }}", "{{ value_json.state }}", "{% if", "a/state", "a/here", "a/#",
        "zigbee2mqtt/a", "%prefix%/%topic%/", "NotifyStatus", "NotifyFullStatus", "NotifyEvent", "single_push",
        "input:1", "S", "help", "2026-03-02T16:59:57", "2026-03-02T08:59:57Z", "1970-01-01T00:00:00",
        "0x00158d0001e50d78", "a", "bed", "\ud800",
    ]
)  # fmt: skip
NUMBERS = st.integers(-5, 300) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=6),
    max_leaves=12,
)
MESSAGES = st.dictionaries(WORDS, JSON, max_size=8)
TOPICS = st.sampled_from(
    [
        "zigbee2mqtt/a", "zigbee2mqtt/a/availability", "zigbee2mqtt/a/power", "zigbee2mqtt/a/action",
        "zigbee2mqtt/a/set", "zigbee2mqtt/bridge/devices", "zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/x",
        "zigbee2mqtt/", "zigbee2mqtt", "tele/a/SENSOR", "tele/a/STATE", "tele/a/LWT", "stat/a/STATUS8",
        "stat/a/STATUS10", "stat/a/RESULT", "tele//SENSOR", "tasmota/discovery/AB/config",
        "tasmota/discovery/AB/sensors", "cmnd/a/POWER", "shellies/announce", "shellies/a/announce",
        "shellies/a/relay/0/power", "shellies/a/relay/1/energy", "shellies/a/emeter/0/total",
        "shellies/a/sensor/state", "shellies/a/sensor/gas", "shellies/a/sensor/battery", "shellies/a/input/0",
        "shellies/a/input_event/1", "shellies/a/ext_temperature/0", "shellies/a/status", "shellies/a/online",
        "shellies/", "shellyx/events/rpc", "shellyx/status/switch:0", "shellyx/status/em:0", "shellyx/status/input:0",
        "shellyx/status/bthomesensor:200", "shellyx/status/devicepower:0", "shellyx/online", "shellyx/status/sys",
        "homeassistant/binary_sensor/a/bed/config", "homeassistant/sensor/a/config", "homeassistant/device/a/config",
        "homeassistant/event/a/help/config", "homeassistant/device_automation/a/config", "homeassistant/config",
        "homeassistant/x", "a/state", "a/here", "/", "",
    ]
) | st.builds("{}/{}".format, st.sampled_from(["zigbee2mqtt", "tele", "shellies", "homeassistant", "a/status"]),
              st.text(max_size=12)) | st.text(max_size=12)  # fmt: skip


def encoded(value: Any) -> bytes:
    """As JSON, half surrogates and all."""
    return json.dumps(value).encode()


PAYLOADS = MESSAGES.map(encoded) | JSON.map(encoded) | st.lists(MESSAGES, max_size=3).map(encoded) | st.binary(
    max_size=40
) | TEXTS.map(lambda text: text.encode(errors="surrogatepass"))  # fmt: skip
