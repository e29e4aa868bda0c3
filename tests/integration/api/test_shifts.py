"""Who is on, by REST and on the page of shifts: who may change it, and what they are told."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg import Cursor

from core.clock import ManualClock
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def shifts_of(client: Any, region: int) -> list[tuple[str | None, str | None]]:
    (place,) = client.get(f"/api/v1/shifts?region={region}").json()
    (rota,) = place["rotas"]
    return [(shift["person"], shift["absent"]) for shift in rota["shifts"]]


def test_managers_cover_swap_and_take_back_and_a_worker_takes_over(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    world.person("cai", grants={"worker": "north"})
    north = world.regions["north"]
    rotation = world.add(
        "INSERT INTO rotation (key, region_id, name, duty, zone, handovers, every_days, starts_on)"
        " VALUES ('n', %(region)s, '', 'first', 'UTC', '{08:00}', 7, '2026-03-02') RETURNING id",
        region=north,
    )  # fmt: skip
    for place, name in enumerate(("anna", "cai")):
        world.connection.execute(
            "INSERT INTO rotation_member VALUES (%s, %s, %s)", [rotation, place, world.people[name]]
        )
    head, anna, cai = program("head"), program("anna"), program("cai")
    assert shifts_of(anna, north) == [("Anna", None), ("Cai", None), ("Anna", None)]
    swap = {"first_at": "2026-03-03T00:00:00Z", "second_at": "2026-03-10T00:00:00Z"}
    assert anna.post(f"/api/v1/rotations/{rotation}/swaps", json=swap).status_code == 403
    assert head.post(f"/api/v1/rotations/{rotation}/swaps", json=swap).status_code == 204
    assert shifts_of(anna, north) == [("Cai", None), ("Anna", None), ("Anna", None)]
    assert (
        head.post(f"/api/v1/rotations/{rotation}/swaps", json={**swap, "second_at": "2026-03-04T00:00:00Z"}).status_code
        == 409
    )
    # A worker takes a day over, for themselves only; and nobody covers who is no staff here.
    day = {"from_at": "2026-03-05T08:00:00Z", "until_at": "2026-03-06T08:00:00Z"}
    covers = f"/api/v1/rotations/{rotation}/covers"
    assert cai.post(covers, json={"person_id": world.people["anna"], **day}).status_code == 403
    assert anna.post(covers, json={"person_id": world.people["anna"], **day}).status_code == 201
    assert head.post(covers, json={"person_id": world.people["bo"], **day}).status_code == 409
    assert [person for person, _ in shifts_of(anna, north)] == ["Cai", "Anna", "Cai", "Anna", "Anna"]
    # Leave makes a gap, until it is taken back.
    leave = {"person_id": world.people["cai"], "from_at": "2026-03-04T08:00:00Z", "until_at": "2026-03-05T08:00:00Z"}
    assert anna.post("/api/v1/leave", json=leave).status_code == 403
    made = cai.post("/api/v1/leave", json=leave).json()["id"]
    assert (None, "Cai") in shifts_of(anna, north)
    (place,) = anna.get(f"/api/v1/shifts?region={north}").json()
    assert place["gaps"] == [{"from_at": "2026-03-04T08:00:00Z", "until_at": "2026-03-05T08:00:00Z"}]
    assert head.delete(f"/api/v1/leave/{made}").status_code == 204
    half = world.connection.execute("SELECT id FROM shift_cover WHERE swap IS NOT NULL ORDER BY id").fetchall()[0]["id"]
    assert head.delete(f"/api/v1/covers/{half}").status_code == 204
    # Both halves are gone, anna's own day among her own week.
    assert [person for person, _ in shifts_of(anna, north)] == ["Anna", "Anna", "Anna", "Cai", "Anna"]


def test_the_page_of_shifts_says_who_is_on_and_where_nobody_is(
    world: World, clock: ManualClock, browser: SignIn
) -> None:
    rotation = world.plan("1", clock.now())["rotation_id"]  # anna, who is on leave for three days
    page = browser("head").get("/shifts").text
    assert "nobody: Anna is on leave" in page
    assert "1 gap in the next two weeks" in page
    assert "No shifts yet" in page  # the south
    form = {"person": world.people["head"], "from_at": "2026-03-02T17:00", "until_at": "2026-03-05T20:00"}
    assert browser("head").post(f"/shifts/{rotation}/cover", data=form).status_code == 303
    page = browser("head").get("/shifts").text
    assert "gap in the next two weeks" not in page
    assert "Head" in page


def test_managers_enter_change_and_end_a_rotation_and_nobody_else_does(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    world.person("cai", grants={"worker": "north"})
    north, anna, cai = world.regions["north"], world.people["anna"], world.people["cai"]
    head, place = program("head"), f"/api/v1/regions/{north}/rotations"
    turns = {"members": [anna, None, cai], "handovers": ["08:00", "20:00"], "every_days": 1, "zone": "UTC",
             "starts": "2026-03-02"}  # fmt: skip
    assert program("anna").post(place, json=turns).status_code == 403
    assert program("bo").post(place, json=turns).status_code == 404  # looks after another community
    for wrong, says in (
        ({"members": [world.people["bo"]]}, "holds no grant"),
        ({"handovers": ["20:00", "08:00"]}, "the earliest first"),
        ({"handovers": ["8 o'clock"]}, "HH:MM"),
        ({"zone": "Mars/North"}, "IANA"),
        ({"ends": "2026-03-01"}, "not after"),
    ):
        answer = head.post(place, json={**turns, **wrong})
        assert answer.status_code == 422, wrong
        assert says in answer.json()["error"]["message"]
    assert head.post(place, json=turns).status_code == 204
    assert [person for person, _ in shifts_of(head, north)][:4] == ["Anna", None, "Cai", "Anna"]
    (row,) = world.connection.execute("SELECT id FROM rotation").fetchall()
    assert program("anna").put(f"/api/v1/rotations/{row['id']}", json=turns).status_code == 403
    assert program("bo").put(f"/api/v1/rotations/{row['id']}", json=turns).status_code == 404
    changed = {**turns, "members": [cai], "handovers": ["08:00"], "ends": "2026-03-05"}
    assert head.put(f"/api/v1/rotations/{row['id']}", json=changed).status_code == 204
    assert [person for person, _ in shifts_of(head, north)] == ["Cai", "Cai", "Cai", None]
    clock.move(5 * DAY)  # it has ended: the region has no shifts any more
    (shown,) = head.get(f"/api/v1/shifts?region={north}").json()
    assert {shift["person"] for rota in shown["rotas"] for shift in rota["shifts"]} <= {None}


def test_a_rotation_is_entered_and_changed_on_the_page_of_shifts(world: World, browser: SignIn) -> None:
    north, anna = world.regions["north"], str(world.people["anna"])
    head = browser("head")
    assert f"/shifts/regions/{north}/rotations" in head.get("/shifts").text
    assert f"/shifts/regions/{north}/rotations" not in browser("anna").get("/shifts").text
    form = {"name": "Nights", "duty": "first", "zone": "UTC", "member": [anna, "-", ""], "handovers": "08:00，20:00",
            "every_days": "1", "starts": "2026-03-01", "ends": ""}  # fmt: skip
    assert head.post(f"/shifts/regions/{north}/rotations", data=form).status_code == 303
    (row,) = world.connection.execute("SELECT id, handovers FROM rotation").fetchall()
    assert row["handovers"] == ["08:00", "20:00"]
    page = head.get("/shifts").text
    assert "Nights" in page
    assert f"/shifts/{row['id']}/turns" in page
    assert head.post(f"/shifts/{row['id']}/turns", data={**form, "name": "Days", "member": [anna]}).status_code == 303
    assert "Days" in head.get("/shifts").text
    members = world.connection.execute("SELECT person_id FROM rotation_member").fetchall()
    assert [member["person_id"] for member in members] == [world.people["anna"]]
    assert head.post(f"/shifts/{row['id']}/turns", data={**form, "ends": "soon"}).status_code == 409


def test_a_rotation_entered_before_breakfast_begins_today(world: World, clock: ManualClock, browser: SignIn) -> None:
    clock.move(11 * HOUR)  # 04:00 on the 3rd in Shanghai, in UTC the 2nd still
    assert 'name="starts" required value="2026-03-03"' in browser("head").get("/shifts").text


def test_the_page_of_shifts_asks_as_often_for_many_people_in_many_places_as_for_a_few(
    world: World, clock: ManualClock, browser: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, asked = browser("head"), [0]
    execute = Cursor.execute

    def counted(self: Cursor[Any], *args: Any, **named: Any) -> Any:
        asked[0] += 1
        return execute(self, *args, **named)

    def statements() -> int:
        monkeypatch.setattr(Cursor, "execute", counted)
        asked[0] = 0
        assert head.get("/shifts").status_code == 200
        monkeypatch.undo()
        return asked[0]

    statements()  # the first look writes the audit
    few = statements()
    for number in range(7):
        world.region(f"place-{number}", "community", "street-1")
        world.home(f"home-{number}", f"place-{number}", "Sun", clock.now())
        for one in range(5):
            world.person(f"worker-{number}-{one}", grants={"worker": f"place-{number}"})
    assert statements() == few


def test_times_that_cannot_be_are_said_to_be_that_and_not_that_things_have_changed(
    world: World, clock: ManualClock, browser: SignIn
) -> None:
    rota = world.plan("1", clock.now())["rotation_id"]
    head, home, anna = browser("head"), world.homes["1"], world.people["anna"]
    backwards = {"from_at": "2026-03-04T09:00", "until_at": "2026-03-03T09:00"}
    for path, more in (
        (f"/homes/{home}/absences", {"kind": "away"}),
        (f"/homes/{home}/maintenance", {}),
        (f"/shifts/{rota}/cover", {"person": anna}),
        ("/shifts/leave", {"person": anna}),
    ):
        answer = head.post(path, data={**backwards, **more})
        assert answer.status_code == 409, path
        assert "These times cannot be" in answer.text, path
        assert "have just changed" not in answer.text
    answer = head.post(f"/homes/{home}/absences", data={**backwards, "kind": "away", "from_at": "tomorrow"})
    assert "These times cannot be" in answer.text


def test_a_worker_takes_back_the_shift_that_they_took_over_and_no_other(
    world: World, clock: ManualClock, program: SignIn, browser: SignIn
) -> None:
    ids, anna, head = world.plan("1", clock.now()), program("anna"), program("head")
    rota, me = ids["rotation_id"], world.people["anna"]
    assert anna.delete(f"/api/v1/covers/{ids['cover_id']}").status_code == 204  # entered by herself
    span = {"person_id": me, "from_at": clock.now().isoformat(), "until_at": (clock.now() + DAY).isoformat()}
    given = head.post(f"/api/v1/rotations/{rota}/covers", json=span).json()["id"]
    assert anna.delete(f"/api/v1/covers/{given}").status_code == 403
    page = browser("anna")
    assert "/shifts/covers/" not in page.get("/shifts").text
    assert head.delete(f"/api/v1/covers/{given}").status_code == 204
    taken = anna.post(f"/api/v1/rotations/{rota}/covers", json=span).json()["id"]
    assert f"/shifts/covers/{taken}/withdraw" in page.get("/shifts").text
    assert page.post(f"/shifts/covers/{taken}/withdraw").status_code == 303
    assert f"/shifts/covers/{taken}/withdraw" not in page.get("/shifts").text
