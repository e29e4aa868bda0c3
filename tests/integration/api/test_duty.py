"""Handing on, absences, maintenance, shifts and rules through the API and the pages."""

import re
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from core.clock import ManualClock
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def sos(world: World, clock: ManualClock, home: str = "1") -> int:
    return world.alert(home, clock.now(), room="bedroom", measured_at=clock.now().isoformat())


def told(world: World, alert: int, person: str, clock: ManualClock) -> None:
    """A message to that person is on record."""
    world.connection.execute(
        "INSERT INTO delivery (alert_id, rung, person_id, channel, created_at, state)"
        " VALUES (%s, 1, %s, 'x:', %s, 'sent')",
        [alert, world.people[person], clock.now()],
    )


def incident(world: World, clock: ManualClock) -> int:
    alert = world.add(
        "INSERT INTO alert (region_id, kind, severity, dedup_key, message, parameters, began_at, opened_at, last_at)"
        " VALUES (%(region)s, 'regional_outage', 'normal', 'v1:regional_outage:r1', 'finding.regional_outage.why',"
        " %(parameters)s, %(now)s, %(now)s, %(now)s) RETURNING id",
        region=world.regions["street-1"], parameters=Jsonb({"region": "Street-1", "homes": 3}), now=clock.now(),
    )  # fmt: skip
    for home in world.homes.values():
        world.connection.execute("INSERT INTO alert_home VALUES (%s, %s, %s)", [alert, home, clock.now()])
    return alert


