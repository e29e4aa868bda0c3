"""Many at once cost as many statements as one: what a blackout asks of the database grows in rows, not in questions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from alerts import ladder
from alerts.engine import tick
from store.pool import Connection, DatabaseRole
from tests.conftest import NOW, Database
from tests.integration.alerts.world import HomeWorld, World


def counted(connection: Connection) -> Callable[[], int]:
    """Has the connection count its statements; the answer is how many since the last answer."""
    count = 0

    class Counting(psycopg.Cursor[DictRow]):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            return super().execute(*args, **kwargs)

        def executemany(self, *args: Any, **kwargs: Any) -> None:
            raise AssertionError("one statement a row")

    def since_last() -> int:
        nonlocal count
        found, count = count, 0
        return found

    connection.cursor_factory = Counting
    return since_last


def cry(world: World, number: int, **policy: Any) -> HomeWorld:
    """A home with a prompt in which somebody presses."""
    home = world.home(f"h{number}", **policy)
    home.heard(NOW)
    world.owner.execute(
        """UPDATE gateway SET options = '{"prompts": {"ask": {"topic": "t", "payload": "1"}}}' WHERE id = %s""",
        [home.gateway],
    )
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    return home


LADDER = {"sos": [{"tell": ["elder"], "wait_s": 0}, {"tell": ["on_shift"]}, {"tell": ["manager", "emergency"]}]}


@pytest.mark.parametrize("minutes", [0, 5])
def test_forty_homes_climb_with_as_many_statements_as_two(world: World, database: Database, minutes: int) -> None:
    world.person("wang", "worker", channels=["json://127.0.0.1:1/wang"])
    world.person("li", "manager", channels=["json://127.0.0.1:1/li"])
    world.person("mute", "manager")
    asked: list[int] = []
    with database.connect(DatabaseRole.ALERTS, autocommit=False) as climber:
        since_last = counted(climber)
        for start, count in ((0, 2), (2, 40)):
            for number in range(start, start + count):
                cry(world, number, ladder=LADDER)
            world.tick(NOW)
            world.owner.execute("UPDATE alert SET rung_at = %s WHERE state = 'open'", [NOW + timedelta(hours=1)])
            world.owner.execute(
                "UPDATE alert SET rung = %s, step = 1, rung_at = %s WHERE id > %s AND id <= %s",
                [0 if minutes == 0 else 2, NOW, start, start + count],
            )
            world.owner.execute("DELETE FROM alert_question")  # each is asked, as at the first time
            since_last()
            later = NOW + timedelta(minutes=minutes)
            assert ladder.escalate(climber, later, {}, ["json://127.0.0.1:1/all"]) == (count, 0)
            climber.commit()
            asked.append(since_last())
    assert asked[0] == asked[1]
    assert asked[1] < 25
    told = world.rows("SELECT alert_id, count(*) AS n FROM delivery GROUP BY alert_id")
    assert len(told) == 42
    assert len({row["n"] for row in told}) == 1, "every home's people are told the same"
    questions = world.rows("SELECT alert_question.alert_id, gateway.home_id AS asked, alert.home_id FROM alert_question"
                           " JOIN gateway_command ON gateway_command.id = question_id"
                           " JOIN gateway ON gateway.id = gateway_id JOIN alert ON alert.id = alert_id")  # fmt: skip
    assert len(questions) == (40 if minutes == 0 else 0)
    assert all(row["asked"] == row["home_id"] for row in questions), "each home is asked about its own alert"


def test_what_a_blackout_mutes_and_takes_in_costs_as_many_statements_for_forty_homes_as_for_ten(
    world: World, database: Database
) -> None:
    asked: list[int] = []
    with database.connect(DatabaseRole.ALERTS, autocommit=False) as worker:
        since_last = counted(worker)
        for region, count in ((world.community, 10), (world.region("community-2", "community", world.street), 40)):
            homes = [world.home(f"r{region}-{number}", region) for number in range(count)]
            for home in homes:
                home.device("motion", "bedroom")
                home.heard(NOW - timedelta(hours=3))
            tick(worker, NOW, slices=[])  # nothing of these homes is looked at yet
            worker.commit()
            since_last()
            tick(worker, NOW)
            worker.commit()
            asked.append(since_last())
    assert len(world.alerts("regional_outage")) == 2
    muted = world.rows("SELECT count(*) AS n FROM muted_finding WHERE ended_at IS NULL")[0]["n"]
    assert muted >= 50
    assert abs(asked[1] - asked[0]) < 10


def test_forty_silences_end_with_as_many_statements_as_two_and_who_was_told_hears_it(
    world: World, database: Database
) -> None:
    world.person("wang", "worker", channels=["json://127.0.0.1:1/wang"])
    asked: list[int] = []
    with database.connect(DatabaseRole.ALERTS, autocommit=False) as worker:
        since_last = counted(worker)
        for number in range(42):
            home = world.home(f"h{number}")
            motion = home.device("motion", "kitchen")
            home.life(motion, NOW - timedelta(hours=13))
            home.heard(NOW - timedelta(minutes=1))
            home.state(motion, "motion", 0, NOW - timedelta(minutes=1))
            home.state(motion, "battery", 90, NOW - timedelta(minutes=1))
            if number not in (1, 41):
                continue
            first = number == 1
            world.tick(NOW)
            silences = [row for row in world.alerts("inactivity") if row["state"] != "resolved"]
            assert len(silences) == (2 if first else 40)
            world.owner.execute("UPDATE delivery SET state = 'sent' WHERE purpose = 'alert'")
            world.owner.execute("UPDATE home_state SET life_at = %s", [NOW - timedelta(seconds=30)])
            since_last()
            tick(worker, NOW + timedelta(seconds=20))
            worker.commit()
            asked.append(since_last())
            assert {row["outcome"] for row in world.alerts("inactivity")} == {"ended_itself"}
    assert asked[0] == asked[1]
    told = world.rows("SELECT alert_id FROM delivery WHERE purpose = 'ended'")
    assert len(told) == len(world.alerts("inactivity"))
