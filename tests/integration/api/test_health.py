"""/health and /metrics: for whoever supervises the platform; nothing personal."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from core.clock import ManualClock, ScaledClock
from tests.conftest import Server
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_login import PacedClock
from tests.integration.api.world import World


@pytest.fixture
def clock() -> ManualClock:
    """Its seconds count as the machine's, so that a heartbeat grows old."""
    return PacedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


def beat(world: World, clock: ManualClock, service: str, **details: str | bool) -> None:
    """`service`: ingest, or the name of an alert worker."""
    if service != "ingest":
        world.connection.execute(
            "INSERT INTO alert_worker VALUES (%(name)s, %(at)s, %(at)s, %(details)s) ON CONFLICT (name)"
            " DO UPDATE SET at = excluded.at, details = excluded.details",
            {"name": service, "at": clock.now(), "details": Jsonb(details)},
        )
        return
    world.connection.execute(
        "INSERT INTO service_heartbeat VALUES (%s, %s, %s) ON CONFLICT (service)"
        " DO UPDATE SET at = excluded.at, details = service_heartbeat.details || excluded.details",
        [service, clock.now(), Jsonb(details)],
    )


def test_health_is_ok_while_every_part_beats(world: World, clock: ManualClock, stranger: httpx.Client) -> None:
    assert stranger.get("/health").json()["ingest"] == {"state": "missing"}
    beat(world, clock, "ingest", broker="connected")
    beat(world, clock, "alerts")
    answer = stranger.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["broker"] == {"state": "connected"}
    clock.move(timedelta(seconds=31))
    beat(world, clock, "ingest")
    answer = stranger.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
    assert (answer.json()["alerts"]["state"], answer.json()["ingest"]["state"]) == ("stale", "ok")


def test_a_lost_broker_is_no_health(world: World, clock: ManualClock, stranger: httpx.Client) -> None:
    beat(world, clock, "ingest", broker="lost")
    beat(world, clock, "alerts")
    assert stranger.get("/health").json()["status"] == "degraded"


def test_alerts_that_beat_but_look_at_nothing_are_no_health(
    world: World, clock: ManualClock, stranger: httpx.Client
) -> None:
    beat(world, clock, "ingest", broker="connected")
    beat(world, clock, "alerts", stalled=True)
    answer = stranger.get("/health")
    assert (answer.status_code, answer.json()["alerts"]["state"]) == (503, "stalled")
    beat(world, clock, "alerts", stalled=False)
    assert stranger.get("/health").status_code == 200


def test_a_worker_that_stands_still_does_not_hide_behind_a_healthy_one(
    world: World, clock: ManualClock, stranger: httpx.Client
) -> None:
    beat(world, clock, "ingest", broker="connected")
    beat(world, clock, "healthy", stalled=False)
    beat(world, clock, "standing", stalled=True)
    for healthy in (False, False):
        beat(world, clock, "healthy", stalled=healthy)
        assert stranger.get("/health").json()["alerts"]["state"] == "stalled"
    world.connection.execute("DELETE FROM alert_worker WHERE name = 'standing'")  # it has left
    assert stranger.get("/health").status_code == 200
    world.connection.execute("DELETE FROM alert_worker")
    assert stranger.get("/health").json()["alerts"] == {"state": "missing"}


def test_a_heartbeat_on_a_scaled_clock_is_as_old_as_the_machine_says() -> None:
    origin = datetime(2026, 1, 1, tzinfo=UTC)
    assert ScaledClock(origin, origin, 144).real_seconds(timedelta(hours=1)) == 25.0


def test_without_the_database_health_says_so_at_once(database_gone: None, stranger: httpx.Client) -> None:
    answer = stranger.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
    assert stranger.get("/api/v1/me", headers={"Authorization": "Bearer x"}).json()["error"]["code"] == "unavailable"


@pytest.fixture
def database_gone(stranger: httpx.Client, server: Server, world: World) -> None:
    """The api may no longer connect, and its connections are cut."""
    name = world.connection.info.dbname
    server.run(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(name)))
    world.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_metrics_count_requests_and_the_platforms_sums(world: World, clock: ManualClock, program: SignIn) -> None:
    world.seen("1", clock.now())
    world.alert("1", clock.now())
    world.connection.execute(
        "INSERT INTO rejected (stored_at, topic, reason, detail, size, readings, payload)"
        " VALUES (%s, 't', 'too_large', '', 1, 0, '')",
        [clock.now()],
    )
    client = program("anna")
    client.get(f"/api/v1/homes/{world.homes['1']}")
    text = client.get("/metrics").text
    for line in (
        'yiju_http_requests_total{method="GET",route="/api/v1/homes/{home_id}",status="200"} 1.0',
        'yiju_open_alerts{kind="sos"} 1.0',
        'yiju_rejected_last_hour{reason="too_large"} 1.0',
        'yiju_homes{watch="watched"} 1.0',
        'yiju_homes{watch="not_watched"} 2.0',
        "yiju_readings_stored_last_hour 0.0",
    ):
        assert line in text, line
    assert "Wang" not in text


def test_metrics_are_for_staff_and_for_prometheus(program: SignIn, stranger: httpx.Client) -> None:
    assert stranger.get("/metrics").status_code == 401
    assert program("mei").get("/metrics").status_code == 403
    assert stranger.get("/metrics", headers={"Authorization": "Bearer scrape"}).status_code == 200
    assert stranger.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
