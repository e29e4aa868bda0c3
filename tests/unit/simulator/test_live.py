import itertools
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.errors import Conflict, NotFound
from core.wire import to_ms
from simulator.control import END, Request
from simulator.events import What
from simulator.homes import DemoHome, demo_homes
from simulator.live import LiveDemo, retained
from simulator.play import messages, spoken
from simulator.truth import Truth
from tests.unit.simulator.support import DAWN, SEED, ListeningGateway, book

NOON = DAWN + timedelta(hours=9)
HOUR = timedelta(hours=1)


class Stage:
    """A demo of three homes with listening gateways; `again()` is a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gateways: dict[int, list[ListeningGateway]] = {1: [], 2: [], 3: []}
        self.demo = self._made()

    def _made(self) -> LiveDemo:
        return LiveDemo(demo_homes(SEED, 3), self._gateway, self.folder, timedelta(hours=6))

    def _gateway(self, home: DemoHome) -> ListeningGateway:
        self.gateways[home.number].append(ListeningGateway())
        return self.gateways[home.number][-1]

    def again(self) -> None:
        self.demo = self._made()

    def play_until(self, moment: datetime) -> None:
        """Steps until nothing before `moment` is left to play."""
        while self.demo.step(moment) <= moment:
            pass

    def heard(self, home: int) -> list[tuple[str, bytes, datetime]]:
        """What was played, after what the home's first gateway is told of the states at its beginning."""
        heard = list(itertools.chain.from_iterable(gateway.heard for gateway in self.gateways[home]))
        states = spoken(book(home).home, retained(book(home), to_ms(heard[0][2])))
        told = [(said.topic, said.payload, said.time) for said in states]
        assert heard[: len(told)] == told
        return heard[len(told) :]

    def lines(self, what: str) -> int:
        return sum(line["what"] == what for line in Truth(self.folder).lines())


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def planned(home: int, start: datetime, end: datetime) -> list[tuple[str, bytes, datetime]]:
    return [(said.topic, said.payload, said.time) for said in messages(book(home), start, end)]


def just_after(moment: datetime) -> datetime:
    return moment + timedelta(milliseconds=1)


