"""Ingest reads a broker over TLS, where what has come may wait decrypted and not in the socket."""

import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.clock import ManualClock
from core.model import Lane
from core.wire import VERSION, Batch, encode, up_topic
from ingest.service import Ingest, Settings
from tests.conftest import NOW, Database
from tests.integration.gateway.test_tls import tls as tls
from tests.integration.ingest.homes import register_homes
from tests.integration.ingest.test_ingest import SESSION, count, door, eventually, grows_to


def test_batches_small_and_great_arrive_over_tls_each_once(
    database: Database, tls: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, certificate = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    register_homes(database, homes=1)
    ingest = Ingest(Settings(database.url, f"mqtts://localhost:{port}"), ManualClock(NOW))
    thread = threading.Thread(target=ingest.run)
    thread.start()
    gateway = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="gw-1")
    gateway.tls_set(ca_certs=str(certificate))
    gateway.connect("localhost", port)
    gateway.loop_start()
    try:
        eventually(lambda: ingest.connected)
        for seq in range(1, 101):  # up to 900 readings: more than a TLS record and a block hold
            readings = [door(minutes) for minutes in range(1, 900 if seq % 20 == 0 else 3)]
            gateway.publish(up_topic("gw-1", Lane.BULK), encode(Batch(VERSION, SESSION, seq, readings)), qos=1)
        grows_to(100, lambda: count(database, "ledger"))
    finally:
        gateway.disconnect()
        gateway.loop_stop()
        ingest.stopping.set()
        thread.join(20)
    assert not thread.is_alive()
    assert count(database, "reading") == 95 * 2 + 5 * 899
