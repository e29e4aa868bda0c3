"""Tasmota: blocks of SENSOR, configured fields, full topics, clocks."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import SettingsError
from core.model import DeviceKind
from gateway.drivers.base import Decoded, Discovered, Nothing
from gateway.drivers.configured import parse_fields
from gateway.drivers.tasmota import TasmotaDriver
from gateway.drivers.tasmota_fields import VARIABLE
from tests.unit.gateway.drivers import RECEIVED, decode, values


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"ENERGY": {"Power": 12.5, "Total": 3}}, {"power": 12.5, "energy": 3}),
        ({"ENERGY": {"Power": [1, 2.5, 3], "Total": [1, 1, 1]}}, {"power": 6.5, "energy": 3}),
        ({"ENERGY": {"Power": -450, "Total": 3, "ExportActive": 7.5}}, {"power": -450, "energy": 3, "energy_out": 7.5}),
        ({"ENERGY": {"Power": [1, None], "Total": []}}, {}),
        ({"ENERGY": [1]}, {}),
        ({"SML": {"Power_cur": -300, "total_in": 9000.5}}, {"power": -300, "energy": 9000.5}),
        ({"MT175": {"E_in": 5, "E_out": 2, "Power_curr": "7"}}, {"power": 7, "energy": 5, "energy_out": 2}),
        ({"": {"16_7_0": 7, "1.8.0": 5, "1-0:2.8.0": 1}}, {"power": 7, "energy": 5, "energy_out": 1}),
        ({"SML": {"Power": 7, "Total": 5}}, {"power": 7, "energy": 5}),
        ({"INA219": {"Power": 7, "Total": 5}}, {}),
        ({"Switch1": "ON"}, {"open": 1}),
        ({"Switch1": "OFF", "Switch2": "ON"}, {"open": 0}),
        ({"ESP32": {"Temperature": 65.6}, "ANALOG": {"Temperature": 20}}, {}),
        ({"DS18B20": {"Id": "01", "Temperature": 21.5}, "TempUnit": "C"}, {"temperature": 21.5}),
        ({"AM2301": {"Temperature": 68, "Humidity": 40}, "TempUnit": "F"}, {"temperature": 20, "humidity": 40}),
        ({"SHT3X-0x44": {"Temperature": None, "Humidity": 40}}, {"humidity": 40}),
        ({"DS18B20-1": {"Temperature": 1}, "DS18B20-2": {"Temperature": 2}}, {"temperature": 1}),
    ],
)
def test_tasmota_sensors_become_metrics(message: Any, expected: dict[str, float]) -> None:
    whole = {"Time": "1970-01-01T00:00:00", **message}
    for topic, body in [("tele/m/SENSOR", whole), ("stat/m/STATUS8", {"StatusSNS": whole}),
                        ("stat/m/STATUS10", {"StatusSNS": whole})]:  # fmt: skip
        decoded = decode(TasmotaDriver(), topic, body)
        assert values(decoded) == expected
        assert all(reading.time == RECEIVED and reading.device == "tasmota/m" for reading in decoded.readings)


@pytest.mark.parametrize(
    ("message", "unread"),
    [
        ({"Switch1": "TOGGLE"}, "Switch1 is 'TOGGLE'"),
        ({"Switch1": {"Action": "HOLD"}}, "Switch1 is {"),
        ({"SML": {"Leist_ges": 5, "Strom": 1}}, "SML has 'Leist_ges', 'Strom': name them in YIJU_TASMOTA_FIELDS"),
    ],
)
def test_what_is_not_understood_says_which_field(message: Any, unread: str) -> None:
    assert decode(TasmotaDriver(), "tele/m/SENSOR", message).puzzling.startswith(unread)


def test_fields_are_a_setting_and_a_device_s_own_entry_wins() -> None:
    fields = parse_fields(
        "bed/Switch1=occupied hall/Switch1= Switch2=!open SML.P_kW=power*1000 COUNTER.C1=water*0.001 Button1=sos "
        "solar/SML.P_kW=!power*1000 hall/ENERGY.Power= A.b.c=energy",
        VARIABLE,
    )
    driver = TasmotaDriver(fields=fields)

    def read(device: str, message: Any, kind: str = "tele/{}/SENSOR") -> dict[str, float]:
        return values(decode(driver, kind.format(device), message))

    assert read("bed", {"Switch1": "ON", "Switch2": "ON"}) == {"occupied": 1, "open": 0}
    assert read("hall", {"Switch1": "ON", "ENERGY": {"Power": 5, "Total": 1}}) == {"energy": 1}
    assert read("else", {"Switch1": True}) == {"open": 1}
    assert read("meter", {"SML": {"P_kW": 1.5, "Power_curr": 9}, "COUNTER": {"C1": 2500}}) == {
        "power": 1500,
        "water": 2.5,
    }
    assert read("solar", {"SML": {"P_kW": 1.5}}) == {"power": -1500}
    assert read("x", {"A": {"b.c": 5}}) == read("x", {"A": {"b": {"c": 5}}}) == {"energy": 5}
    assert read("x", {"Button1": {"Action": "SINGLE"}}, "stat/{}/RESULT") == {"sos": 1}
    assert read("x", {"Button1": {"Action": "CLEAR"}}, "stat/{}/RESULT") == {}
    assert read("bed", {"Switch1": {"Action": "OFF"}}, "stat/{}/RESULT") == {"occupied": 0}


@pytest.mark.parametrize("entry", ["Switch1", "=open", "Switch1=door", "A=power*x", "A=power*", "A=b=c", "A=power*1e"])
def test_a_wrong_field_is_named(entry: str) -> None:
    with pytest.raises(SettingsError, match="YIJU_TASMOTA_FIELDS has"):
        parse_fields(f"Switch1=open {entry}", VARIABLE)


def test_a_full_topic_is_a_setting() -> None:
    driver = TasmotaDriver(["tasmota/%prefix%/%topic%", "%topic%/home/%prefix%/"])
    assert "tasmota/tele/+/SENSOR" in driver.filters
    assert "+/home/stat/STATUS8" in driver.filters
    body = {"ENERGY": {"Power": 1}}
    for topic in ("tasmota/tele/plug/SENSOR", "plug/home/tele/SENSOR"):
        assert [r.device for r in decode(driver, topic, body).readings] == ["tasmota/plug"]
    assert decode(driver, "tele/plug/SENSOR", body).nothing is Nothing.NOT_MINE
    for wrong in ("tele/%topic%/", "%prefix%/", "%prefix%/%topic%/#", "%topic%/%prefix%/%topic%"):
        with pytest.raises(SettingsError, match="YIJU_TASMOTA_TOPICS has"):
            TasmotaDriver([wrong])


def test_tasmota_says_whether_it_is_there() -> None:
    driver = TasmotaDriver()
    assert values(decode(driver, "tele/plug/LWT", b"Online")) == {"online": 1}
    assert values(decode(driver, "tele/plug/LWT", b"Offline")) == {"online": 0}
    assert decode(driver, "tele/plug/LWT", b"?").nothing is Nothing.UNREADABLE
    assert decode(driver, "tele/plug/LWT", b"Online", retained=True) == Decoded([], Nothing.RETAINED)
    assert driver.discovered() == [Discovered("tasmota/plug", online=True)]


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        ("tele/plug/STATE", b'{"UptimeSec":194}', Nothing.HOUSEKEEPING),
        ("tele/plug/INFO1", b"{}", Nothing.HOUSEKEEPING),
        ("stat/plug/POWER", b"ON", Nothing.HOUSEKEEPING),
        ("stat/plug/RESULT", b'{"POWER":"ON"}', Nothing.HOUSEKEEPING),
        ("tele/plug/SENSOR", b'{"Time":"2026-03-02T10:00:00"}', Nothing.HOUSEKEEPING),
        ("cmnd/plug/POWER", b"ON", Nothing.COMMAND),
        ("tele/plug/SENSOR", b'{"PMS5003":{"PM1":5}}', Nothing.NO_READING),
        ("tele/plug/SENSOR", b"[]", Nothing.UNREADABLE),
        ("tele/plug/SENSOR", b"{", Nothing.UNREADABLE),
        ("stat/plug/STATUS8", b"{}", Nothing.UNREADABLE),
        ("tele/SENSOR", b"{}", Nothing.NOT_MINE),
        ("tele/a/b/SENSOR", b'{"Switch1":"ON"}', Nothing.HOUSEKEEPING),  # device a
    ],
)
def test_what_is_no_reading_says_why(topic: str, payload: bytes, why: Nothing) -> None:
    assert decode(TasmotaDriver(), topic, payload).nothing is why


@pytest.mark.parametrize(
    ("time", "seconds_ago"),
    [
        ("2026-03-02T16:59:50", 10),
        ("2026-03-02T16:00:00", 0),  # an hour behind: a clock without daylight saving, or without a time server
        ("2026-03-02T17:00:10", 0),
        ("1970-01-01T00:00:10", 0),
        ("2026-03-02T08:59:50Z", 10),
        (5, 0),
    ],
)
def test_a_device_s_clock_counts_where_the_zone_is_known_and_it_can_be_right(time: object, seconds_ago: int) -> None:
    driver = TasmotaDriver(zone=ZoneInfo("Asia/Shanghai"))
    (reading,) = decode(driver, "tele/m/SENSOR", {"Time": time, "Switch1": "ON"}).readings
    assert reading.time == RECEIVED - timedelta(seconds=seconds_ago)
    (reading,) = decode(TasmotaDriver(), "tele/m/SENSOR", {"Time": time, "Switch1": "ON"}).readings
    assert reading.time == RECEIVED


def test_devices_are_discovered_from_their_retained_description() -> None:
    driver = TasmotaDriver()
    plug = {"t": "tasmota_1", "ft": "%prefix%/%topic%/", "fn": ["Kettle", None], "md": "Athom", "rl": [1, 0], "bat": 0}
    decode(driver, "tasmota/discovery/AABB/config", plug, retained=True)
    decode(driver, "tasmota/discovery/AACC/config", {**plug, "t": "m", "rl": [0], "fn": [None]}, retained=True)
    for device in ("tasmota_1", "m"):
        decode(driver, f"tele/{device}/SENSOR", {"ENERGY": {"Power": 1}})
    told = frozenset({"power"})
    assert driver.discovered() == [
        Discovered("tasmota/tasmota_1", DeviceKind.PLUG, True, "Kettle", "Tasmota Athom", told),
        Discovered("tasmota/m", DeviceKind.METER, True, "", "Tasmota Athom", told),
    ]
    other = decode(driver, "tasmota/discovery/AADD/config", {**plug, "ft": "home/%prefix%/%topic%/"}, retained=True)
    assert "YIJU_TASMOTA_TOPICS lacks this device's 'home/%prefix%/%topic%/'" in other.puzzling
    assert decode(driver, "tasmota/discovery/AADD/config", b"", retained=True).puzzling == ""
    assert decode(driver, "tasmota/discovery/AADD/config", b"?", retained=True).puzzling != ""


def test_the_radio_s_strength_is_a_reading() -> None:
    assert values(decode(TasmotaDriver(), "tele/m/STATE", {"Wifi": {"RSSI": 60, "Signal": -70}})) == {"signal": -70}
