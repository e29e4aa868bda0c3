"""What somebody sends that cannot be, by mistake or on purpose, is refused in words: never a 500, never kept."""

from datetime import timedelta
from typing import Any

import httpx

from core.clock import ManualClock
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World

FAR, EARLY = "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"
NAIVE = "2026-03-02T09:00:00"


def test_a_text_with_a_nul_is_refused_wherever_it_stands(
    world: World, clock: ManualClock, program: SignIn, stranger: httpx.Client, site: str
) -> None:
    guess = {"login": "a\0b", "password": "x"}
    answer = stranger.post("/api/v1/tokens", json=guess)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")
    assert "NUL" in answer.json()["error"]["message"]
    assert stranger.post("/login", data=guess, headers={"Origin": site}).status_code == 422
    home, head = world.homes["1"], program("head")
    began, ended = clock.now() - timedelta(hours=2), clock.now() - timedelta(hours=1)
    span = {"began_at": began.isoformat(), "ended_at": ended.isoformat()}
    said = {**span, "found": "well", "note": "a\0b"}
    assert head.post(f"/api/v1/homes/{home}/visits", json=said).status_code == 422
    assert head.post(f"/api/v1/homes/{home}/gateway-codes", json={"gateway": "\0"}).status_code == 422
    assert head.post(f"/api/v1/homes/{home}/gateways/%00/end", json={}).status_code == 422


def test_a_moment_without_a_zone_or_out_of_reach_is_refused(world: World, clock: ManualClock, program: SignIn) -> None:
    rota = world.plan("1", clock.now())["rotation_id"]
    alert, head = world.alert("1", clock.now(), room="bedroom"), program("head")
    assert head.post(f"/api/v1/alerts/{alert}/acknowledge", json={"until": NAIVE}).status_code == 422
    for first, second, status in ((NAIVE, NAIVE, 422), (NAIVE, FAR, 422), (EARLY, EARLY, 409), (FAR, FAR, 409)):
        answer = head.post(f"/api/v1/rotations/{rota}/swaps", json={"first_at": first, "second_at": second})
        assert answer.status_code == status, answer.text


def test_a_day_out_of_reach_is_refused(world: World, program: SignIn, browser: SignIn) -> None:
    home, anna = world.homes["1"], program("anna")
    for day in ("0001-01-01", "9999-12-31"):
        assert anna.get(f"/api/v1/homes/{home}/timeline", params={"day": day}).status_code == 422
    assert browser("anna").get(f"/homes/{home}", params={"day": "0001-01-01"}).status_code == 422


def test_a_channel_that_is_no_address_is_refused(world: World, program: SignIn, browser: SignIn) -> None:
    anna = program("anna")
    assert anna.post("/api/v1/me/channels", json={"channel": "lark://["}).status_code == 422
    answer = browser("anna").post("/me/channels", data={"channel": "lark://["})
    assert answer.headers["location"] == "/me?said=refused"
    keys = {"p256dh": "A" * 87, "auth": "A" * 22}
    assert anna.post("/api/v1/me/push", json={"endpoint": "https://[aaaaaaaa", "keys": keys}).status_code == 422
    assert anna.delete("/api/v1/me/channels/99999999999").status_code == 422


def test_a_written_time_that_no_clock_shows_is_refused(world: World, browser: SignIn) -> None:
    said: dict[str, Any] = {"began_at": "0001-01-01T00:00", "ended_at": "0001-01-01T00:00", "found": "well"}
    assert browser("anna").post(f"/homes/{world.homes['1']}/visits/log", data=said).status_code == 409


def test_nothing_was_taken_away_before_anybody_could_look(world: World, program: SignIn, browser: SignIn) -> None:
    home, bed, head = world.homes["1"], world.devices["1", "Bed"], program("head")
    answer = head.post(f"/api/v1/homes/{home}/devices/{bed}/end", json={"at": EARLY})
    assert (answer.status_code, "a year" in answer.text) == (409, True)
    assert head.get(f"/api/v1/homes/{home}/former-devices").json() == {"former": []}
    assert browser("anna").get(f"/homes/{home}").status_code == 200