def test_an_alert_is_handed_on_to_somebody_who_looks_after_the_home_and_to_nobody_else(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    alert, anna = sos(world, clock), program("anna")
    assert anna.post(f"/api/v1/alerts/{alert}/hand-on", json={"to": world.people["bo"]}).status_code == 404
    answer = anna.post(f"/api/v1/alerts/{alert}/hand-on", json={"to": world.people["head"], "why": "I am away"}).json()
    assert (answer["state"], answer["handed_name"]) == ("open", "Head")
    event = answer["events"][-1]
    assert (event["what"], event["source"], event["why"]) == ("handed_on", "api", "I am away")
    assert event["text"] == "Anna asked Head to take it over"


def test_who_was_told_may_take_it_and_nobody_else_of_the_family(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    alert, mei = sos(world, clock), program("mei")
    assert mei.post(f"/api/v1/alerts/{alert}/acknowledge").status_code == 403
    told(world, alert, "mei", clock)
    assert mei.post(f"/api/v1/alerts/{alert}/acknowledge").json()["ack_name"] == "Mei"
    assert mei.post(f"/api/v1/alerts/{alert}/resolve", json={"outcome": "helped"}).status_code == 403
    page = mei.get(f"/alerts/{alert}").text
    assert "Mei has it" in page
    assert "What happened" not in page  # the story is the staff's
    assert "13900000000" not in page


def test_a_volunteer_sees_the_home_only_while_called_to_it(world: World, clock: ManualClock, program: SignIn) -> None:
    world.person("vera")
    world.connection.execute("INSERT INTO volunteer VALUES (%s, %s)", [world.people["vera"], world.regions["north"]])
    alert, vera = sos(world, clock), program("vera")
    assert vera.get(f"/api/v1/alerts/{alert}").status_code == 404
    assert vera.get("/api/v1/homes").json()["homes"] == []
    told(world, alert, "vera", clock)
    assert vera.post(f"/api/v1/alerts/{alert}/on-site").status_code == 200
    assert vera.get(f"/api/v1/homes/{world.homes['1']}/timeline").status_code == 403
    program("anna").post(f"/api/v1/alerts/{alert}/resolve", json={"outcome": "helped"})
    assert vera.get(f"/api/v1/alerts/{alert}").status_code == 404


def test_a_story_can_be_reopened_from_its_page(world: World, clock: ManualClock, browser: SignIn) -> None:
    alert, anna = sos(world, clock), browser("anna")
    anna.post(f"/alerts/{alert}/resolve", data={"outcome": "false_alarm"})
    page = anna.get(f"/alerts/{alert}").text
    assert "It is not over: reopen" in page
    assert anna.post(f"/alerts/{alert}/reopen", data={"why": "She calls again"}).status_code == 303
    page = anna.get(f"/alerts/{alert}").text
    assert "Anna reopened it: it is not over" in page
    assert "She calls again" in page
    clock.move(2 * DAY)
    anna.post(f"/alerts/{alert}/resolve", data={"outcome": "helped"})
    clock.move(2 * DAY)
    assert "It is not over: reopen" not in anna.get(f"/alerts/{alert}").text


def test_two_signs_at_one_home_stand_together(world: World, clock: ManualClock, browser: SignIn) -> None:
    sos(world, clock)
    clock.move(HOUR)
    sos(world, clock, "2")
    world.alert("1", clock.now(), "leak", "normal", room="kitchen", measured_at=clock.now().isoformat())
    page = browser("anna").get("/alerts").text
    assert page.count("2 signs at this home") == 1
    assert page.index("water leak") < page.index("Home of Li")


def test_a_regional_incident_is_seen_by_the_staff_of_its_homes_each_with_their_own(
    world: World, clock: ManualClock, browser: SignIn, program: SignIn
) -> None:
    alert = incident(world, clock)
    page = browser("anna").get(f"/alerts/{alert}").text
    assert "Home of Wang" in page
    assert "Home of Zhao" not in page  # bo's
    assert "regional outage" in browser("anna").get("/alerts").text
    assert [home["name"] for home in program("bo").get(f"/api/v1/alerts/{alert}").json()["homes"]] == ["Home of Zhao"]
    assert len(program("head").get(f"/api/v1/alerts/{alert}").json()["homes"]) == 3
    assert program("head").post(f"/api/v1/alerts/{alert}/acknowledge").json()["ack_name"] == "Head"
    assert program("mei").get(f"/api/v1/alerts/{alert}").status_code == 404


def test_family_and_staff_enter_and_end_an_absence(
    world: World, clock: ManualClock, program: SignIn, browser: SignIn
) -> None:
    home = world.homes["1"]
    path = f"/api/v1/homes/{home}/absences"
    until = (clock.now() + 3 * DAY).isoformat()
    made = program("mei").post(path, json={"kind": "away", "until_at": until, "note": "with me"})
    assert made.status_code == 201
    (absence,) = program("anna").get(path).json()
    assert (absence["kind"], absence["entered_by"], absence["note"]) == ("away", "Mei", "with me")
    assert "with me" in browser("anna").get(f"/homes/{home}").text
    assert "with me" in browser("mei").get("/family").text
    assert program("anna").post(f"/api/v1/absences/{absence['id']}/end").status_code == 204
    assert program("anna").post(f"/api/v1/absences/{absence['id']}/end").status_code == 409
    rows = world.connection.execute("SELECT what FROM audit WHERE what LIKE 'absence%%' ORDER BY id").fetchall()
    assert [row["what"] for row in rows] == ["absence.enter", "absence.end"]


def test_an_absence_that_cannot_be_meant_is_refused(world: World, clock: ManualClock, program: SignIn) -> None:
    path = f"/api/v1/homes/{world.homes['1']}/absences"
    now = clock.now()
    for from_at, until in ((now, now - HOUR), (now, now + 400 * DAY), (now - 60 * DAY, now + DAY)):
        body = {"kind": "away", "from_at": from_at.isoformat(), "until_at": until.isoformat()}
        assert program("anna").post(path, json=body).status_code == 409
    assert program("anna").post(path, json={"kind": "away", "until_at": "2026-03-05T09:00:00"}).status_code == 409
    assert program("anna").post(path, json={"kind": "holiday", "until_at": now.isoformat()}).status_code == 422


def test_a_form_speaks_in_the_homes_own_time(world: World, clock: ManualClock, browser: SignIn) -> None:
    home = world.homes["1"]  # Asia/Shanghai
    form = {"kind": "visitor", "from_at": "2026-03-02T18:00", "until_at": "2026-03-04T12:00", "next": f"/homes/{home}"}
    assert browser("anna").post(f"/homes/{home}/absences", data=form).headers["location"] == f"/homes/{home}"
    row = world.connection.execute("SELECT from_at, until_at FROM absence").fetchone()
    assert row is not None
    assert [moment.isoformat() for moment in row.values()] == ["2026-03-02T10:00:00+00:00", "2026-03-04T04:00:00+00:00"]


def test_maintenance_of_a_region_is_its_managers_to_enter(world: World, clock: ManualClock, program: SignIn) -> None:
    body = {"until_at": (clock.now() + DAY).isoformat()}
    north = f"/api/v1/regions/{world.regions['north']}/maintenance"
    assert program("anna").post(north, json=body).status_code == 403
    assert program("bo").post(north, json=body).status_code == 404
    made = program("head").post(north, json=body).json()
    (row,) = program("anna").get(f"/api/v1/homes/{world.homes['1']}/maintenance").json()
    assert (row["id"], row["region_id"]) == (made["id"], world.regions["north"])
    assert program("anna").post(f"/api/v1/maintenance/{made['id']}/end").status_code == 403
    assert program("head").post(f"/api/v1/maintenance/{made['id']}/end").status_code == 204


def test_what_is_muted_stands_on_the_homes_page_with_its_reason(
    world: World, clock: ManualClock, browser: SignIn, program: SignIn
) -> None:
    home = world.homes["1"]
    for kind, cause in (("inactivity", "absence:1"), ("device_silent", f"v1:gateway_offline:{home}:1")):
        world.connection.execute(
            "INSERT INTO muted_finding (dedup_key, home_id, kind, cause, since, last_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [f"v1:{kind}:{home}", home, kind, cause, clock.now(), clock.now()],
        )
    page = browser("anna").get(f"/homes/{home}").text
    assert "muted by a planned absence" in page
    assert "muted because of: gateway offline" in page
    assert len(program("anna").get(f"/api/v1/homes/{home}/muted").json()) == 2
    assert program("mei").get(f"/api/v1/homes/{home}/muted").status_code == 403


def test_the_rules_of_a_home_say_where_they_come_from(
    world: World, clock: ManualClock, browser: SignIn, program: SignIn
) -> None:
    ladder: Any = {"ladder": {"fall": [{"tell": ["manager"], "wait_s": 90}]}, "ack_s": 60}
    world.connection.execute("UPDATE region SET policy = %s WHERE key = 'street-1'", [Jsonb(ladder)])
    home = world.homes["1"]
    policy = program("anna").get(f"/api/v1/homes/{home}/policy").json()
    assert policy["sources"] == {"ladder.fall": "street-1", "ack_s": "street-1"}
    assert policy["ladders"]["fall"] == [{"tell": ["manager"], "wait_s": 90.0, "channels": [], "repeat": 1}]
    assert policy["ladders"]["sos"][0]["tell"] == ["family", "on_shift", "platform"]
    page = browser("anna").get(f"/homes/{home}/policy").text
    assert "set by street-1" in page
    assert "worker on shift" in page


def test_the_managers_page_says_who_is_on_and_what_the_ladder_misses(
    world: World, clock: ManualClock, browser: SignIn
) -> None:
    world.plan("1", clock.now())
    alert = sos(world, clock)
    world.connection.execute(
        "INSERT INTO alert_event (alert_id, at, person_id, what, details) VALUES (%s, %s, %s, 'person_skipped', %s)",
        [alert, clock.now(), world.people["anna"], Jsonb({"rung": 1, "audience": "on_shift", "reason": "no_address"})],
    )
    page = browser("head").get("/overview").text
    assert "North: nobody is on shift from 17:00 to 5 Mar 17:00" in page
    assert "North: no way to reach Anna is registered; not told 1 time" in page
    assert "On duty now" in page


def test_nothing_on_the_page_of_an_alert_leads_the_family_to_a_closed_door(
    world: World, clock: ManualClock, browser: SignIn
) -> None:
    alert, mei = sos(world, clock), browser("mei")
    told(world, alert, "mei", clock)
    page = mei.get(f"/alerts/{alert}").text
    for link in re.findall(r'href="(/[^"]*)"', page) + re.findall(r'name="next" value="(/[^"]*)"', page):
        answer = mei.get(link, follow_redirects=True)
        assert answer.status_code == 200, link


def test_the_story_says_by_which_channel_in_words(world: World, clock: ManualClock, browser: SignIn) -> None:
    alert = sos(world, clock)
    told(world, alert, "mei", clock)
    world.connection.execute("UPDATE delivery SET channel = 'webhook+https://:secret@example.org/x'")
    page = browser("anna").get(f"/alerts/{alert}").text
    assert '<span class="soft">Webhook' in page
    assert "webhook+https" not in page
