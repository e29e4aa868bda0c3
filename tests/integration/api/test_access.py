"""Default deny, on every route; and a stranger's home does not exist."""

import re
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.access import ANSWERS, PUBLIC
from core.clock import ManualClock
from store.pool import DatabaseRole
from tests.conftest import Database
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World

TIMES = {"from_at": "2026-03-02T09:00Z", "until_at": "2026-03-12T09:00Z"}
SWAP = {"first_at": "2026-03-02T09:00Z", "second_at": "2026-03-12T09:00Z"}
TURNS = {"members": [1], "starts": "2026-03-02"}
FORM_TURNS = {"starts": "2026-03-02", "member": ["1"], "duty": "first", "zone": "UTC", "handovers": "08:00",
              "every_days": 7}  # fmt: skip
VISIT: dict[str, object] = {"began_at": "2026-03-02T09:00Z", "ended_at": "2026-03-02T09:30Z", "found": "well"}
BODIES: dict[str, dict[str, object]] = {
    "resolve": {"outcome": "helped"}, "language": {"locale": "en"}, "gateway-codes": {}, "hand-on": {"to": 1},
    "end": {},
    "maintenance": {**TIMES}, "absences": {"kind": "away", **TIMES}, "covers": {"person_id": 1, **TIMES},
    "swaps": {**SWAP}, "rotations": {**TURNS}, "{rotation_id}": {**TURNS}, "visits": VISIT,
    "{visit_id}": VISIT, "leave": {"found": "well"},
}  # fmt: skip
FORMS: dict[str, dict[str, object]] = {
    **BODIES,
    "cover": {"person": 1, **TIMES},
    "swap": {**SWAP},
    "rotations": {**FORM_TURNS},
    "turns": {**FORM_TURNS},
    **{name: {**VISIT} for name in ("log", "correct")},
    "{ticket}": {"answer": "pass_on"},
}
STAFF_PAGES = ("/homes", "/maintenance", "/shifts")


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """(method, path) of every route that the app answers, also those that the description leaves out."""
    found: list[tuple[str, str]] = []

    def walk(inner: object, prefix: str) -> None:
        for route in getattr(inner, "routes", []):
            if isinstance(route, APIRoute):
                found.extend((method, prefix + route.path) for method in sorted(route.methods or ()))
            elif hasattr(route, "original_router"):
                walk(route.original_router, prefix + route.include_context.prefix)

    walk(app, "")
    return found


def test_the_walk_finds_every_kind_of_route(app: FastAPI) -> None:
    found = {path for _, path in routes(app)}
    assert {"/health", "/alerts", "/family/now", "/api/v1/events", "/api/v1/homes/{home_id}/timeline"} <= found
    assert len(found) >= 30


def test_every_route_but_the_public_ones_needs_a_person(app: FastAPI, stranger: httpx.Client, site: str) -> None:
    for method, path in routes(app):
        if path in PUBLIC or path.startswith(ANSWERS):
            continue
        answer = stranger.request(method, re.sub(r"{\w+}", "1", path), headers={"Origin": site})
        if path.startswith("/api/"):
            assert answer.status_code == 401, (method, path)
            assert answer.json()["error"]["code"] == "not_signed_in"
        else:
            assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), (method, path)


@pytest.mark.parametrize("who", ["bo", "nobody"])
def test_to_a_stranger_another_regions_home_does_not_exist(
    app: FastAPI, world: World, clock: ManualClock, program: SignIn, who: str
) -> None:
    alert, home = world.alert("1", clock.now(), room="bedroom", measured_at=clock.now().isoformat()), world.homes["1"]
    planned = world.plan("1", clock.now())
    client = program(who)
    walked = 0
    for method, path in routes(app):
        if "{" not in path:
            continue
        name = path.rsplit("/", 1)[-1]
        body: Any = {"json": BODIES.get(name)} if path.startswith("/api/") else {"data": FORMS.get(name)}
        places = {
            "home_id": home,
            "alert_id": alert,
            "number": 1,
            "ticket": "x",
            "key": "gw-1",
            "visit_id": 1,
            **planned,
        }
        answer = client.request(method, path.format(**places, device_id=world.devices["1", "KitchenMotion"]), **body)
        staff_only = path.startswith(STAFF_PAGES) and not path.endswith("/absences") and who == "nobody"
        assert answer.status_code == (403 if staff_only else 404), (method, path, answer.text)
        assert "Wang" not in answer.text
        walked += 1
    assert walked >= 12
    assert world.connection.execute("SELECT state FROM alert").fetchall() == [{"state": "open"}]
    assert world.connection.execute("SELECT * FROM audit WHERE home_id = %s", [home]).fetchall() == []


