"""The pages' words: what each role reads, in both languages, without any script."""

from datetime import datetime, timedelta

import pytest

from core.clock import ManualClock
from core.metrics import BY_NAME
from core.model import AlertKind
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World


def usual_days(world: World, now: datetime) -> None:
    """Two weeks and today: up at 06:45, lively until 22:00."""
    at = now - timedelta(days=14, hours=17)
    while at < now:
        hour = ((at.hour + 8) % 24) + at.minute / 60
        world.rollup("1", at, 5 if 6.75 <= hour < 22 else 0)
        at += timedelta(minutes=15)
    world.seen("1", now)


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_kind_of_alert_can_be_shown(
    world: World, clock: ManualClock, browser: SignIn, locale: str, kind: AlertKind
) -> None:
    at = clock.now().isoformat()
    alert = world.alert("1", clock.now(), kind, room="kitchen", measured_at=at, last_at=at, silence_s=50000,
                        limit_s=43200, left_at=at, away_s=9000, device_kind="contact", heard_at=at, sensors=4,
                        seen_at=at, elsewhere_at=at, limit_at=at, open_at=at, high_at=at, low_at=at, since_at=at,
                        watts=1900, base_watts=60, litres=3, limit_litres=10, celsius=8.5, limit_celsius=12,
                        false_alarms=2, region="North", homes=9)  # fmt: skip
    world.connection.execute("UPDATE person SET locale = %s", [locale])
    client = browser("anna")
    for path in ("/alerts", f"/alerts/{alert}", f"/homes/{world.homes['1']}", "/homes"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "Home of Wang" in answer.text


def test_a_quiet_page_says_how_many_homes_are_watched(world: World, clock: ManualClock, browser: SignIn) -> None:
    world.seen("1", clock.now())
    text = browser("anna").get("/alerts").text
    assert "All is quiet" in text
    assert "1 home watched." in text
    assert "1 cannot be watched" in text


def test_a_worker_takes_and_ends_an_alert_by_plain_forms(world: World, clock: ManualClock, browser: SignIn) -> None:
    alert = world.alert("1", clock.now(), room="bedroom", measured_at=clock.now().isoformat())
    client = browser("anna")
    assert "Nobody has it yet" in client.get("/alerts").text
    answer = client.post(f"/alerts/{alert}/acknowledge", data={"next": "/alerts"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    assert "Anna has it" in client.get("/alerts").text
    client.post(f"/alerts/{alert}/on-site")
    assert "Anna is there" in client.get("/alerts/open").text
    client.post(f"/alerts/{alert}/resolve", data={"outcome": "false_alarm", "note": "<b>sat down</b>"})
    story = client.get(f"/alerts/{alert}").text
    assert "&lt;b&gt;sat down&lt;/b&gt;" in story
    assert "Over:" in story
    again = client.post(f"/alerts/{alert}/acknowledge")
    assert again.status_code == 409
    assert "Things have just changed" in again.text


def test_a_homes_page_draws_the_day_room_by_room(world: World, clock: ManualClock, browser: SignIn) -> None:
    usual_days(world, clock.now())
    for minutes in (20, 50, 80):
        at = clock.now() - timedelta(minutes=minutes)
        world.reading("1", "KitchenMotion", BY_NAME["motion"].id, at, 1)
    text = browser("anna").get(f"/homes/{world.homes['1']}").text
    assert "kitchen: signs of life from 15:40 to 16:40" in text
    assert text.count('class="stirring"') == 3
    assert "daughter" in text
    assert "front door" in text
    before = browser("anna").get(f"/homes/{world.homes['1']}?day=2026-03-01").text
    assert 'class="stirring"' not in before
    assert browser("anna").get(f"/homes/{world.homes['1']}?day=yesterday").status_code == 422


def test_a_chinese_page_names_no_english_unit(world: World, clock: ManualClock, browser: SignIn) -> None:
    world.connection.execute("UPDATE person SET locale = 'zh_CN'")
    world.connection.execute(
        "INSERT INTO device_state (device_id, metric, home_id, time, value, received_at)"
        " VALUES (%s, 51, %s, %s, 3, %s)",
        [world.devices["1", "gateway"], world.homes["1"], clock.now(), clock.now()],
    )
    text = browser("anna").get(f"/homes/{world.homes['1']}").text
    assert "待传批次 3 批" in text
    assert "不到1分钟前有信号" in text


def test_family_reads_that_today_is_as_usual(world: World, clock: ManualClock, browser: SignIn) -> None:
    usual_days(world, clock.now())
    text = browser("mei").get("/family").text
    assert "Today is as usual" in text
    assert "Up at about 06:45; last sign of life 10 minutes ago." in text
    assert "living room" not in text


def test_family_reads_what_is_wrong_and_who_has_it(world: World, clock: ManualClock, browser: SignIn) -> None:
    usual_days(world, clock.now())
    alert = world.alert("1", clock.now(), "fall", room="bathroom", measured_at=clock.now().isoformat())
    client = browser("mei")
    assert "The worker is being told now" in client.get("/family/now").text
    world.connection.execute("UPDATE alert SET rung = 2")  # the ladder was climbed, and nobody has a channel
    assert "No worker could be reached" in client.get("/family/now").text
    delivery = world.add(
        "INSERT INTO delivery (alert_id, rung, person_id, channel, created_at, state)"
        " VALUES (%(alert)s, 0, %(person)s, 'json://x', %(now)s, 'queued') RETURNING id",
        alert=alert, person=world.people["anna"], now=clock.now(),
    )  # fmt: skip
    assert "The worker is being told now" in client.get("/family/now").text
    world.connection.execute(
        "INSERT INTO delivery_attempt (delivery_id, at, ok, reason) VALUES (%s, %s, true, 'sent')",
        [delivery, clock.now()],
    )
    text = client.get("/family/now").text
    assert "Not as usual" in text
    assert "the worker has been told at 17:00" in text
    browser("anna").post(f"/alerts/{alert}/acknowledge")
    assert "Anna has taken it on" in client.get("/family").text


def test_family_is_not_told_all_is_well_when_nothing_can_be_seen(
    world: World, clock: ManualClock, browser: SignIn
) -> None:
    usual_days(world, clock.now())
    clock.move(timedelta(hours=2))
    text = browser("mei").get("/family").text
    assert "We cannot see the home" in text
    assert "Nothing has reached us since 17:00" in text


def test_family_and_worker_read_that_the_devices_were_taken_away(
    world: World, clock: ManualClock, browser: SignIn
) -> None:
    world.seen("1", clock.now())
    world.connection.execute("UPDATE gateway SET ended_at = %s WHERE home_id = %s", [clock.now(), world.homes["1"]])
    assert "nobody is watched there" in browser("mei").get("/family").text
    for path in ("/homes", f"/homes/{world.homes['1']}"):
        assert "not watched: its gateway was taken away" in browser("anna").get(path).text


def test_a_dead_battery_is_the_workers_business_not_the_familys(
    world: World, clock: ManualClock, browser: SignIn
) -> None:
    usual_days(world, clock.now())
    at = clock.now().isoformat()
    world.alert(
        "1", clock.now(), "device_silent", "notice", device_kind="bed", room="bedroom", heard_at=at, limit_s=90000
    )
    assert "Today is as usual" in browser("mei").get("/family").text


def test_a_manager_sees_counts_and_answers(world: World, clock: ManualClock, browser: SignIn) -> None:
    alert = world.alert("3", clock.now(), room="bedroom", measured_at=clock.now().isoformat())
    clock.move(timedelta(minutes=3))
    browser("bo").post(f"/alerts/{alert}/acknowledge")
    text = browser("head").get("/overview").text
    assert "South" in text
    assert "3 minutes" in text
    assert "North" not in browser("bo").get("/overview").text


def test_a_page_that_is_not_there_says_so_in_the_readers_language(browser: SignIn) -> None:
    answer = browser("anna").get("/alerts/424242")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_an_open_alert_stands_on_its_homes_page_however_many_came_and_went_since(
    world: World, clock: ManualClock, browser: SignIn
) -> None:
    world.seen("1", clock.now())
    old = world.alert("1", clock.now(), "device_silent", "notice", device_kind="contact", room="kitchen",
                      heard_at=clock.now().isoformat(), limit_s=7200)  # fmt: skip
    for _ in range(12):
        world.alert("1", clock.now(), "sos", room="bedroom", measured_at=clock.now().isoformat())
        world.connection.execute("UPDATE alert SET state = 'resolved', outcome = 'helped', resolved_at = %s"
                                 " WHERE kind = 'sos'", [clock.now()])  # fmt: skip
    assert f'class="card link notice" href="/alerts/{old}"' in browser("anna").get(f"/homes/{world.homes['1']}").text
