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


def test_the_office_logs_a_visit_for_a_carer_who_was_there_and_the_record_says_so(
    world: World, clock: ManualClock, program: SignIn, browser: SignIn
) -> None:
    home, now, anna, head = world.homes["1"], clock.now(), program("anna"), program("head")
    world.person("cai", grants={"worker": "north"})
    spoken = past(now - 3 * HOUR, now - 2 * HOUR, carer_id=world.people["anna"], note="she rang the office")
    assert program("cai").post(f"/api/v1/homes/{home}/visits", json=spoken).status_code == 403  # a colleague
    assert program("mei").post(f"/api/v1/homes/{home}/visits", json=spoken).status_code == 403
    for stranger in ("bo", "mei"):  # another community's, and no carer at all
        said = {**spoken, "carer_id": world.people[stranger]}
        assert head.post(f"/api/v1/homes/{home}/visits", json=said).status_code == 404
    first = head.post(f"/api/v1/homes/{home}/visits", json=spoken).json()["id"]
    (one,) = visits(anna, home)
    assert (one["carer"], one["logged_by"], one["logged_by_name"]) == ("Anna", world.people["head"], "Head")
    assert "Anna</b> · logged by Head" in browser("anna").get(f"/homes/{home}").text
    again = anna.post(f"/api/v1/homes/{home}/visits", json=past(now - 3 * HOUR, now - 2 * HOUR))
    assert again.status_code == 409  # she need not log it herself
    # Whoever logged it corrects it, and so does the carer, whose own word it is from then on.
    second = head.put(f"/api/v1/homes/{home}/visits/{first}", json=past(now - 4 * HOUR, now - 3 * HOUR)).json()["id"]
    assert [(row["id"], row["carer"], row["logged_by_name"]) for row in visits(anna, home)] == [
        (second, "Anna", "Head")
    ]
    third = anna.put(f"/api/v1/homes/{home}/visits/{second}", json=past(now - 5 * HOUR, now - 4 * HOUR)).json()["id"]
    assert [(row["id"], row["logged_by_name"]) for row in visits(anna, home)] == [(third, None)]
    assert head.post(f"/api/v1/homes/{home}/visits/{third}/undo").status_code == 403
    assert anna.post(f"/api/v1/homes/{home}/visits/{third}/undo").status_code == 204
    rows = world.connection.execute(
        "SELECT person_id, what FROM audit WHERE what LIKE 'visit.%' ORDER BY id"
    ).fetchall()
    assert (rows[0]["person_id"], rows[0]["what"]) == (world.people["head"], "visit.log_for_another")


def test_the_homes_page_lets_the_office_choose_whose_visit_it_was_and_take_it_back(
    world: World, clock: ManualClock, program: SignIn, browser: SignIn
) -> None:
    home, head = world.homes["1"], browser("head")
    assert 'name="carer"' not in browser("anna").get(f"/homes/{home}").text
    page = head.get(f"/homes/{home}").text
    assert f'<option value="{world.people["anna"]}">Anna</option>' in page
    assert ">Bo<" not in page
    said = {"began_at": "2026-03-02T14:00", "ended_at": "2026-03-02T15:00", "found": "well"}
    for carer in (world.people["anna"], ""):
        answer = head.post(f"/homes/{home}/visits/log", data={**said, "carer": carer})
        assert answer.status_code == 303, answer.text
    assert [(one["carer"], one["logged_by_name"]) for one in visits(program("anna"), home)] == [
        ("Head", None),
        ("Anna", "Head"),
    ]
    assert head.get(f"/homes/{home}").text.count("Undo this visit") == 2
    for one in visits(program("anna"), home):
        assert head.post(f"/homes/{home}/visits/{one['id']}/undo").status_code == 303
    assert visits(program("anna"), home) == []


def test_a_refused_visit_loses_nothing_of_what_was_typed(world: World, clock: ManualClock, browser: SignIn) -> None:
    home, head = world.homes["1"], browser("head")
    said = {"began_at": "2026-03-02T15:00", "ended_at": "2026-03-02T14:00", "found": "needs_attention",
            "together": "true", "note": "the left knee", "carer": str(world.people["anna"])}  # fmt: skip
    page = head.post(f"/homes/{home}/visits/log", data=said).text
    form = page[page.index("/visits/log") :]
    for typed in ('value="2026-03-02T15:00"', 'value="2026-03-02T14:00"', 'value="needs_attention" selected',
                  'value="true" checked', 'value="the left knee"', f'value="{said["carer"]}" selected'):  # fmt: skip
        assert typed in form, typed
    assert '<details class="more" data-keep="visit-log" open>' in page


def test_whoever_is_there_can_say_that_they_have_left_however_many_came_after_them(
    world: World, clock: ManualClock, program: SignIn, browser: SignIn
) -> None:
    home, head = world.homes["1"], program("head")
    program("anna").post(f"/api/v1/homes/{home}/visits/arrive")
    began = clock.now()
    clock.move(HOUR)
    for number in range(6):  # short calls of a colleague, logged at once
        call = past(began + (2 * number + 1) * MINUTE, began + (2 * number + 2) * MINUTE)
        assert head.post(f"/api/v1/homes/{home}/visits", json=call).status_code == 201
    page = browser("anna").get(f"/homes/{home}").text
    assert "You have been here since" in page
    assert page.count("<b>Head</b>") == 4