@pytest.mark.parametrize(
    "path", ["/api/v1/homes", "/api/v1/alerts?state=all", "/alerts", "/homes", "/overview", "/family"]
)
def test_lists_hold_only_ones_own(world: World, clock: ManualClock, program: SignIn, path: str) -> None:
    world.alert("1", clock.now(), room="bedroom", measured_at=clock.now().isoformat())
    answer = program("bo").get(path)
    assert answer.status_code == 200
    assert "Wang" not in answer.text
    assert "North" not in answer.text


def test_the_tree_reaches_down_from_a_grant(program: SignIn) -> None:
    def homes(who: str) -> list[str]:
        return [home["key"] for home in program(who).get("/api/v1/homes").json()["homes"]]

    assert homes("anna") == ["1", "2"]
    assert homes("bo") == ["3"]
    assert homes("head") == ["1", "2", "3"]
    assert homes("mei") == ["1"]
    assert homes("nobody") == []
    assert [region["key"] for region in program("anna").get("/api/v1/regions").json()] == ["north"]


def test_family_sees_how_it_is_but_no_room_by_room_timeline(world: World, clock: ManualClock, program: SignIn) -> None:
    home, alert = world.homes["1"], world.alert("1", clock.now(), room="bedroom", measured_at=clock.now().isoformat())
    client = program("mei")
    detail = client.get(f"/api/v1/homes/{home}").json()
    assert (detail["staff"], detail["rooms"], detail["devices"]) == (False, [], [])
    assert client.get(f"/api/v1/homes/{home}/timeline").status_code == 403
    assert client.get(f"/homes/{home}").status_code == 403
    assert client.get(f"/alerts/{alert}").status_code == 403
    world.connection.execute("UPDATE alert SET note = 'smelled of drink'")
    world.connection.execute(
        "INSERT INTO alert_event (alert_id, at, person_id, what) VALUES (%s, %s, %s, 'told')",
        [alert, clock.now(), world.people["anna"]],
    )
    story = client.get(f"/api/v1/alerts/{alert}").json()
    assert (story["note"], story["events"], story["deliveries"]) == ("", [], [])
    assert client.get("/api/v1/alerts").json()["alerts"][0]["note"] == ""
    own = program("anna").get(f"/api/v1/alerts/{alert}").json()
    assert (own["note"], len(own["events"])) == ("smelled of drink", 1)
    assert client.post(f"/api/v1/alerts/{alert}/acknowledge").status_code == 403


def test_a_withdrawn_consent_closes_the_home(world: World, clock: ManualClock, program: SignIn) -> None:
    client = program("mei")
    world.connection.execute("UPDATE consent SET withdrawn_at = %s", [clock.now()])
    assert client.get("/api/v1/homes").json()["homes"] == []
    assert client.get(f"/api/v1/homes/{world.homes['1']}").status_code == 404


def test_without_a_person_the_database_itself_shows_the_api_nothing(database: Database, world: World) -> None:
    with database.connect(DatabaseRole.API) as connection:
        for table in ("home", "resident", "alert", "seen_reading", "seen_rollup", "seen_home_state"):
            assert connection.execute(f"SELECT * FROM {table}").fetchall() == []


def test_a_page_that_refreshes_itself_is_one_read_a_quarter_of_an_hour(
    world: World, clock: ManualClock, browser: SignIn
) -> None:
    client = browser("mei")

    def written() -> int:
        return len(world.connection.execute("SELECT * FROM audit WHERE what = 'read.week'").fetchall())

    for _ in range(3):
        client.get("/family/now")
        clock.move(timedelta(minutes=5))
    assert written() == 1
    client.get("/family/now")
    assert written() == 2


def test_nobody_writes_the_audit_in_anothers_name(database: Database, world: World, clock: ManualClock) -> None:
    with database.connect(DatabaseRole.API) as connection:
        connection.execute("SELECT set_config('yiju.person', %s, false)", [str(world.people["bo"])])
        row = [clock.now(), world.people["anna"], world.homes["3"]]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO audit (at, person_id, home_id, what) VALUES (%s, %s, %s, 'x')", row)


def test_every_read_of_a_home_is_written_down(world: World, clock: ManualClock, browser: SignIn) -> None:
    client = browser("anna")
    client.get(f"/homes/{world.homes['1']}")
    clock.move(timedelta(minutes=1))
    client.get("/homes")
    rows = world.connection.execute("SELECT person_id, home_id, what FROM audit ORDER BY id").fetchall()
    assert {row["what"] for row in rows if row["home_id"] == world.homes["1"]} >= {
        "read.home",
        "read.timeline",
        "read.week",
    }
    assert [row["home_id"] for row in rows if row["what"] == "read.homes"] == [world.homes["1"], world.homes["2"]]
    assert {row["person_id"] for row in rows} == {world.people["anna"]}
