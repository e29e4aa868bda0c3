"""`/api/v1`: what a program gets, and what it can do."""

from datetime import timedelta

import httpx
import pytest

from core.clock import ManualClock
from core.metrics import BY_NAME
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World


@pytest.fixture
def alert(world: World, clock: ManualClock) -> int:
    return world.alert("1", clock.now(), room="bedroom", measured_at=clock.now().isoformat())


def test_oneself(program: SignIn) -> None:
    me = program("anna").get("/api/v1/me").json()
    assert (me["key"], me["roles"], me["locale"]) == ("anna", ["worker"], "en")


def test_a_home_says_whether_it_is_watched(world: World, clock: ManualClock, program: SignIn) -> None:
    client, home = program("anna"), world.homes["1"]
    assert client.get(f"/api/v1/homes/{home}").json()["watch"] == "never"
    world.seen("1", clock.now())
    detail = client.get(f"/api/v1/homes/{home}").json()
    assert (detail["watch"], detail["unseen_since"]) == ("watched", None)
    assert [room["kind"] for room in detail["rooms"]] == ["entry", "bedroom", "living", "kitchen", "bathroom"]
    heard = clock.now()
    clock.move(timedelta(minutes=16))
    detail = client.get(f"/api/v1/homes/{home}").json()
    assert (detail["watch"], detail["unseen_since"]) == ("unseen", heard.isoformat().replace("+00:00", "Z"))


