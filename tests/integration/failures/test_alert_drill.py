"""The alert drill finds nothing missed or doubled, and when something is, it says so."""

from collections.abc import Callable
from pathlib import Path

from core.clock import SystemClock
from store.pool import Connection
from yiju.drills.alerts import AlertDrill, Drilled, Size
from yiju.drills.judge import Outages, repeats
from yiju.drills.people import Receipt

SMALL = Size(homes=30, minutes=4, factor=24, rung_s=48, silence_s=60, every_s=6, restarts=1)


def drilled(folder: Path, sabotage: Callable[[Connection], None] | None = None, size: Size = SMALL) -> Drilled:
    return AlertDrill(folder, size, seed=5, durable=False, sabotage=sabotage).run(SystemClock().now())


def test_homes_in_trouble_while_everything_is_killed_miss_no_alert_and_no_message(tmp_path: Path) -> None:
    outcome = drilled(tmp_path)
    # 18 homes in which something happens; one falls silent, one is home again while silent, one is away and it burns
    assert outcome.incidents == outcome.alerts_opened == 18 + 3
    assert (outcome.missed, outcome.doubled, outcome.deliveries_missing, outcome.unplanned) == (0, 0, 0, 0)
    assert (outcome.muted, outcome.raised_though_muted) == (2, 0)
    assert outcome.api_calls >= 8  # a token, two absences, one that ends, and those who are on site
    assert outcome.kills >= 5
    assert outcome.database_restarts == 1
    assert outcome.escalations > 0


def test_what_is_dropped_sent_twice_or_raised_though_it_is_muted_is_seen_by_the_drill(tmp_path: Path) -> None:
    def sabotage(connection: Connection) -> None:
        (row,) = connection.execute("SELECT min(id) AS id FROM alert WHERE kind <> 'gateway_offline'").fetchall()
        for table in ("delivery_attempt", "delivery", "alert_event", "alert"):
            where = {
                "delivery_attempt": "delivery_id IN (SELECT id FROM delivery WHERE alert_id = %(id)s)",
                "alert": "id = %(id)s",
            }
            connection.execute(f"DELETE FROM {table} WHERE {where.get(table, 'alert_id = %(id)s')}".encode(), row)
        connection.execute("UPDATE delivery SET state = 'queued', attempts = 0, next_try_at = created_at")
        connection.execute(
            "INSERT INTO alert (home_id, kind, severity, dedup_key, message, parameters, began_at, opened_at, last_at,"
            " state) SELECT home_id, kind, 'urgent', dedup_key, 'x', '{}', since, since, since, 'resolved'"
            " FROM muted_finding WHERE cause LIKE 'absence:%'"
        )

    calm = Size(homes=20, minutes=1, factor=24, rung_s=48, silence_s=60, every_s=1000, restarts=0)
    outcome = drilled(tmp_path, sabotage, calm)
    assert outcome.missed == 1
    assert outcome.doubled > 5
    assert outcome.repeated_after_kill == 0
    assert (outcome.muted, outcome.raised_though_muted, outcome.unplanned) == (1, 1, 1)


def test_a_message_that_comes_again_is_explained_only_by_a_kill_just_as_it_was_handed_over() -> None:
    def got(*times: float) -> list[Receipt]:
        return [Receipt("wang", 1, "alert", at) for at in times]

    outages = Outages([(100.0, 101.0)])
    assert repeats(got(99.5, 160.0), outages) == (0, 1)
    assert repeats(got(50.0, 100.5), outages) == (1, 0), "the first was settled long before"
    assert repeats(got(102.0, 160.0), outages) == (1, 0), "the first was taken after the worker was back"
    assert repeats([*got(10.0), Receipt("li", 1, "alert", 11.0), Receipt("wang", 2, "alert", 12.0)], outages) == (0, 0)
