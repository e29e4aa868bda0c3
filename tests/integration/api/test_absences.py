"""Planned absences: staff and family may say so for their homes, nobody else."""

from datetime import timedelta

from core.clock import ManualClock
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World


def test_family_plans_an_absence_staff_sees_it_and_cancels_it(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    path, now = f"/api/v1/homes/{world.homes['1']}/absences", clock.now()
    wanted = {"from_at": now.isoformat(), "until_at": (now + timedelta(days=3)).isoformat(), "reason": "family"}
    planned = program("mei").post(path, json=wanted)
    assert planned.status_code == 200, planned.text
    anna = program("anna")
    assert [one["id"] for one in anna.get(path).json()["absences"]] == [planned.json()["id"]]
    assert anna.post(f"{path}/{planned.json()['id']}/cancel").json() == {"absences": []}
    assert anna.post(f"{path}/{planned.json()['id']}/cancel").status_code == 404
    assert {row["what"] for row in world.connection.execute("SELECT what FROM audit")} >= {
        "absence.plan",
        "absence.cancel",
    }


def test_nobody_plans_an_absence_of_a_home_that_is_not_theirs_or_one_that_is_over(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    now = clock.now()
    wanted = {"from_at": now.isoformat(), "until_at": (now + timedelta(days=3)).isoformat(), "reason": "hospital"}
    assert program("bo").post(f"/api/v1/homes/{world.homes['1']}/absences", json=wanted).status_code == 404
    over = wanted | {"from_at": (now - timedelta(days=3)).isoformat(), "until_at": now.isoformat()}
    assert program("anna").post(f"/api/v1/homes/{world.homes['1']}/absences", json=over).status_code == 409
