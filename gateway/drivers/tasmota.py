"""Tasmota: plugs and meter heads that measure electricity, switches that are contacts, climate sensors.

`tele/{topic}/SENSOR` carries measurements, `stat/{topic}/STATUS8` and `STATUS10` the same when asked for,
`stat/{topic}/RESULT` a switch's or button's action, `tele/{topic}/STATE` the radio, `tele/{topic}/LWT` whether the
device is there. `tasmota/discovery/{mac}/config` describes a device, retained.

Tasmota's own `Time` has no zone and is wrong until the device has found a time server, so a reading is of the time it
was received, unless the zone is known and the time is of the last minutes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from core.errors import SettingsError
from gateway.drivers.base import Decoded, Discovered, Nothing, measurement, nothing, parse_json, readings_of
from gateway.drivers.configured import Configured
from gateway.drivers.learned import Learned
from gateway.drivers.tasmota_fields import FieldReader
from gateway.drivers.times import from_text

NAME: Final = "tasmota"
FULL_TOPIC: Final = "%prefix%/%topic%/"
_PRESENT: Final = {b"Online": True, b"Offline": False}
_TRUSTED: Final = timedelta(minutes=15)  # a device's clock that is further behind is wrong
_READ: Final = (
    ("tele", "SENSOR"),
    ("tele", "STATE"),
    ("tele", "LWT"),
    ("stat", "STATUS8"),
    ("stat", "STATUS10"),
    ("stat", "RESULT"),
)
_DISCOVERY: Final = re.compile(r"tasmota/discovery/[^/]+/(config|sensors)")
_ASIDE: Final = frozenset({"Time", "TempUnit", "PressureUnit", "SpeedUnit", "ESP32"})  # no sensor's block


class _Split(NamedTuple):
    prefix: str
    device: str
    kind: str


class TasmotaDriver:
    """Reads Tasmota.

    Args:
        full_topics: the devices' FullTopic settings, each with %prefix% and %topic%.
        fields: how fields are read that the defaults do not know.
        zone: the time zone that the devices' clocks show; None: their clocks are not used.

    Raises:
        SettingsError: a full topic lacks one of both.
    """

    name = NAME
    hub_online: bool | None = None

    def __init__(
        self, full_topics: Iterable[str] = (FULL_TOPIC,), fields: Iterable[Configured] = (), zone: tzinfo | None = None
    ) -> None:
        self._full_topics = [_normal(topic) for topic in full_topics]
        self._patterns = [_pattern(topic) for topic in self._full_topics]
        self._fields = FieldReader(fields)
        self._zone = zone
        self._learned = Learned()
        self.filters: tuple[str, ...] = (
            "tasmota/discovery/+/config",
            *(
                topic.replace("%prefix%", prefix).replace("%topic%", "+") + kind
                for topic in self._full_topics
                for prefix, kind in _READ
            ),
        )

    def owns(self, topic: str) -> bool:
        return self._split(topic) is not None or _DISCOVERY.fullmatch(topic) is not None

    def discovered(self) -> Sequence[Discovered]:
        return self._learned.all()

    def decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        if _DISCOVERY.fullmatch(topic):
            return self._describe(payload) if topic.endswith("/config") else nothing(Nothing.CONFIGURATION)
        split = self._split(topic)
        if split is None:
            return nothing(Nothing.NOT_MINE)
        if split.prefix == "cmnd":
            return nothing(Nothing.COMMAND)
        address = f"{NAME}/{split.device}"
        if split.kind == "LWT":
            return self._presence(address, payload, received, retained)
        if retained:
            return nothing(Nothing.RETAINED)
        if (split.prefix, split.kind) not in _READ:  # INFO1, UPTIME, POWER ...: the device's housekeeping
            return nothing(Nothing.HOUSEKEEPING)
        try:
            message = parse_json(payload)
        except ValueError:
            return nothing(Nothing.UNREADABLE)
        if split.prefix == "stat" and split.kind != "RESULT":
            message = message.get("StatusSNS") if isinstance(message, dict) else None
        if not isinstance(message, dict):
            return nothing(Nothing.UNREADABLE)
        if split.kind == "STATE":
            return self._radio(address, message, received)
        values, unread = self._fields.read(split.device, message)
        if not values and not unread and (split.kind == "RESULT" or not message.keys() - _ASIDE):
            return nothing(Nothing.HOUSEKEEPING)
        if values:
            self._learned.learn(address, metrics=values.keys())
        return readings_of(address, values, self._measured(message, received), received, unread)

    def _presence(self, address: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        present = _PRESENT.get(payload.strip())
        if present is not None:
            self._learned.learn(address, online=present)
        if retained:
            return nothing(Nothing.RETAINED)
        if present is None:
            return nothing(Nothing.UNREADABLE)
        return readings_of(address, {"online": float(present)}, received, received)

    def _radio(self, address: str, message: Mapping[str, object], received: datetime) -> Decoded:
        wifi = message.get("Wifi")
        signal = measurement(wifi.get("Signal")) if isinstance(wifi, dict) else None
        if signal is None:
            return nothing(Nothing.HOUSEKEEPING)
        return readings_of(address, {"signal": signal}, received, received)

    def _describe(self, payload: bytes) -> Decoded:
        """Learns from `tasmota/discovery/{mac}/config`: t topic, ft full topic, fn names, md module, bat battery."""
        try:
            message = parse_json(payload) if payload else {}
        except ValueError:
            message = None
        if not isinstance(message, dict):
            return Decoded([], Nothing.CONFIGURATION, "no description of a Tasmota device")
        device, full_topic = message.get("t"), message.get("ft")
        if not isinstance(device, str) or not isinstance(full_topic, str):
            return nothing(Nothing.CONFIGURATION)
        if _normal(full_topic) not in self._full_topics:
            return Decoded([], Nothing.CONFIGURATION, f"YIJU_TASMOTA_TOPICS lacks this device's {full_topic!r:.100}")
        names, module, relays = message.get("fn"), message.get("md"), message.get("rl")
        name = names[0] if isinstance(names, list) and names and isinstance(names[0], str) else ""
        self._learned.learn(
            f"{NAME}/{device}",
            switches=isinstance(relays, list) and any(relays),
            mains=message.get("bat") not in (1, True),
            name=name,
            model=f"Tasmota {module}" if isinstance(module, str) else "Tasmota",
        )
        return nothing(Nothing.CONFIGURATION)

    def _measured(self, message: Mapping[str, object], received: datetime) -> datetime:
        time = message.get("Time")
        if self._zone is None or not isinstance(time, str):
            return received
        moment = from_text(time, received, self._zone)
        return moment if received - moment <= _TRUSTED else received

    def _split(self, topic: str) -> _Split | None:
        for pattern in self._patterns:
            if match := pattern.fullmatch(topic):
                return _Split(match["prefix"], match["topic"], match["kind"])
        return None


def _normal(full_topic: str) -> str:
    return full_topic if full_topic.endswith("/") else full_topic + "/"


def _pattern(full_topic: str) -> re.Pattern[str]:
    if full_topic.count("%prefix%") != 1 or full_topic.count("%topic%") != 1 or {"+", "#"} & set(full_topic):
        raise SettingsError(
            f"YIJU_TASMOTA_TOPICS has {full_topic!r}: write the device's FullTopic with %prefix% and %topic%, e.g. "
            f"{FULL_TOPIC} or tasmota/{FULL_TOPIC}"
        )
    escaped = re.escape(full_topic).replace("%prefix%", "(?P<prefix>tele|stat|cmnd)")
    return re.compile(escaped.replace("%topic%", "(?P<topic>[^/]+)") + "(?P<kind>.+)", re.DOTALL)
