"""Reports of gateways: what one of them writes stops no other's."""

import pytest

from core.clock import ManualClock
from core.wire import VERSION, Report, encode, report_topic, to_ms
from ingest.downlink import Downlink
from tests.conftest import NOW, Database
from tests.integration.ingest.homes import register_homes
from tests.integration.ingest.test_ingest import GatewayClient, eventually
from yiju.embedded.broker import EmbeddedBroker


@pytest.mark.parametrize("number", ["²", "9" * 5000, "9" * 30], ids=["no digit", "a long one", "more than 64 bits"])
def test_a_report_that_refuses_a_command_that_cannot_be_stops_no_other_report(
    database: Database, broker: EmbeddedBroker, number: str
) -> None:
    register_homes(database, homes=2)
    bad, good = GatewayClient(broker, "gw-1"), GatewayClient(broker, "gw-2")
    report = Report(VERSION, to_ms(NOW), "1")
    bad.publish(report_topic("gw-1"), encode(Report(VERSION, to_ms(NOW), "1", refused={number: "x"})), retain=True)
    good.publish(report_topic("gw-2"), encode(report), retain=True)
    downlink = Downlink(database.url, broker.url(), "downlink-test", ManualClock(NOW))
    downlink.start()
    try:
        with database.connect() as connection:
            reported = "SELECT key FROM gateway_report JOIN gateway ON gateway.id = gateway_id WHERE key = 'gw-2'"
            eventually(lambda: connection.execute(reported).fetchall(), until_s=6)
    finally:
        downlink.stop()
        for client in (bad, good):
            client.client.disconnect()
            client.client.loop_stop()
