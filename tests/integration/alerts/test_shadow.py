"""A change of rules is tried on the stored past, and a worker's word about a false alarm comes back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from alerts.lifecycle import resolve
from alerts.planned import load_plans
from alerts.shadow import Rules, read_rules, try_out
from core.errors import Conflict, RegisterError
from core.model import AlertKind, FalseReason, Outcome
from ingest.arrays import register_arrays
from ingest.rows import READING
from ingest.writer import Writer
from store.pool import DatabaseRole
from tests.conftest import NOW
from tests.integration.alerts.world import QUARTER, HomeWorld, World
from yiju.backfill import SESSION

HOUR = timedelta(hours=1)


def test_a_door_limit_that_is_doubled_takes_one_alarm_away_and_moves_another(world: World) -> None:
    home = world.home("h1")
    door, kitchen = home.device("contact", "entry", exterior=True), home.device("motion", "kitchen")
    start = NOW - timedelta(days=3)
    rows: list[tuple[int, int, int, float, int]] = []  # device, ms, metric, value, flags

    def say(device: int, after: float, metric: int, value: float, changed: bool = True) -> None:
        moment = int((start.timestamp() + after * 3600) * 1000)
        rows.append((device, moment, metric, value, int(changed)))

    for hour in range(72):
        say(kitchen, hour + 0.1, 1, 1)
        say(kitchen, hour + 0.12, 1, 0)
        say(home.itself, hour + 0.0, 50, 100 + hour)
        for part in range(1, 12):
            say(home.itself, hour + part / 12, 50, 100 + hour + part / 12)
    for opened, shut in ((20, 21), (44, 47)):  # for one hour, and for three
        say(door, opened, 2, 1)
        say(door, shut, 2, 0)
    _bring_in(world, home, rows)
    with world.database.connect(DatabaseRole.ALERTS) as connection:
        found = try_out(connection, NOW, Rules({"door_open_s": 5400}), 3, teach=HOUR)
    assert (found.old[AlertKind.DOOR_OPEN], found.new[AlertKind.DOOR_OPEN]) == (2, 1)
    assert AlertKind.GATEWAY_OFFLINE not in found.old  # the past was brought in today; it did not come today
    changes = [(one.home, one.change) for one in found.differences if one.kind is AlertKind.DOOR_OPEN]
    assert changes == [("h1", "gone"), ("h1", "moved")]
    assert not world.alerts()


def test_a_silence_in_a_planned_absence_is_no_alarm_in_the_shadow_either(world: World) -> None:
    worker = world.person("w1", "worker")
    for key, away in (("h1", True), ("h2", False)):
        home = world.home(key)
        kitchen = home.device("motion", "kitchen")
        start = NOW - timedelta(days=3)
        rows = [(home.itself, _ms(start + quarter * QUARTER), 50, float(quarter), 0) for quarter in range(3 * 96)]
        for hour in [*range(24), *range(50, 72)]:
            rows += [(kitchen, _ms(start + (hour + 0.1 * value) * HOUR), 1, value, 1) for value in (0, 1)]
        rows += [(kitchen, _ms(start + hour * HOUR), 1, 1, 0) for hour in range(24, 50)]
        _bring_in(world, home, rows)
        if away:
            world.owner.execute(
                "INSERT INTO absence (home_id, kind, from_at, until_at, entered_by, entered_at)"
                " VALUES (%s, 'away', %s, %s, %s, %s)",
                [home.id, start + 23 * HOUR, start + 60 * HOUR, worker, start],
            )
    with world.database.connect(DatabaseRole.ALERTS) as connection:
        found = try_out(connection, NOW, Rules(), 3, teach=HOUR)
    assert found.old[AlertKind.INACTIVITY] == found.new[AlertKind.INACTIVITY] == 1


def test_an_absence_that_was_entered_later_was_not_known_before(world: World) -> None:
    home, worker = world.home("h1"), world.person("w1", "worker")
    world.owner.execute(
        "INSERT INTO absence (home_id, kind, from_at, until_at, entered_by, entered_at)"
        " VALUES (%s, 'hospital', %s, %s, %s, %s)",
        [home.id, NOW, NOW + 9 * HOUR, worker, NOW + 4 * HOUR],
    )
    plans = load_plans(world.owner, [home.id], NOW, NOW + 24 * HOUR)
    assert [home.id in plans.at(NOW + hours * HOUR).absences for hours in (3, 4, 8, 9)] == [False, True, True, False]


def _bring_in(world: World, home: HomeWorld, rows: Sequence[tuple[int, int, int, float, int]]) -> None:
    """A past of (device, ms, metric, value, flags), as a demo's is brought in."""
    readings = np.zeros(len(rows), READING)
    for place, (device, moment, metric, value, flags) in enumerate(sorted(rows, key=lambda row: row[1])):
        readings[place] = (home.id, device, 0, moment, moment, value, metric, flags)
    with world.database.connect(DatabaseRole.INGEST) as ingest:
        register_arrays(ingest)
        Writer().store_history(ingest, (home.gateway, SESSION, 1, 1), readings, NOW)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def test_rules_that_nobody_knows_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    path.write_text("[policy]\ndoor_opened_s = 5\n")
    with pytest.raises(RegisterError, match="door_opened_s"):
        read_rules(path)
    path.write_text("[rules]\n")
    with pytest.raises(RegisterError, match=r"\[policy\]"):
        read_rules(path)


def test_a_false_alarm_has_a_reason_and_makes_the_homes_limit_longer(world: World) -> None:
    home = world.home("h1")
    door, kitchen = home.device("contact", "entry", exterior=True), home.device("motion", "kitchen")
    worker = world.person("w1", "worker")
    home.life(kitchen, NOW - HOUR)
    home.state(door, "open", 1, NOW - HOUR, changed=True)
    home.heard(NOW)
    assert [row["kind"] for row in world.alerts()] == []
    world.tick(NOW)
    (alert,) = world.alerts("door_open")
    with world.database.connect(DatabaseRole.ALERTS) as connection, pytest.raises(Conflict):
        resolve(connection, alert["id"], worker, NOW, Outcome.HELPED, reason=FalseReason.PET)
    with world.database.connect(DatabaseRole.ALERTS) as connection:
        resolve(connection, alert["id"], worker, NOW, Outcome.FALSE_ALARM, reason=FalseReason.VISITOR)
    assert world.alerts("door_open")[0]["false_reason"] == "visitor"
    later = NOW + 2 * HOUR
    home.state(door, "open", 0, later, changed=True)
    home.state(door, "open", 1, later, changed=True)
    for minutes, raised in ((47, 1), (51, 2)):  # 45 minutes are 49 and a half now
        now = later + timedelta(minutes=minutes)
        home.life(kitchen, now)
        home.heard(now)
        world.tick(now)
        assert len(world.alerts("door_open")) == raised
    assert world.alerts("door_open")[1]["parameters"]["false_alarms"] == 1