def test_everything_is_played_once_and_in_order(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    for minute in range(0, 180, 7):
        stage.play_until(NOON + timedelta(minutes=minute))
    for home in (1, 2, 3):
        assert stage.heard(home) == planned(home, NOON, just_after(NOON + timedelta(minutes=175)))


def test_a_step_says_when_the_next_message_is_due(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    stage.play_until(NOON)
    due = stage.demo.step(NOON)
    first = min(planned(home, just_after(NOON), NOON + HOUR)[0][2] for home in (1, 2, 3))
    assert due == first


def test_a_restart_goes_on_where_the_demo_stopped(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    stage.play_until(NOON + HOUR)
    stage.demo.stop()
    stage.again()
    stage.demo.start(NOON + 3 * HOUR, NOON + 3 * HOUR)
    stage.play_until(NOON + 4 * HOUR)
    assert stage.heard(2) == planned(2, NOON, just_after(NOON + 4 * HOUR))
    assert stage.lines("gap") == 0


def test_a_demo_killed_without_stopping_goes_on_too(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    stage.play_until(NOON + HOUR)
    stage.again()
    stage.demo.start(NOON + 2 * HOUR, NOON)
    stage.play_until(NOON + 2 * HOUR)
    assert stage.heard(1) == planned(1, NOON, just_after(NOON + 2 * HOUR))


def test_a_long_pause_is_jumped_over_and_noted(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    stage.play_until(NOON + HOUR)
    stage.demo.stop()
    stage.again()
    later = NOON + 40 * HOUR
    stage.demo.start(later, NOON)
    stage.play_until(later + HOUR)
    assert stage.lines("gap") == 3
    assert stage.heard(1) == planned(1, NOON, just_after(NOON + HOUR)) + planned(1, later, just_after(later + HOUR))


def test_a_home_never_played_begins_where_its_history_ended(stage: Stage) -> None:
    stage.demo.start(NOON, NOON - timedelta(minutes=20))
    stage.play_until(NOON)
    assert stage.heard(3) == planned(3, NOON - timedelta(minutes=20), just_after(NOON))


def test_an_incident_is_played_at_once_and_kept_over_a_restart(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    stage.play_until(NOON)
    sentence = stage.demo.inject(Request("fall", 3), NOON)
    assert sentence == "home 3: the resident has fallen and lies still"
    stage.play_until(NOON + timedelta(seconds=1))
    alarms = [payload for topic, payload, _ in stage.heard(3) if b"fall_alarm" in payload]
    assert len(alarms) == 1
    stage.demo.stop()
    stage.again()
    with pytest.raises(Conflict, match="home 3 already has a fall"):
        stage.demo.inject(Request("sos", 3), NOON + timedelta(minutes=5))


def test_an_incident_can_be_ended(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    stage.play_until(NOON)
    stage.demo.inject(Request("collapse", 2), NOON)
    stage.play_until(NOON + HOUR)
    assert stage.demo.inject(Request(END, 2), NOON + HOUR) == "home 2: collapse has ended"
    stage.play_until(NOON + 2 * HOUR)
    seconds_later = NOON + HOUR + timedelta(seconds=2)
    resumed = [one for one in stage.heard(2) if one[2] > seconds_later]
    assert [one[0] for one in resumed] == [one[0] for one in planned(2, seconds_later, just_after(NOON + 2 * HOUR))]
    assert stage.lines("incident") == stage.lines("incident_ended") == 1


def test_a_gateway_without_power_hears_nothing_until_it_is_back(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    stage.play_until(NOON)
    stage.demo.inject(Request("gateway-off", 1), NOON)
    stage.play_until(NOON + timedelta(minutes=90))
    assert [gateway.running for gateway in stage.gateways[1]] == [False]
    assert stage.heard(1) == planned(1, NOON, just_after(NOON))
    stage.play_until(NOON + 3 * HOUR)
    assert [gateway.running for gateway in stage.gateways[1]] == [False, True]
    back = stage.gateways[1][1].heard
    assert back
    assert back[0][2] >= NOON + 2 * HOUR - timedelta(minutes=15)  # it wakes within one step of catching up


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Request("fall", 9), "there is no home 9: the demo has homes 1 to 3"),
        (Request("earthquake", 1), "there is no incident 'earthquake': choose one of fall, sos, collapse"),
    ],
)
def test_a_request_that_cannot_be_met_says_what_can(stage: Stage, request_: Request, says: str) -> None:
    stage.demo.start(NOON, NOON)
    with pytest.raises(NotFound, match=says):
        stage.demo.inject(request_, NOON)


def test_ending_nothing_is_a_conflict(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    with pytest.raises(Conflict, match="nothing lasts in home 1"):
        stage.demo.inject(Request(END, 1), NOON)


def test_a_torn_last_line_of_the_truth_is_cut_off(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    stage.demo.inject(Request("sos", 1), NOON)
    with Truth(stage.folder).path.open("ab") as file:
        file.write(b'{"what":"inci')
    assert len(Truth(stage.folder).incidents()) == 1


def test_each_day_of_a_resident_is_written_down(stage: Stage) -> None:
    stage.demo.start(NOON, NOON)
    stage.play_until(NOON + 20 * HOUR)
    days = [line for line in Truth(stage.folder).lines() if line["what"] == "day"]
    assert [(line["home"], line["date"]) for line in days if line["home"] == 2] == [
        (2, "2026-03-02"),
        (2, "2026-03-03"),
    ]
    assert days[0]["stays"][0][:2] == ["bedroom", "sleep"]


def test_a_new_gateway_knows_every_state_so_that_the_first_word_of_a_sensor_can_be_a_change() -> None:
    states = retained(book(1), to_ms(NOON))
    before = book(1).events(to_ms(NOON - timedelta(days=1)), to_ms(NOON))
    assert set(states["time"].tolist()) == {to_ms(NOON)}
    kinds = ("motion", "contact", "bed", "radar")
    sensors = [at for at, device in enumerate(book(1).home.devices) if device.kind in kinds]
    assert set(sensors) <= set(states["device"].tolist())
    for device in sensors:
        last = before[(before["device"] == device) & (before["what"] <= What.CHECK_IN)][-1]
        (state,) = states[states["device"] == device]
        assert (state["value"], state["second"]) == (last["value"], last["second"])
