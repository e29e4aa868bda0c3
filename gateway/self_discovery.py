"""The gateway's own state on the home's broker, so that a family that runs Home Assistant sees it without any set-up.

homeassistant/{component}/yiju_{key}/{name}/config   discovery, retained
yiju/gateway/{key}/state                             {"connected": "ON", "outbox": 3, "problem": "OFF", ...}
yiju/gateway/{key}/availability                      online / offline, retained, also the will
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from core.configuration import Publication

PREFIX: Final = "homeassistant"
# component, name, what Home Assistant shows, and what makes it show it rightly
_ENTITIES: Final[tuple[tuple[str, str, str, dict[str, Any]], ...]] = (
    ("binary_sensor", "connected", "Platform", {"device_class": "connectivity"}),
    ("binary_sensor", "problem", "Problem", {"device_class": "problem"}),
    ("sensor", "outbox", "Outbox", {"unit_of_measurement": "batches", "state_class": "measurement"}),
    ("sensor", "last_contact", "Last contact", {"device_class": "timestamp"}),
)


def availability_topic(key: str) -> str:
    return f"yiju/gateway/{key}/availability"


def will(key: str) -> Publication:
    """What the home's broker says when the gateway is gone."""
    return Publication(availability_topic(key), "offline")


def announcements(key: str, software: str) -> Iterable[Publication]:
    """The discovery messages and the birth; to be published retained whenever the home's broker has let us in."""
    device = {
        "identifiers": [f"yiju_{key}"],
        "name": f"Yiju {key}",
        "manufacturer": "Yiju",
        "model": "Gateway",
        "sw_version": software,
    }
    for component, name, shown, more in _ENTITIES:
        content = {
            "name": shown,
            "unique_id": f"yiju_{key}_{name}",
            "state_topic": f"yiju/gateway/{key}/state",
            "value_template": f"{{{{ value_json.{name} }}}}",
            "availability_topic": availability_topic(key),
            "entity_category": "diagnostic",
            "device": device,
            **more,
        }
        yield Publication(f"{PREFIX}/{component}/yiju_{key}/{name}/config", msgspec.json.encode(content).decode())
    yield Publication(availability_topic(key), "online")


def state(key: str, *, connected: bool, outbox: int, last_contact: datetime | None, problem: bool) -> Publication:
    """How the gateway is now. `last_contact`: when the connection to the platform last stood; None = never yet."""
    content = {
        "connected": "ON" if connected else "OFF",
        "outbox": outbox,
        "last_contact": last_contact.isoformat(timespec="seconds") if last_contact else None,
        "problem": "ON" if problem else "OFF",
    }
    return Publication(f"yiju/gateway/{key}/state", msgspec.json.encode(content).decode())
