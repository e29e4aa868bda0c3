"""The platform tells a gateway the time, and a cry for help from a home that cannot know it is one of now."""

from queue import Queue

import pytest

from core.model import Flag, Lane
from core.wire import VERSION, Status, WireReading, decode_time, encode, status_topic, time_topic
from ingest.decode import UNSURE_MS
from tests.conftest import Database
from tests.integration.ingest.homes import register_homes
from tests.integration.ingest.test_ingest import NOW_MS, GatewayClient, eventually, gateway, running
from yiju.embedded.broker import EmbeddedBroker

__all__ = ["gateway"]  # a fixture


def test_every_acknowledgement_says_the_platform_s_time_and_a_gateway_that_asks_hears_it(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    times: Queue[bytes] = Queue()
    gateway.client.message_callback_add(time_topic("gw-1"), lambda _c, _d, message: times.put(bytes(message.payload)))
    gateway.client.subscribe(time_topic("gw-1"), 1)
    with running(database, broker):
        gateway.publish(status_topic("gw-1"), encode(Status(VERSION, online=True)))
        gateway.publish(status_topic("gw-1"), encode(Status(VERSION, online=True, ask_time=True)))
        assert decode_time(times.get(timeout=15)).time == NOW_MS
        gateway.send(1)
        assert gateway.acks.get(timeout=15).time == NOW_MS
    assert times.empty()  # one question, one answer


@pytest.mark.parametrize(
    ("metric", "value", "flags", "age_ms", "expected"),
    [
        ("sos", 1, Flag.UNSURE, 3_600_000, (0, Flag.UNSURE | Flag.RESTAMPED)),
        ("sos", 1, Flag.UNSURE, UNSURE_MS, (UNSURE_MS, Flag.UNSURE)),
        ("sos", 1, Flag.NONE, 3_600_000, (3_600_000, Flag.NONE)),  # it waited for the line, and says when
        ("sos", 0, Flag.UNSURE, 3_600_000, (3_600_000, Flag.UNSURE)),
        ("open", 1, Flag.UNSURE, 3_600_000, (3_600_000, Flag.UNSURE)),
    ],
)
def test_an_unsure_cry_for_help_that_looks_old_is_taken_for_one_of_now(
    database: Database,
    broker: EmbeddedBroker,
    gateway: GatewayClient,
    metric: str,
    value: float,
    flags: Flag,
    age_ms: int,
    expected: tuple[int, Flag],
) -> None:
    register_homes(database, homes=1)
    reading = WireReading(
        f"zigbee2mqtt/{'sos' if metric == 'sos' else 'door'}", metric, NOW_MS - age_ms, value, 1, flags
    )
    with running(database, broker):
        gateway.send(1, reading, lane=Lane.URGENT)
        gateway.acknowledged(1)
    with database.connect() as connection:
        row = eventually(lambda: connection.execute("SELECT time, flags FROM reading").fetchone())
    assert (NOW_MS - int(row["time"].timestamp() * 1000), row["flags"]) == expected
