"""A few registered homes for tests: each with a door, a motion sensor, a bed, an SOS button, a smoke detector."""

from datetime import timedelta

from care.register import apply_register, read_document
from core.credentials import broker_password_hash
from store.pool import DatabaseRole
from tests.conftest import NOW, Database

DEVICES = [
    ("zigbee2mqtt/door", "contact", "hall", True),
    ("zigbee2mqtt/motion", "motion", "living", False),
    ("zigbee2mqtt/bed", "bed", "bedroom", False),
    ("zigbee2mqtt/sos", "sos", "bedroom", False),
    ("zigbee2mqtt/smoke", "smoke", "living", False),
]


def register_homes(database: Database, homes: int) -> None:
    """Registers home-1 ... home-N, commissioned 60 days before NOW; the gateways' password is "secret"."""
    document = {
        "region": [{"key": "d-1", "name": "示范区", "level": "district"}],
        "home": [
            {
                "key": f"home-{number}",
                "region": "d-1",
                "name": f"第{number}家",
                "commissioned": NOW - timedelta(days=60),
                "room": [{"key": room, "kind": kind} for room, kind in
                         (("hall", "entry"), ("living", "living"), ("bedroom", "bedroom"))],
                "gateway": [{"key": f"gw-{number}", "password_hash": broker_password_hash("secret")}],
                "device": [
                    {"gateway": f"gw-{number}", "address": address, "kind": kind, "room": room, "exterior": exterior}
                    for address, kind, room, exterior in DEVICES
                ],
            }
            for number in range(1, homes + 1)
        ],
    }  # fmt: skip
    with database.connect(DatabaseRole.REGISTER) as connection:
        apply_register(connection, read_document(document, "test"), "test", NOW)
