"""The drivers that a gateway has, as its settings want them."""

from pathlib import Path
from zoneinfo import ZoneInfo

from core.errors import SettingsError
from gateway.drivers.base import Driver
from gateway.drivers.configured import parse_fields
from gateway.drivers.homeassistant import VARIABLE as HOMEASSISTANT_FIELDS
from gateway.drivers.homeassistant import HomeAssistantDriver
from gateway.drivers.shelly import VARIABLE as SHELLY_FIELDS
from gateway.drivers.shelly import ShellyDriver
from gateway.drivers.tasmota import TasmotaDriver
from gateway.drivers.tasmota_fields import VARIABLE as TASMOTA_FIELDS
from gateway.drivers.zigbee2mqtt import Zigbee2MqttDriver
from gateway.settings import Settings


def set_up(settings: Settings) -> tuple[Driver, ...]:
    """One of each family; a message is for the first that takes it.

    Raises:
        SettingsError: naming the setting that cannot be read.
    """
    zone = _zone(settings.device_zone)
    natives: tuple[Driver, ...] = (
        Zigbee2MqttDriver(
            settings.zigbee2mqtt_topic,
            frozenset(settings.ok_actions.split()),
            frozenset(settings.sos_actions.split()),
            zone,
        ),
        TasmotaDriver(settings.tasmota_topics.split(), parse_fields(settings.tasmota_fields, TASMOTA_FIELDS), zone),
        ShellyDriver(settings.shelly_topics.split(), parse_fields(settings.shelly_fields, SHELLY_FIELDS)),
    )
    fields = parse_fields(settings.homeassistant_fields, HOMEASSISTANT_FIELDS)
    memory = Path(settings.gateway_folder) / "descriptions.json"
    return (*natives, HomeAssistantDriver(settings.homeassistant_topic, fields, natives, memory))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(f"YIJU_DEVICE_ZONE is {name!r}: write a time zone, e.g. Asia/Shanghai") from error
