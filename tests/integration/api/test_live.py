"""Live events: at once, to those who may see the home, and to nobody else."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, Queue

import httpx
import pytest
from fastapi import FastAPI

from alerts import lifecycle
from core.clock import ManualClock
from tests.integration.api.conftest import PATIENCE_S, SignIn, wait_for
from tests.integration.api.world import World

Event = tuple[str, dict[str, int]]
Listen = Callable[[str], Queue[Event]]


@pytest.fixture
def listen(program: SignIn) -> Iterator[Listen]:
    """Opens a person's stream; its events come into a queue, ("end", {}) when it has ended."""
    threads: list[threading.Thread] = []
    streams: list[httpx.Response] = []

    def open_stream(login: str) -> Queue[Event]:
        client, events = program(login), Queue[Event]()
        ready = threading.Event()

        def read() -> None:
            with client.stream("GET", "/api/v1/events", timeout=PATIENCE_S) as answer:
                streams.append(answer)
                ready.set()
                name = ""
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        events.put((name, json.loads(line.removeprefix("data: "))))
            events.put(("end", {}))

        threads.append(threading.Thread(target=read))
        threads[-1].start()
        assert ready.wait(PATIENCE_S)
        assert events.get(timeout=PATIENCE_S) == ("hello", {})
        return events

    yield open_stream
    for thread in threads:
        thread.join(PATIENCE_S)


@pytest.fixture
def hang_up(app: FastAPI, listen: Listen) -> Iterator[None]:
    """Ends every stream after the test, before its readers are waited for."""
    yield
    app.state.house.switchboard.hang_up()


@pytest.mark.usefixtures("hang_up")
def test_a_change_arrives_within_a_second_and_only_where_it_may(
    world: World, clock: ManualClock, listen: Listen
) -> None:
    near, far, family, head = (listen(who) for who in ("anna", "bo", "mei", "head"))
    of_one, of_three = world.alert("1", clock.now()), world.alert("3", clock.now())
    begun = time.monotonic()
    with world.connection.transaction():
        lifecycle.acknowledge(world.connection, of_one, world.people["anna"], clock.now())
    told = ("alert", {"alert": of_one, "home": world.homes["1"]})
    assert [queue.get(timeout=1) for queue in (near, family, head)] == [told] * 3
    assert time.monotonic() - begun < 1
    with world.connection.transaction():
        lifecycle.acknowledge(world.connection, of_three, world.people["bo"], clock.now())
    # whatever had been sent to bo before would have come before this
    assert far.get(timeout=1) == ("alert", {"alert": of_three, "home": world.homes["3"]})
    assert head.get(timeout=1)[0] == "alert"
    for queue in (near, family):
        with pytest.raises(Empty):
            queue.get_nowait()


@pytest.mark.usefixtures("hang_up")
def test_a_lost_listener_comes_back_and_tells_everybody_to_fetch_again(world: World, listen: Listen) -> None:
    stream = listen("anna")
    world.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    assert stream.get(timeout=PATIENCE_S) == ("resync", {})


def test_open_streams_do_not_hold_up_a_shutdown(app: FastAPI, listen: Listen) -> None:
    stream = listen("anna")
    app.state.house.switchboard.hang_up()
    assert stream.get(timeout=5) == ("end", {})
    wait_for(lambda: not app.state.house.switchboard._clients, "the client has left")


@pytest.mark.usefixtures("hang_up")
def test_a_notice_that_is_none_of_ours_harms_nobody(world: World, clock: ManualClock, listen: Listen) -> None:
    stream = listen("anna")
    alert = world.alert("1", clock.now())
    world.connection.execute("SELECT pg_notify('alert_changed', 'junk')")
    lifecycle.announce(world.connection, alert, world.homes["1"])
    assert stream.get(timeout=5) == ("alert", {"alert": alert, "home": world.homes["1"]})
