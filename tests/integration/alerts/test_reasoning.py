"""`yiju detect explain`: the numbers behind a verdict are the sweep's own."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from rich.console import Console

from alerts.detect.spells import Began
from alerts.doubts import Trouble
from alerts.learn import learn_due, learn_home
from alerts.lifecycle import resolve
from alerts.reasoning import Reasoning, reason
from care import visits
from core.errors import NotFound
from core.model import FalseReason, Found, Outcome
from store.pool import DatabaseRole
from tests.conftest import NOW
from tests.integration.alerts.test_metered import POWER, fills_in, lives
from tests.integration.alerts.world import QUARTER, HomeWorld, World
from yiju.explain_picture import picture
from yiju.explaining import table

HOUR = timedelta(hours=1)


def test_the_reasoning_about_an_alarm_has_the_alarms_own_figures(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.routine(motion, NOW - timedelta(days=9), 9)
    home.life(motion, NOW)
    home.heard(NOW)
    world.tick(NOW)
    late = NOW + 4 * HOUR
    home.heard(late)
    for quarter in range(1, 17):
        home.speaks(NOW + quarter * timedelta(minutes=15))
    world.tick(late)
    (alert,) = world.alerts()
    for name in ("h1", "1"):
        found = reason(world.owner, name, late)
        assert found.inactive
        assert found.life_at == alert["began_at"].timestamp()
        assert found.limit_s == alert["parameters"]["limit_s"]
        assert found.version == alert["parameters"]["profile"]
        assert found.silence_s == alert["parameters"]["silence_s"]
    early = reason(world.owner, "h1", NOW + 0.2 * HOUR)
    assert not early.inactive
    before = reason(world.owner, "h1", NOW - timedelta(days=1))  # nothing was learned yet, and nothing later is seen
    assert before.part is None
    assert before.limit_s == 12 * 3600
    drawn = picture(found)
    assert drawn.startswith("<svg")
    assert "too long from" in drawn
    assert said(found)["verdict"].startswith("inactive")


def test_a_silent_motion_sensor_doubles_the_limit_and_the_reasoning_says_which_and_since_when(world: World) -> None:
    gone = NOW - timedelta(days=2)
    home, _, _ = lively(world, bedroom_at=gone)
    late = NOW + 5 * HOUR
    seen(home, late)
    world.tick(late)
    (alert,) = world.alerts("inactivity")
    found = reason(world.owner, "h1", late)
    assert found.doubled
    assert found.limit_s == alert["parameters"]["limit_s"] == 2 * found.learned_s
    assert [(doubt.room, doubt.trouble, doubt.since) for doubt in found.doubts] == [
        ("bedroom", Trouble.SILENT, gone.timestamp())
    ]
    assert "the motion sensor test/motion-2 in the bedroom was last heard 2026-" in said(found)["doubled"]
    assert said(found)["limit applied"].startswith("1 h 48 min as learned and changed")


def test_a_blind_motion_sensor_doubles_the_limit_and_the_reasoning_says_which_and_since_when(world: World) -> None:
    home, _, bedroom = lively(world)
    home.routine(bedroom, NOW - timedelta(days=9), 6)  # and then for three days it checks in and sees nobody
    learn_home(world.owner, home.id, "UTC", NOW + QUARTER)
    late = NOW + 4 * HOUR
    seen(home, late)
    found = reason(world.owner, "h1", late)
    assert found.limit_s == 2 * found.learned_s
    (doubt,) = found.doubts
    assert (doubt.device_id, doubt.trouble) == (bedroom, Trouble.BLIND)
    assert NOW - timedelta(days=3.6) < datetime.fromtimestamp(doubt.since, UTC) < NOW - timedelta(days=3)
    words = "the motion sensor test/motion-2 in the bedroom seems blind since 2026-"
    assert words in said(found)["doubled"]
    assert words in picture(found)


def test_a_door_contact_that_is_not_heard_makes_a_silence_an_outing_and_the_reasoning_says_so(world: World) -> None:
    home, _, _ = lively(world)
    gone = NOW - timedelta(days=2)
    home.state(home.device("contact", "entry", exterior=True), "open", 0, gone)
    late = NOW + 3 * HOUR
    seen(home, late)
    found = reason(world.owner, "h1", late)
    assert (found.said, found.began) == (Began.INDOORS, Began.LEFT)
    assert found.said_s < found.began_s == found.learned_s
    assert [(doubt.name, doubt.since) for doubt in found.mute] == [("test/contact-3", gone.timestamp())]
    words = "the door contact test/contact-3 in the hall was last heard 2026-"
    assert said(found)["judged as begun"].startswith(f"at the door, leaving {words}")
    assert said(found)["judged as begun"].endswith("so it may be an outing: learned limit 9 h 00 min, not 54 min")
    assert words in picture(found)


def test_a_bed_mat_that_is_not_heard_makes_a_silence_in_the_bedroom_rest_and_the_reasoning_says_so(
    world: World,
) -> None:
    home, _, bedroom = lively(world)
    gone = NOW - timedelta(days=2)
    home.state(home.device("bed", "bedroom"), "occupied", 0, gone)
    home.life(bedroom, NOW)
    late = NOW + 3 * HOUR
    seen(home, late)
    found = reason(world.owner, "h1", late)
    assert (found.said, found.began) == (Began.BEDROOM, Began.RESTING)
    assert [(doubt.name, doubt.since) for doubt in found.mute] == [("test/bed-3", gone.timestamp())]
    words = "the bed mat test/bed-3 in the bedroom was last heard 2026-"
    assert said(found)["judged as begun"].startswith(f"on a bed or seat {words}")
    assert "so it may be rest: learned limit" in said(found)["judged as begun"]
    assert words in picture(found)


def test_a_hole_in_what_was_received_is_judged_by_the_longest_limit_and_the_reasoning_says_when(world: World) -> None:
    home, _, _ = lively(world)
    late = NOW + 12 * HOUR
    seen(home, NOW + 10 * HOUR)
    for quarter in range(46, 49):
        home.speaks(NOW + quarter * QUARTER)
    home.heard(late)
    found = reason(world.owner, "h1", late)
    begins, ends = NOW + 41 * QUARTER, NOW + 46 * QUARTER
    assert found.holes == [(begins.timestamp(), ends.timestamp())]
    assert found.unseen_s == 5 * QUARTER.total_seconds()
    assert found.learned_s > found.began_s
    shown = said(found)
    assert shown["not received"] == f"1 h 15 min from the home, {begins:%F %T} to {ends:%F %T}"
    assert shown["after the hole"].endswith(f"at its end, {ends:%F %T}")
    assert "nothing received" in picture(found)


def test_a_worker_who_says_false_alarm_makes_the_limit_longer_and_the_reasoning_says_so(world: World) -> None:
    """From the alert to its closing, through the night in which the home is learned again, to the next silence."""
    home, kitchen, bedroom = lively(world)
    worker = world.person("w1", "worker")
    late = NOW + 4 * HOUR
    seen(home, late)
    home.state(bedroom, "motion", 0, late)
    world.tick(late)
    (alert,) = world.alerts("inactivity")
    with world.database.connect(DatabaseRole.ALERTS) as connection:
        resolve(connection, alert["id"], worker, late + HOUR, Outcome.FALSE_ALARM, reason=FalseReason.OTHER)
    assert reason(world.owner, "h1", late).false_alarms == 0  # nobody had said so yet
    again = NOW + timedelta(days=1)
    for quarter in range(24, 97):
        moment = NOW + quarter * QUARTER
        home.speaks(moment)
        if moment.hour >= 5 and moment.hour < 23:
            home.life(kitchen, moment)
    with world.database.connect(DatabaseRole.ALERTS) as connection:
        assert learn_due(connection, again + timedelta(minutes=1)) == {}
    moment = again + 11 * HOUR
    seen(home, moment)
    home.state(bedroom, "motion", 0, moment - timedelta(minutes=1))
    world.tick(moment)
    found = reason(world.owner, "h1", moment)
    assert found.version == 2
    assert found.false_alarms == 1
    assert found.policy.inactivity_stretch == pytest.approx(1.1)
    assert found.personal_s == pytest.approx(1.1 * found.learned_s)
    second = world.alerts("inactivity")[1]
    assert second["parameters"]["limit_s"] == pytest.approx(found.limit_s)
    assert second["parameters"]["false_alarms"] == 1
    assert said(found)["made longer"].startswith("x 1.1 by 1 false alarms of the last 30 days")


def test_a_silence_that_nobody_could_see_or_that_was_planned_is_no_alarm(world: World) -> None:
    home, _, _ = lively(world)
    worker = world.person("w1", "worker")
    home.device("contact", "entry", exterior=True)
    world.owner.execute(
        "INSERT INTO absence (home_id, kind, from_at, until_at, entered_by, entered_at)"
        " VALUES (%s, 'hospital', %s, %s, %s, %s)",
        [home.id, NOW - HOUR, NOW + 30 * HOUR, worker, NOW - HOUR],
    )
    late = NOW + 11 * HOUR
    seen(home, late)
    away = reason(world.owner, "h1", late)
    assert (away.too_long, away.inactive, away.absent) == (True, False, "hospital")
    assert said(away)["verdict"].endswith("but the absence mutes it")
    blind = reason(world.owner, "h1", NOW + 48 * HOUR)  # the gateway was not heard for more than a day
    assert (blind.watched, blind.inactive, blind.absent) == (False, False, None)
    assert "silence means nothing" in said(blind)["watched"]


def test_a_visit_that_the_silence_began_with_or_that_mutes_it_is_one_line(world: World) -> None:
    home, _, _ = lively(world)
    worker = world.person("w1", "worker")
    left = NOW + 1 * HOUR
    past = visits.Past(left - timedelta(minutes=40), left, Found.WELL)
    visits.log(world.owner, home.id, worker, left, past)
    late = NOW + 11 * HOUR
    seen(home, late)
    after = reason(world.owner, "h1", late)
    assert (after.life_at, after.began, after.inactive) == (left.timestamp(), Began.INDOORS, True)
    assert "the silence began with its end" in said(after)["carer's visit"]
    visits.arrive(world.owner, home.id, worker, late - timedelta(minutes=5))
    during = reason(world.owner, "h1", late)
    assert (during.too_long, during.inactive) == (True, False)
    assert "still there" in said(during)["carer's visit"]
    assert said(during)["verdict"].endswith("but the visit mutes it")


def test_a_home_with_nothing_but_a_meter_is_reasoned_about_by_what_it_switched_on(world: World) -> None:
    home = world.home("h1")
    meter = home.device("meter", mains=True)
    lives(world, home, meter, NOW - timedelta(days=12), NOW, (6, 22))
    learn_home(world.owner, home.id, "UTC", NOW - HOUR)
    found = reason(world.owner, "h1", NOW)
    assert found.life_at == (NOW - timedelta(minutes=54)).timestamp()
    assert found.watched
    assert found.part is not None
    assert not np.isnan(found.limit_s)


def test_a_meter_that_stood_still_was_heard_and_the_reasoning_says_so(world: World) -> None:
    home = world.home("h1")
    meter = home.device("meter", mains=True)
    lives(world, home, meter, NOW - timedelta(days=12), NOW, (6, 22))
    fills_in(world, home, meter, NOW, NOW + 3 * HOUR)
    for quarter in range(12):
        home._rollup(meter, POWER, NOW + quarter * QUARTER, 0)
    learn_home(world.owner, home.id, "UTC", NOW - HOUR)
    found = reason(world.owner, "h1", NOW + 3 * HOUR)
    assert found.unseen_s == 3 * 3600
    assert said(found)["silent for"].endswith(
        "without 3 h 00 min in which its meter, alone there, showed nothing new: nobody could have been seen"
    )
    assert said(found)["not shown"].startswith("3 h 00 min by the meter, 2026-03-02 09:00:00 to 2026-03-02 12:00:00")
    assert "nothing" not in picture(found)


def lively(world: World, bedroom_at: datetime = NOW) -> tuple[HomeWorld, int, int]:
    """A home that has been learned, with its last sign of life now, in the kitchen; and the two rooms' sensors."""
    home = world.home("h1")
    kitchen, bedroom = home.device("motion", "kitchen"), home.device("motion", "bedroom")
    home.heard(NOW - timedelta(days=9))
    home.routine(kitchen, NOW - timedelta(days=9), 9)
    home.life(kitchen, NOW)
    home.state(bedroom, "motion", 0, bedroom_at)
    home.heard(NOW)
    world.tick(NOW)
    return home, kitchen, bedroom


def seen(home: HomeWorld, until: datetime) -> None:
    """Nothing moves, and the gateway says so in every quarter."""
    for quarter in range(1, int((until - NOW) / QUARTER) + 1):
        home.speaks(NOW + quarter * QUARTER)
    home.heard(until)


def said(found: Reasoning) -> dict[str, str]:
    """The table's rows as one sentence each."""
    console = Console(width=300, record=True)
    console.print(table(found))
    rows: dict[str, list[str]] = {}
    name = ""
    for line in console.export_text().splitlines():
        cells = [cell.strip() for cell in line.split("│")[1:-1]]
        if len(cells) == 3:  # a line without a name goes on with the row before
            name = cells[0] or name
            rows.setdefault(name, []).extend(cell for cell in cells[1:] if cell)
    return {name: " ".join(parts) for name, parts in rows.items()}


def test_a_home_that_is_not_there_is_one_sentence(world: World) -> None:
    with pytest.raises(NotFound, match="there is no home 'nowhere'"):
        reason(world.owner, "nowhere", NOW)
