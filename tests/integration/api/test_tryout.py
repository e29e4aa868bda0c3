"""A manager tries a change of the rules on the past; how often each kind was right is told by month."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from core.clock import ManualClock
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World


def test_only_a_manager_tries_rules_out(world: World, browser: SignIn) -> None:
    assert browser("anna").get("/try-out").status_code == 403


def test_a_trial_over_a_past_without_readings_finds_nothing_different(world: World, browser: SignIn) -> None:
    client = browser("head")
    page = client.get("/try-out")
    assert page.status_code == 200
    values = {"false_alarm_days": 25, "inactivity_h": 10, "not_risen_margin_min": 60, "long_stay_floor_min": 45,
              "door_open_min": 30, "days": 3}  # fmt: skip
    answer = client.post("/try-out", data=values)
    assert answer.status_code == 200, answer.text
    assert "Nothing would have been different." in answer.text
    assert "at most 1.20 false alarms a home and month" in answer.text  # one in 25 days


def test_precision_is_told_by_kind_and_month(world: World, clock: ManualClock, browser: SignIn) -> None:
    alert = world.alert("1", clock.now(), "door_open", open_at=clock.now().isoformat(), silence_s=3000, limit_s=2700)
    client = browser("anna")
    answer = client.post(
        f"/alerts/{alert}/resolve", data={"outcome": "false_alarm", "reason": "visitor"}, follow_redirects=False
    )
    assert answer.status_code == 303
    told = client.get("/api/v1/alerts/precision").json()["kinds"]
    assert [(row["kind"], row["judged"], row["false_alarms"], row["precision"], row["reasons"]) for row in told] == [
        ("door_open", 1, 1, 0.0, {"visitor": 1})
    ]
    page = browser("head").get("/overview").text
    assert f"<summary>{clock.now():%Y-%m}</summary>" in page
    assert "0 of 1 that somebody judged; 1 raised" in page


def test_the_first_morning_of_a_month_belongs_to_it_on_the_platforms_calendar(
    world: World, clock: ManualClock, program: SignIn
) -> None:
    at = datetime(2026, 3, 1, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))  # in UTC it is February still
    world.alert("1", at, "door_open", open_at=at.isoformat(), silence_s=3000, limit_s=2700)
    told = program("anna").get("/api/v1/alerts/precision", params={"months": 1}).json()["kinds"]
    assert [row["month"] for row in told] == ["2026-03-01"]


def test_the_form_itself_says_what_a_limit_can_be(world: World, browser: SignIn) -> None:
    """So that a browser says it beside the field: sent on, it would cost the person all that they had typed."""
    client = browser("head")
    bounds = re.findall(r'name="(\w+)" type="number" [^>]*min="([\d.]+)" max="([\d.]+)"', client.get("/try-out").text)
    assert len(bounds) == 5
    values = {name: least for name, least, _ in bounds} | {"days": 3}
    assert client.post("/try-out", data=values).status_code == 200
    for name, least, most in bounds:
        for beyond in (float(least) - 0.5, float(most) + 0.5):
            assert client.post("/try-out", data={**values, name: beyond}).status_code == 422, name
