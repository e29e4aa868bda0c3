"""A carer's visits through the API and the home's page."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from core.clock import ManualClock
from store.pool import DatabaseRole
from tests.conftest import Database
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def visits(client: httpx.Client, home: int) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/homes/{home}/visits")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def past(began_at: datetime, ended_at: datetime, **more: Any) -> dict[str, Any]:
    return {"began_at": began_at.isoformat(), "ended_at": ended_at.isoformat(), "found": "well", **more}


def test_a_carer_taps_on_coming_and_on_leaving(world: World, clock: ManualClock, program: SignIn) -> None:
    home, anna, came = world.homes["1"], program("anna"), clock.now()
    assert anna.post(f"/api/v1/homes/{home}/visits/leave", json={"found": "well"}).status_code == 409
    assert anna.post(f"/api/v1/homes/{home}/visits/arrive").status_code == 201
    assert anna.post(f"/api/v1/homes/{home}/visits/arrive").status_code == 409
    (one,) = visits(program("head"), home)
    assert (one["carer"], one["ended_at"], one["found"]) == ("Anna", None, None)
    clock.move(40 * MINUTE)
    ended = anna.post(f"/api/v1/homes/{home}/visits/leave", json={"found": "needs_attention", "note": "a cough"})
    assert ended.json() == {"id": one["id"]}
    (one,) = visits(anna, home)
    assert datetime.fromisoformat(one["ended_at"]) - came == 40 * MINUTE
    assert (one["found"], one["note"], one["together"]) == ("needs_attention", "a cough", False)
    rows = world.connection.execute("SELECT what FROM audit WHERE home_id = %s ORDER BY id", [home]).fetchall()
    assert [row["what"] for row in rows if row["what"].startswith("visit.")] == ["visit.arrive", "visit.leave"]


def test_nobody_is_in_two_homes_so_a_forgotten_visit_ends_with_the_next_one(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    anna = program("anna")
    for home in ("1", "2"):
        assert anna.post(f"/api/v1/homes/{world.homes[home]}/visits/arrive").status_code == 201
        clock.move(HOUR)
    (one,) = visits(anna, world.homes["1"])
    assert (one["ended_itself"], one["found"]) == (True, None)
    assert visits(anna, world.homes["2"])[0]["ended_at"] is None


def test_what_cannot_be_is_refused_and_says_why(world: World, clock: ManualClock, program: SignIn) -> None:
    home, anna, now = world.homes["1"], program("anna"), clock.now()

    def log(*span: timedelta, **more: Any) -> str:
        answer = anna.post(f"/api/v1/homes/{home}/visits", json=past(now - span[0], now - span[1], **more))
        assert answer.status_code == 409, answer.text
        return str(answer.json()["error"]["message"])

    assert anna.post(f"/api/v1/homes/{home}/visits", json=past(now - 5 * HOUR, now - 4 * HOUR)).status_code == 201
    assert "before it begins" in log(HOUR, 2 * HOUR)
    assert "lies ahead" in log(HOUR, -HOUR)
    assert "too old" in log(40 * DAY, 40 * DAY - HOUR)
    assert "in parts" in log(2 * DAY, DAY)
    assert "correct or undo that one" in log(4.5 * HOUR, 3 * HOUR)
    assert "have not met" in log(3 * HOUR, 2 * HOUR, found="not_met", together=True)
    naive = {"began_at": "2026-03-02T09:00:00", "ended_at": "2026-03-02T10:00:00", "found": "well"}
    assert "no zone" in anna.post(f"/api/v1/homes/{home}/visits", json=naive).json()["error"]["message"]
    assert len(visits(anna, home)) == 1
    # another carer may have been there at the same time
    bodies = past(now - 5 * HOUR, now - 4 * HOUR)
    assert program("head").post(f"/api/v1/homes/{home}/visits", json=bodies).status_code == 201


def test_a_mistake_is_corrected_or_undone_by_who_made_it_and_stays_on_record(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    home, anna, now = world.homes["1"], program("anna"), clock.now()
    first = anna.post(f"/api/v1/homes/{home}/visits", json=past(now - 5 * HOUR, now - 4 * HOUR)).json()["id"]
    right = past(now - 3 * HOUR, now - 2 * HOUR, found="not_met")
    assert program("head").put(f"/api/v1/homes/{home}/visits/{first}", json=right).status_code == 403
    wrong = past(now + HOUR, now + 2 * HOUR)
    assert anna.put(f"/api/v1/homes/{home}/visits/{first}", json=wrong).status_code == 409
    assert [one["id"] for one in visits(anna, home)] == [first]  # a correction that cannot be undoes nothing
    second = anna.put(f"/api/v1/homes/{home}/visits/{first}", json=right).json()["id"]
    assert [(one["id"], one["found"]) for one in visits(anna, home)] == [(second, "not_met")]
    assert anna.post(f"/api/v1/homes/{home}/visits/{first}/undo").status_code == 409
    assert anna.post(f"/api/v1/homes/{world.homes['2']}/visits/{second}/undo").status_code == 404
    assert anna.post(f"/api/v1/homes/{home}/visits/{second}/undo").status_code == 204
    assert visits(anna, home) == []
    rows = world.connection.execute("SELECT id, found, undone_at FROM care_visit ORDER BY id").fetchall()
    assert [(row["id"], row["found"], row["undone_at"] is not None) for row in rows] == [
        (first, "well", True),
        (second, "not_met", True),
    ]


def test_family_learns_that_somebody_came_today_and_no_more(
    world: World, clock: ManualClock, program: SignIn, database: Database
) -> None:
    home, anna, mei = world.homes["1"], program("anna"), program("mei")
    assert "Somebody came" not in mei.get("/family").text
    anna.post(f"/api/v1/homes/{home}/visits/arrive")
    anna.post(f"/api/v1/homes/{home}/visits/leave", json={"found": "needs_attention", "note": "smelled of drink"})
    page = mei.get("/family").text
    assert "Somebody came to see them today" in page
    assert "smelled" not in page
    assert mei.get(f"/api/v1/homes/{home}/visits").status_code == 403
    for verb in ("arrive", "leave"):
        assert mei.post(f"/api/v1/homes/{home}/visits/{verb}", json={"found": "well"}).status_code == 403
    with database.connect(DatabaseRole.API) as connection:
        for who, rows in (("mei", 0), ("bo", 0), ("anna", 1), ("head", 1)):
            connection.execute("SELECT set_config('yiju.person', %s, false)", [str(world.people[who])])
            found = connection.execute("SELECT * FROM care_visit").fetchall()
            assert len(found) == rows, who
            since, now = clock.now() - DAY, clock.now()
            told = connection.execute("SELECT * FROM visits_for_family(%s, %s, %s)", [home, since, now]).fetchall()
            assert len(told) == (0 if who == "bo" else 1), who
    clock.move(2 * DAY)
    assert "Somebody came" not in mei.get("/family").text
    world.connection.execute("UPDATE consent SET withdrawn_at = %s", [clock.now()])
    assert mei.get(f"/api/v1/homes/{home}/visits").status_code == 404


def test_the_homes_page_has_the_card_and_says_what_is_wrong_in_the_readers_words(
    world: World, clock: ManualClock, program: SignIn, browser: SignIn
) -> None:
    home, client = world.homes["1"], browser("anna")

    def post(path: str, **form: Any) -> httpx.Response:
        return client.post(f"/homes/{home}/visits/{path}", data=form)

    assert "No visit in the last month" in client.get(f"/homes/{home}").text
    assert post("arrive").status_code == 303
    assert "You have been here since" in client.get(f"/homes/{home}").text
    twice = post("arrive")
    assert (twice.status_code, "You are here already" in twice.text) == (409, True)
    clock.move(30 * MINUTE)
    assert post("leave", found="not_met", together="true").status_code == 303
    (one,) = visits(program("anna"), home)
    assert (one["found"], one["together"]) == ("not_met", False)
    ahead = post("log", began_at="2031-03-02T09:00", ended_at="2031-03-02T10:00", found="well")
    assert (ahead.status_code, "has not come yet" in ahead.text) == (409, True)
    assert post(f"{one['id']}/undo").status_code == 303
    assert visits(program("anna"), home) == []
