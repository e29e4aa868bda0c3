"""The demo as a register document: the same shape as a register file, so that it comes in by the same door."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from simulator.homes import HOMES, ROOMS, ZONE, DemoHome, demo_homes
from simulator.neighbourhood import (
    COMMUNITIES,
    DISTRICT,
    PEOPLE,
    RESIDENTS,
    STREETS,
    Member,
    address_of,
    community_of,
    phone_of,
)

SEED: Final = 1  # the seed of the service unless its setting says another
LOGINS: Final = tuple(  # (role, login): the first of each role, for the line that `yiju up --demo` prints
    (member.role, member.login) for member in PEOPLE if member.login in ("worker", "manager", "family", "admin")
)
RUNG_S: Final = 60  # a visitor sees the whole ladder climbed within minutes, not within a quarter of an hour
_PHONES_FROM: Final = 200


def demo_register(start: datetime, seed: int = SEED) -> dict[str, Any]:
    """Regions, homes, devices, people and shifts of the demo, commissioned at `start` (aware).

    It holds no password and no hash: see demo_document().
    """
    return {
        "region": _regions(),
        "home": [_home(home, start) for home in demo_homes(seed)],
        "person": [_person(member, place) for place, member in enumerate(PEOPLE)],
        "rotation": [_rotation(member, start) for member in PEOPLE if member.role == "worker"],
    }


def demo_document(
    start: datetime, gateway_hashes: Mapping[str, str], passwords: Mapping[str, str], seed: int = SEED, phones: str = ""
) -> dict[str, Any]:
    """demo_register() with credentials and phones.

    Args:
        gateway_hashes: gateway key -> broker password hash.
        passwords: login -> password; who is not in it cannot log in.
        phones: the channel of the demo's phones (api/demo/), to which a person's key is added; "" = nobody has one.
    """
    document = demo_register(start, seed)
    for home in document["home"]:
        for gateway in home["gateway"]:
            if gateway["key"] in gateway_hashes:
                gateway["password_hash"] = gateway_hashes[gateway["key"]]
    for person in document["person"]:
        if person["login"] in passwords:
            person["password"] = passwords[person["login"]]
        person["channels"] = [f"{phones}/{person['key']}"] if phones else []
    return document


def gateway_keys() -> list[str]:
    """`gw-1` to `gw-24`."""
    return [f"gw-{number}" for number in range(1, HOMES + 1)]


def _regions() -> list[dict[str, Any]]:
    regions: list[dict[str, Any]] = [
        {"key": DISTRICT[0], "name": DISTRICT[1], "level": "district", "policy": {"rung_urgent_s": RUNG_S}}
    ]
    regions += [{"key": key, "name": name, "level": "street", "parent": DISTRICT[0]} for key, name in STREETS]
    regions += [
        {"key": place.key, "name": place.name, "level": "community", "parent": place.street} for place in COMMUNITIES
    ]
    return regions


def _home(home: DemoHome, start: datetime) -> dict[str, Any]:
    name, year, month, day = RESIDENTS[home.number - 1]
    return {
        "key": home.key,
        "region": community_of(home.number).key,
        "name": f"{name}家",
        "address": address_of(home.number),
        "zone": ZONE,
        "commissioned": start.isoformat(),
        "room": [{"key": room, "kind": room, "name": ""} for room in ROOMS],
        "resident": [
            {
                "key": f"resident-{home.number}",
                "name": name,
                "born": f"{year}-{month:02d}-{day:02d}",
                "phone": phone_of(home.number),
            }
        ],
        "gateway": [{"key": home.gateway}],
        "device": [
            {
                "gateway": home.gateway,
                "address": device.address,
                "kind": str(device.kind),
                "exterior": device.exterior,
                "mains": device.mains,
                **({"room": device.room} if device.room else {}),
            }
            for device in home.devices
        ],
    }


def _person(member: Member, place: int) -> dict[str, Any]:
    person: dict[str, Any] = {
        "key": member.key,
        "name": member.name,
        "phone": phone_of(_PHONES_FROM + place),
        "locale": "zh_CN",
        "channels": [],
        "login": member.login,
    }
    if member.home:
        person["consent"] = [{"home": f"home-{member.home}", "relation": member.relation}]
    else:
        person["grant"] = [{"role": member.role, "region": member.region}]
    return person


def _rotation(worker: Member, start: datetime) -> dict[str, Any]:
    """A worker is on duty for their community, week after week."""
    return {
        "key": f"duty-{worker.region}",
        "region": worker.region,
        "name": "社区值班",
        "zone": ZONE,
        "starts": start.date().isoformat(),
        "members": [worker.key],
    }
