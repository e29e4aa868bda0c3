"""`POST /api/v1/register`: the register by the API, for admins, within what is theirs."""

from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World

HOME: dict[str, Any] = {
    "key": "new-home", "region": "north", "name": "Home of Sun", "commissioned": "2026-01-01T00:00:00+08:00",
    "room": [{"key": "hall", "kind": "entry"}],
    "gateway": [{"key": "gw-new"}],
    "device": [{"gateway": "gw-new", "address": "zigbee2mqtt/Door", "kind": "contact", "room": "hall",
                "exterior": True}],
}  # fmt: skip


@pytest.fixture
def admins(world: World) -> World:
    world.person("northern", grants={"admin": "north"})
    return world


@pytest.mark.usefixtures("admins")
def test_an_admin_brings_a_home_in_and_the_second_time_nothing_changes(program: SignIn) -> None:
    client = program("root")
    first = client.post("/api/v1/register", json={"home": [HOME]})
    assert first.status_code == 200
    assert first.json()["created"] == {"home": 1, "room": 1, "gateway": 1, "device": 2}
    second = client.post("/api/v1/register", json={"home": [HOME]}).json()
    assert (second["created"], second["updated"]) == ({}, {})
    assert "Home of Sun" in str(client.get("/api/v1/homes").json())


@pytest.mark.usefixtures("admins")
def test_what_is_wrong_is_said_and_nothing_of_it_is_kept(program: SignIn) -> None:
    client = program("root")
    answer = client.post("/api/v1/register", json={"home": [{**HOME, "zone": "Mars/Olympus"}]})
    assert answer.status_code == 422
    assert "Mars/Olympus" in answer.json()["error"]["message"]
    assert "Home of Sun" not in str(client.get("/api/v1/homes").json())


@pytest.mark.usefixtures("admins")
def test_a_misspelt_threshold_is_refused_and_not_silently_ignored(program: SignIn) -> None:
    wrong = {"home": [{**HOME, "policy": {"inactivty_s": 3600}}]}
    answer = program("root").post("/api/v1/register", json=wrong)
    assert answer.status_code == 422
    assert "home 'new-home': there is no policy 'inactivty_s'" in answer.json()["error"]["message"]


@pytest.mark.parametrize("login", ["anna", "head", "mei"])
def test_nobody_but_an_admin_may(program: SignIn, login: str) -> None:
    assert program(login).post("/api/v1/register", json={"home": [HOME]}).status_code == 403


@pytest.mark.usefixtures("admins")
@pytest.mark.parametrize(
    "document",
    [
        {"region": [{"key": "elsewhere", "name": "E", "level": "district"}]},
        {"region": [{"key": "south", "name": "S", "level": "community", "parent": "north"}]},
        {"region": [{"key": "north", "name": "N", "level": "community", "parent": "district"}]},
        {"home": [{**HOME, "region": "south"}]},
        {"home": [{**HOME, "key": "3"}]},
        {"home": [{**HOME, "gateway": [{"key": "gw-3"}], "device": []}]},
        {"home": [{**HOME, "resident": [{"key": "resident-3", "name": "Stolen"}]}]},
        {"person": [{"key": "bo", "name": "Bo", "password": "mine now"}]},
        {"person": [{"key": "root", "name": "Root", "password": "mine now"}]},
        {"person": [{"key": "new", "name": "New", "grant": [{"role": "admin", "region": "district"}]}]},
        {"person": [{"key": "new", "name": "New", "consent": [{"home": "3"}]}]},
    ],
)
def test_an_admin_of_one_community_touches_nothing_outside_it(program: SignIn, document: dict[str, Any]) -> None:
    answer = program("northern").post("/api/v1/register", json=document)
    assert answer.status_code == 403, answer.text


@pytest.mark.usefixtures("admins")
def test_an_admin_of_one_community_may_do_everything_within_it(program: SignIn) -> None:
    document = {
        "region": [{"key": "north-east", "name": "NE", "level": "community", "parent": "north"}],
        "home": [{**HOME, "region": "north-east"}],
        "person": [{"key": "new", "name": "New", "grant": [{"role": "worker", "region": "north-east"}],
                    "consent": [{"home": "1"}]}],
    }  # fmt: skip
    answer = program("northern").post("/api/v1/register", json=document)
    assert answer.status_code == 200, answer.text


def test_a_body_of_megabytes_is_refused_before_anybody_reads_it(site: str) -> None:
    announced = httpx.post(f"{site}/login", content=b"x" * 2_000_000)
    assert (announced.status_code, announced.json()["error"]["code"]) == (413, "too_large")
    with pytest.raises(httpx.HTTPError):  # one of no announced length is cut off
        httpx.post(f"{site}/api/v1/tokens", content=iter([b"x" * 100_000] * 200), timeout=20).raise_for_status()
