"""Two threads store; what ends one of them ends ingest, aloud."""

import threading
from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.wire import VERSION, Status, encode, status_topic
from ingest.decode import Message, decode
from ingest.directory import Directory
from ingest.storing import Storing
from ingest.subscriber import Subscriber
from ingest.writer import Prepared, Writer, prepare
from store.pool import Connection
from tests.conftest import NOW, Database
from tests.integration.ingest.homes import register_homes


def test_a_thread_that_waits_for_its_turn_does_not_wait_for_one_that_has_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_homes(database, homes=1)
    directory = Directory()
    with database.connect() as connection:
        directory.refresh(connection)
    statuses = [
        Message(status_topic("gw-1"), encode(Status(VERSION, online=online)), False, mid, 1)
        for mid, online in enumerate((False, True), start=1)
    ]
    first, second = (prepare([decode(status, directory.gateway)], NOW) for status in statuses)
    both_at_work = threading.Barrier(2)
    store = Writer.store

    def fails_for_the_first(writer: Writer, connection: Connection, prepared: Prepared, *rest: object) -> int:
        both_at_work.wait(20)
        if prepared is first:
            raise MemoryError("no more")
        return store(writer, connection, prepared, NOW)

    monkeypatch.setattr(Writer, "store", fails_for_the_first)
    stopping = threading.Event()
    subscriber = Subscriber("mqtt://a:b@127.0.0.1:1", "test", stopping.set)  # not started: who hears does not matter
    storing = Storing(database.url, ManualClock(NOW), timedelta(days=1), subscriber, stopping)
    storing.start()
    storing.put(first)
    storing.put(second)
    ended: list[BaseException] = []

    def join() -> None:
        try:
            storing.join()
        except MemoryError as error:
            ended.append(error)

    waiting = threading.Thread(target=join, daemon=True)
    waiting.start()
    waiting.join(20)
    subscriber.stop()
    assert stopping.is_set()
    assert [str(error) for error in ended] == ["no more"]
    with database.connect() as connection:
        assert connection.execute("SELECT online FROM gateway_status").fetchall() == []
