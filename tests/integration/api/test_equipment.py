"""What was taken away, said by those who may: it vanishes from the pages, stays readable, and can come back."""

import httpx

from core.clock import ManualClock
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World


def addresses(client: httpx.Client, home: int) -> set[str]:
    gateways = client.get(f"/api/v1/homes/{home}/gateways").json()["gateways"]
    return {device["address"] for gateway in gateways for device in gateway["devices"]}


def former(client: httpx.Client, home: int) -> list[tuple[str, str, bool]]:
    rows = client.get(f"/api/v1/homes/{home}/former-devices").json()["former"]
    return [(row["gateway"], row["address"], row["with_gateway"]) for row in rows]


def test_a_manager_takes_a_device_away_and_back_and_both_are_on_record(world: World, program: SignIn) -> None:
    head, home = program("head"), world.homes["1"]
    before = addresses(head, home)
    (number, address) = next(
        (device["id"], device["address"]) for device in head.get(f"/api/v1/homes/{home}").json()["devices"]
        if device["kind"] == "contact"
    )  # fmt: skip
    assert head.post(f"/api/v1/homes/{home}/devices/{number}/end", json={}).status_code == 204
    assert addresses(head, home) == before - {address}
    assert address not in str(head.get(f"/api/v1/homes/{home}").json()["devices"])
    assert former(head, home) == [("gw-1", address, False)]
    assert head.post(f"/api/v1/homes/{home}/devices/{number}/resume").status_code == 204
    assert addresses(head, home) == before
    assert former(head, home) == []
    rows = world.connection.execute("SELECT what FROM audit WHERE what LIKE '%.device' ORDER BY id").fetchall()
    assert [row["what"] for row in rows] == ["taken_away.device", "brought_back.device"]


def test_a_gateway_goes_with_its_devices_and_a_device_cannot_come_back_without_it(
    world: World, program: SignIn, clock: ManualClock
) -> None:
    head, home = program("head"), world.homes["1"]
    before = addresses(head, home)
    number = head.get(f"/api/v1/homes/{home}").json()["devices"][0]["id"]
    soon = {"at": clock.now().replace(year=2030).isoformat()}
    assert head.post(f"/api/v1/homes/{home}/gateways/gw-1/end", json=soon).status_code == 409
    assert head.post(f"/api/v1/homes/{home}/gateways/gw-1/end", json={}).status_code == 204
    assert head.get(f"/api/v1/homes/{home}/gateways").json()["gateways"] == []
    assert {(address, with_gateway) for _, address, with_gateway in former(head, home)} == {
        ("", False), *((address, True) for address in before),
    }  # fmt: skip
    refused = head.post(f"/api/v1/homes/{home}/devices/{number}/resume")
    assert (refused.status_code, "bring that back first" in refused.text) == (409, True)
    assert head.post(f"/api/v1/homes/{home}/gateways/gw-1/resume").status_code == 204
    assert addresses(head, home) == before


def test_others_may_not(world: World, program: SignIn) -> None:
    home = world.homes["1"]
    number = world.devices["1", "KitchenMotion"]
    for who, status in (("anna", 403), ("mei", 403), ("bo", 404)):
        client = program(who)
        for what in (f"devices/{number}", "gateways/gw-1"):
            assert client.post(f"/api/v1/homes/{home}/{what}/end", json={}).status_code == status, who
            assert client.post(f"/api/v1/homes/{home}/{what}/resume").status_code == status, who
    assert program("mei").get(f"/api/v1/homes/{home}/former-devices").status_code == 403
    for what in ("devices/999999", "gateways/gw-3"):  # that of another home, and none at all
        assert program("head").post(f"/api/v1/homes/{home}/{what}/end", json={}).status_code == 404


def test_the_pages_fold_what_was_taken_away_and_offer_the_way_back_to_managers_only(
    world: World, browser: SignIn
) -> None:
    home = world.homes["1"]
    head, anna = browser("head"), browser("anna")
    installer = f"/homes/{home}/gateways"
    assert f'action="/homes/{home}/gateways/gw-1/end"' in head.get(installer).text
    assert "/end" not in anna.get(installer).text.partition('id="live"')[2]
    assert head.post(f"/homes/{home}/gateways/gw-1/end", data={"next": installer}).status_code in (200, 303)
    for client, may in ((head, True), (anna, False)):
        for path in (installer, f"/homes/{home}"):
            shown = client.get(path).text
            assert "former" in shown
            assert (f'action="/homes/{home}/gateways/gw-1/resume"' in shown) is may
