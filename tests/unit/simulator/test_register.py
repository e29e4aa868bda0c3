from datetime import date
from typing import Any

from core.model import DeviceKind, RegionLevel, Role, RoomKind
from core.wire import GATEWAY_KEY
from simulator.register import LOGINS, demo_document, demo_register, gateway_keys
from tests.unit.simulator.support import DAWN


def register() -> dict[str, Any]:
    return demo_register(DAWN)


def test_there_are_three_communities_of_two_streets_in_one_district() -> None:
    levels = [RegionLevel(region["level"]) for region in register()["region"]]
    assert [levels.count(level) for level in RegionLevel] == [1, 2, 3]
    keys = {region["key"] for region in register()["region"]}
    assert len(keys) == 6
    assert all(region.get("parent") in keys for region in register()["region"] if region["level"] != "district")


def test_there_are_24_homes_with_unique_addresses_people_and_gateways() -> None:
    homes = register()["home"]
    assert [home["key"] for home in homes] == [f"home-{number}" for number in range(1, 25)]
    assert [home["gateway"][0]["key"] for home in homes] == gateway_keys()
    assert all(GATEWAY_KEY.fullmatch(key) for key in gateway_keys())
    assert len({home["address"] for home in homes}) == 24
    assert len({home["resident"][0]["name"] for home in homes}) == 24
    assert all(date.fromisoformat(home["resident"][0]["born"]).year < 1955 for home in homes)
    assert all(home["commissioned"] == DAWN.isoformat() for home in homes)


def test_every_device_stands_in_a_room_of_its_home() -> None:
    for home in register()["home"]:
        rooms = {room["key"]: RoomKind(room["kind"]) for room in home["room"]}
        addresses = [device["address"] for device in home["device"]]
        assert len(set(addresses)) == len(addresses)
        for device in home["device"]:
            assert DeviceKind(device["kind"])
            assert device.get("room", "entry") in rooms
            assert device["gateway"] == home["gateway"][0]["key"]


def test_every_community_has_a_worker_and_every_role_a_login() -> None:
    people = register()["person"]
    grants = [(grant["role"], grant["region"]) for person in people for grant in person.get("grant", [])]
    communities = {region["key"] for region in register()["region"] if region["level"] == "community"}
    assert {region for role, region in grants if role == "worker"} == communities
    assert ("manager", "yunxi") in grants
    assert {role for role, _ in grants} == set(Role) - {Role.FAMILY}
    assert {role for role, _ in LOGINS} == {Role.WORKER, Role.MANAGER, Role.FAMILY, Role.ADMIN}
    assert {login for _, login in LOGINS} == {"worker", "manager", "family", "admin"}
    assert len({person["login"] for person in people}) == len(people)


def test_every_community_has_somebody_on_duty() -> None:
    duty = {rotation["region"]: rotation["members"] for rotation in register()["rotation"]}
    grants = {person["key"]: person["grant"][0]["region"] for person in register()["person"] if "grant" in person}
    assert duty == {region: [key] for key, region in grants.items() if key.startswith("worker")}


def test_the_worker_and_the_family_of_the_demo_both_see_home_3() -> None:
    people = {person["login"]: person for person in register()["person"]}
    assert [consent["home"] for consent in people["family"]["consent"]] == ["home-3"]
    assert people["worker"]["grant"][0]["region"] == register()["home"][2]["region"]


def test_no_password_is_in_it_until_the_stack_gives_some() -> None:
    assert "password" not in str(register())
    document = demo_document(DAWN, {"gw-2": "$7$hash"}, {"worker": "secret"})
    assert document["home"][1]["gateway"] == [{"key": "gw-2", "password_hash": "$7$hash"}]
    assert document["home"][0]["gateway"] == [{"key": "gw-1"}]
    assert [person.get("password") for person in document["person"]][:2] == ["secret", None]


def test_only_who_is_given_phones_has_one_and_the_demos_ladder_climbs_within_minutes() -> None:
    assert {str(person["channels"]) for person in register()["person"]} == {"[]"}
    document = demo_document(DAWN, {}, {}, phones="webhook+http://:secret@127.0.0.1:1/demo/phones")
    assert document["person"][0]["channels"] == ["webhook+http://:secret@127.0.0.1:1/demo/phones/worker-1"]
    assert document["region"][0]["policy"] == {"rung_urgent_s": 60}
