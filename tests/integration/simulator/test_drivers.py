"""The simulator and the real gateway: what devices say is read by the drivers as history says it was."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import ManualClock
from core.metrics import BY_ID
from core.model import Lane
from core.wire import WireReading, decode_batch
from gateway.gateway import Gateway
from gateway.outbox import Outbox
from gateway.settings import Settings
from simulator.days import DayBook
from simulator.dialect import Message
from simulator.history import history
from simulator.homes import demo_homes
from simulator.incidents import IncidentKind, begin, staged
from simulator.play import messages, spoken
from simulator.recordings import load_recording
from simulator.replay import address_of, recording_messages
from tests.recorded import recorded
from tests.unit.simulator.support import DAWN, at, book


def taken(said: list[Message]) -> dict[Lane, list[WireReading]]:
    """What a new gateway makes of the messages, by lane, in the order in which it would send it."""
    with TemporaryDirectory() as folder:
        gateway = Gateway(
            Settings("gw-1", "secret", "mqtt://127.0.0.1:1", gateway_folder=folder), ManualClock(said[-1].time)
        )
        gateway.receive_many((message.topic, message.payload, message.time) for message in said)
        assert gateway.ignored() == {}
        gateway.stop()
        outbox = Outbox(Path(folder) / "outbox.sqlite")
        batches = {lane: outbox.take(lane, 0, 1_000_000) for lane in Lane}
        outbox.close()
    return {
        lane: [reading for batch in sealed for reading in decode_batch(batch.payload).readings]
        for lane, sealed in batches.items()
    }


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), number=st.integers(1, 24), start_min=st.integers(0, 20_000), hours=st.integers(1, 50))
def test_history_is_what_the_gateway_makes_of_the_messages(seed: int, number: int, start_min: int, hours: int) -> None:
    days = DayBook(demo_homes(seed)[number - 1])
    start = DAWN + timedelta(minutes=start_min)
    end = start + timedelta(hours=hours)
    by_lane = taken(list(messages(days, start, end)))
    assert by_lane[Lane.URGENT] == []
    expected = Counter(
        (days.home.devices[device].address, BY_ID[metric].name, time, value, time, flags)
        for device, metric, time, value, flags in history(days, start, end).tolist()
    )
    got = Counter(
        (reading.device, reading.metric, reading.time, reading.value, reading.received, reading.flags)
        for reading in by_lane[Lane.BULK]
    )
    # A few of each are enough to see what is wrong, and quick to show.
    assert (sorted(got - expected)[:3], sorted(expected - got)[:3]) == ([], [])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (IncidentKind.FALL, [("zigbee2mqtt/bedroom_radar", "fall", 1.0), ("zigbee2mqtt/bedroom_radar", "fall", 2.0)]),
        (IncidentKind.SOS, [("zigbee2mqtt/sos_button", "sos", 1.0)]),
    ],
)
def test_an_alarm_goes_up_the_urgent_lane(kind: IncidentKind, expected: list[tuple[str, str, float]]) -> None:
    days = book(3)
    incident = begin(1, kind, 3, at(13))
    events = staged(days, [incident], incident.start, incident.start + 1_000)
    urgent = taken(list(spoken(days.home, events)))[Lane.URGENT]
    assert [(reading.device, reading.metric, reading.value) for reading in urgent] == expected


@pytest.mark.parametrize(("name", "rows"), [("home_1", 61_578), ("home_2", 2_458), ("home_3", 45_400), ("home_4", 818)])
def test_every_row_of_a_recording_is_one_reading_of_its_sensor(name: str, rows: int) -> None:
    recording = load_recording(recorded(f"{name}.csv.gz"), recorded("homes.toml"))
    bulk = taken(list(recording_messages(recording)))[Lane.BULK]
    states = [reading for reading in bulk if reading.metric in ("motion", "open", "occupied")]
    assert len(states) == rows
    times = recording.times(book().home.zone).tolist()
    assert Counter((reading.device, reading.time, reading.value) for reading in states) == Counter(
        (address_of(recording.sensors[sensor]), time, value)
        for sensor, time, value in zip(recording.sensor.tolist(), times, recording.value.tolist(), strict=True)
    )
