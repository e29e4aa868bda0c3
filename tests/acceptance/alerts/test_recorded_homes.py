"""Recorded lives through the whole engine, dates and all: no inactivity alarm for a life that went on as usual.

The recordings (`../shared/data`, or the folder named by YIJU_DATA) are not part of the project.
"""

import csv
import gzip
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from core.metrics import BY_NAME, is_sign_of_life
from tests.conftest import Database
from tests.integration.alerts.world import HomeWorld, World
from tests.recorded import recorded

STEP = timedelta(minutes=30)
KINDS = {"motion": ("motion", "motion"), "contact": ("contact", "open"), "pressure": ("bed", "occupied")}


# Out from breakfast to four, and the door's sensor saw nothing of it: to us a silence on the couch.
UNSEEN_OUTINGS = {"home_3": [datetime(2008, 12, 3, 8, 27, 8, tzinfo=UTC)]}


class Row(NamedTuple):
    time: datetime
    sensor: str
    on: bool


def recording(name: str) -> list[Row]:
    """The rows of one home; its wall time is taken as UTC."""
    with gzip.open(recorded(f"{name}.csv.gz"), "rt") as file:
        rows = csv.DictReader(file)
        return [
            Row(datetime.fromisoformat(row["ts"]).replace(tzinfo=UTC), row["sensor"], row["value"] in ("ON", "OPEN"))
            for row in rows
        ]


def live(world: World, name: str, rows: list[Row], until: datetime | None = None) -> HomeWorld:
    """Lives through the rows, a tick every half hour. After the last row heartbeats go on until `until`."""
    sensors = tomllib.loads(recorded("homes.toml").read_text(encoding="utf-8"))[name]["sensors"]
    home = world.home(name)
    devices = {
        key: home.device(KINDS[about["kind"]][0], about["room"], exterior=about.get("exterior", False))
        for key, about in sensors.items()
    }
    ahead: Iterator[Row] = iter(rows)
    row = next(ahead, None)
    last: dict[str, bool] = {}
    now = rows[0].time
    while row is not None or (until is not None and now < until):
        now += STEP
        with world.owner.transaction():
            batch: dict[tuple[str, bool, datetime], tuple[Row, bool]] = {}
            while row is not None and row.time <= now:
                metric = BY_NAME[KINDS[sensors[row.sensor]["kind"]][1]]
                changed = row.sensor in last and last[row.sensor] != row.on
                last[row.sensor] = row.on
                life = is_sign_of_life(metric, float(row.on), changed)
                quarter = row.time.replace(minute=row.time.minute // 15 * 15, second=0, microsecond=0)
                batch[row.sensor, life, quarter] = (row, life)  # the last of a kind in a quarter stands for them all
                row = next(ahead, None)
            for one, life in sorted(batch.values()):
                metric_name = KINDS[sensors[one.sensor]["kind"]][1]
                if life:
                    home.life(devices[one.sensor], one.time, metric_name)
                home.state(devices[one.sensor], metric_name, float(one.on), one.time, changed=life)
            world.owner.execute("UPDATE device_state SET received_at = %s", [now])
            home.heard(now)
        world.tick(now)
    return home


@pytest.mark.parametrize("name", ["home_1", "home_3", "home_4"])
def test_a_life_as_usual_raises_no_inactivity_alarm(database: Database, name: str) -> None:
    rows = recording(name)
    world = World(database, rows[0].time - timedelta(days=1))
    live(world, name, rows)
    profiles = world.rows("SELECT data FROM profile ORDER BY version")
    assert profiles[-1]["data"]["known"]
    assert [alert["began_at"] for alert in world.alerts("inactivity")] == UNSEEN_OUTINGS.get(name, [])
    world.close()


def test_a_collapse_in_the_morning_is_one_alarm_within_eight_hours(database: Database) -> None:
    cut = datetime(2011, 7, 1, 9, 44, tzinfo=UTC)
    rows = [row for row in recording("home_1") if row.time <= cut]
    world = World(database, rows[0].time - timedelta(days=1))
    live(world, "home_1", rows, until=cut + timedelta(hours=36))
    (alert,) = world.alerts("inactivity")
    assert alert["state"] == "open"
    assert alert["parameters"]["room"] == "work"
    assert alert["opened_at"] - cut <= timedelta(hours=8)
    world.close()
