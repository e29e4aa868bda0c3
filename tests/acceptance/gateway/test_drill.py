"""The drill finds nothing lost or doubled, and when something is, it says so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.clock import SystemClock
from store.pool import Connection
from tests.apart import apart
from yiju.drills.backlog import BacklogDrill
from yiju.drills.gateway import Drilled, GatewayDrill, percentile

# What comes again is taken for new: the row that says that it was stored becomes another one's.
FORGETFUL_LEDGER = """
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger SET session = gen_random_uuid()
    WHERE (gateway_id, session, lane, seq) = (NEW.gateway_id, NEW.session, NEW.lane, NEW.seq);
    RETURN NEW;
END $$ SECURITY DEFINER;
CREATE TRIGGER forgetful BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION forget();
"""


def harmless(connection: Connection, before: bool) -> None:
    """No sabotage."""


def drilled(folder: Path, readings: int, sabotage: Callable[[Connection, bool], None] = harmless) -> Drilled:
    drill = GatewayDrill(
        folder, gateways=2, readings=readings, seed=7, twice=0.2, late=0.2, durable=False, sabotage=sabotage
    )
    return apart(lambda: drill.run(SystemClock().now()))


def test_gateways_that_are_killed_over_lines_that_are_cut_lose_and_double_nothing(tmp_path: Path) -> None:
    outcome = drilled(tmp_path, 1_000)
    assert outcome.sent == outcome.stored >= 2_000
    assert (outcome.lost, outcome.doubled, outcome.rejected) == (0, 0, 0)
    assert (outcome.kills, outcome.brokers_lost, outcome.ingest_kills) == (8, 3, 3)
    assert outcome.given_twice + outcome.given_late > 0


def test_a_ledger_that_is_broken_and_batches_that_are_dropped_are_seen_by_the_drill(tmp_path: Path) -> None:
    dropped = []

    def sabotage(connection: Connection, before: bool) -> None:
        if before:
            connection.execute(FORGETFUL_LEDGER)
            return
        rows = connection.execute(
            "DELETE FROM reading WHERE batch_id IN (SELECT min(id) FROM ledger WHERE readings > 10 GROUP BY gateway_id)"
            " RETURNING device_id, value, time"
        ).fetchall()
        dropped.extend(rows)

    outcome = drilled(tmp_path, 400, sabotage)
    assert outcome.doubled > 0
    assert 0 < outcome.lost <= len(dropped)
    assert outcome.stored == outcome.sent - outcome.lost


def test_a_backlog_goes_up_quickly_in_little_memory_and_an_sos_overtakes_it(tmp_path: Path) -> None:
    outcome = apart(lambda: BacklogDrill(tmp_path, readings=40_000, durable=False).run(SystemClock().now()))
    assert (outcome.stored, outcome.lost, outcome.doubled) == (40_001, 0, 0)
    assert outcome.readings_per_s >= 2_000
    assert outcome.urgent_stored_s <= 2
    assert outcome.urgent_behind > 0
    assert outcome.memory_peak_mb < 80


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_percentile_is_one_of_the_values(share: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], share) == 4 * share