def test_a_home_whose_gateways_were_all_taken_away_says_so_at_once(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    client, home = program("anna"), world.homes["1"]
    world.seen("1", clock.now())
    world.connection.execute("UPDATE gateway SET ended_at = %s WHERE home_id = %s", [clock.now(), home])
    detail = client.get(f"/api/v1/homes/{home}").json()
    assert (detail["watch"], detail["unseen_since"]) == ("ended", clock.now().isoformat().replace("+00:00", "Z"))
    world.connection.execute(  # a new one comes
        "INSERT INTO gateway (key, home_id, registered_at) VALUES ('next', %s, %s)", [home, clock.now()]
    )
    assert client.get(f"/api/v1/homes/{home}").json()["watch"] == "watched"


def test_homes_come_page_by_page(program: SignIn) -> None:
    client = program("head")
    first = client.get("/api/v1/homes", params={"limit": 2}).json()
    second = client.get("/api/v1/homes", params={"limit": 2, "after": first["next"]}).json()
    assert [home["key"] for home in first["homes"] + second["homes"]] == ["1", "2", "3"]
    assert second["next"] is None


def test_the_timeline_is_a_day_in_the_homes_zone(world: World, clock: ManualClock, program: SignIn) -> None:
    midnight = clock.now() - timedelta(hours=17)  # 00:00 on 2 March in Shanghai
    motion, power = BY_NAME["motion"].id, BY_NAME["power"].id
    for minutes in (-1, 0, 60, 1439, 1440):
        world.reading("1", "LivingMotion", motion, midnight + timedelta(minutes=minutes), 1)
    world.reading("1", "LivingMotion", power, midnight + timedelta(minutes=5), 40.0)
    path, client = f"/api/v1/homes/{world.homes['1']}/timeline", program("anna")
    today = client.get(path).json()
    assert (today["day"], len(today["readings"]), today["complete"]) == ("2026-03-02", 4, True)
    assert [reading["metric"] for reading in today["readings"]][:2] == ["motion", "power"]
    assert len(client.get(path, params={"metric": "motion"}).json()["readings"]) == 3
    assert len(client.get(path, params={"day": "2026-03-01"}).json()["readings"]) == 1
    assert client.get(path, params={"metric": "moods"}).status_code == 404


def test_the_week_adds_up_all_rooms(world: World, clock: ManualClock, program: SignIn) -> None:
    world.rollup("1", clock.now() - timedelta(minutes=30), 5)
    world.rollup("1", clock.now() - timedelta(days=9), 5)
    week = program("mei").get(f"/api/v1/homes/{world.homes['1']}/week").json()
    assert [(quarter["life"], quarter["readings"]) for quarter in week["quarter_hours"]] == [(5, 15)]


def test_an_alert_is_taken_reached_and_ended(world: World, program: SignIn, alert: int) -> None:
    client = program("anna")
    listed = client.get("/api/v1/alerts").json()["alerts"]
    assert [(one["id"], one["state"]) for one in listed] == [(alert, "open")]
    assert "17:00" in listed[0]["why"]
    taken = client.post(f"/api/v1/alerts/{alert}/acknowledge").json()
    assert (taken["state"], taken["ack_name"]) == ("acknowledged", "Anna")
    assert client.post(f"/api/v1/alerts/{alert}/on-site").json()["state"] == "on_site"
    ended = client.post(f"/api/v1/alerts/{alert}/resolve", json={"outcome": "helped", "note": "tea"}).json()
    assert (ended["state"], ended["outcome"], ended["note"]) == ("resolved", "helped", "tea")
    assert [event["what"] for event in ended["events"]] == ["acknowledged", "on_site", "resolved"]
    assert ended["events"][1]["text"] == "Anna is on site"
    assert client.get("/api/v1/alerts").json()["alerts"] == []
    assert len(client.get("/api/v1/alerts", params={"state": "all", "kind": "sos"}).json()["alerts"]) == 1
    assert client.get("/api/v1/alerts", params={"state": "all", "kind": "fall"}).json()["alerts"] == []
    again = client.post(f"/api/v1/alerts/{alert}/resolve", json={"outcome": "helped"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")
    deeds = world.connection.execute("SELECT what FROM audit WHERE what LIKE 'alert.%' ORDER BY id").fetchall()
    assert [row["what"] for row in deeds] == ["alert.acknowledge", "alert.on_site", "alert.resolve"]


def test_alerts_come_page_by_page(world: World, clock: ManualClock, program: SignIn) -> None:
    for kind in ("sos", "fall", "smoke"):
        world.alert("1", clock.now(), kind, room="kitchen", measured_at=clock.now().isoformat())
    client = program("anna")
    first = client.get("/api/v1/alerts", params={"limit": 2}).json()
    second = client.get("/api/v1/alerts", params={"limit": 2, "before": first["next"]}).json()
    assert [one["kind"] for one in first["alerts"] + second["alerts"]] == ["smoke", "fall", "sos"]
    assert second["next"] is None


def test_a_deliverys_address_stays_inside(world: World, clock: ManualClock, program: SignIn, alert: int) -> None:
    world.connection.execute(
        "INSERT INTO delivery (alert_id, rung, channel, created_at) VALUES (%s, 0, 'wecom://key-of-ours', %s)",
        [alert, clock.now()],
    )
    answer = program("anna").get(f"/api/v1/alerts/{alert}")
    assert answer.json()["deliveries"][0]["channel"] == "wecom"
    assert "key-of-ours" not in answer.text


def test_what_cannot_be_read_is_refused_in_the_one_form(program: SignIn, alert: int) -> None:
    client = program("anna")

    def code(answer: httpx.Response) -> tuple[int, str]:
        assert set(answer.json()) == {"error"}
        return answer.status_code, answer.json()["error"]["code"]

    path = f"/api/v1/alerts/{alert}"
    assert code(client.post(f"{path}/resolve", json={"outcome": "vanished"})) == (422, "invalid")
    assert code(client.post(f"{path}/resolve", content=b"\x00junk")) == (422, "invalid")
    assert code(client.post(f"{path}/resolve", json={"outcome": "ended_itself"})) == (409, "conflict")
    assert code(client.get("/api/v1/alerts/none")) == (422, "invalid")
    assert code(client.get("/api/v1/nowhere")) == (404, "not_found")
    assert code(client.delete("/api/v1/homes")) == (405, "no_such_method")
    assert code(client.get("/api/v1/alerts/999999999")) == (404, "not_found")


def test_ids_beyond_what_the_database_holds_are_simply_not_there(program: SignIn) -> None:
    client = program("anna")
    for path in ("/api/v1/homes/99999999999", "/api/v1/alerts/99999999999999999999", "/api/v1/homes/0"):
        assert client.get(path).status_code in (404, 422), path
