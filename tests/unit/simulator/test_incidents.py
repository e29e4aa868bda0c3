import itertools

import numpy as np
import pytest

from core.model import DeviceKind
from simulator.days import DayBook
from simulator.events import Events, What
from simulator.incidents import HOUR_MS, SCRIPTS, Incident, IncidentKind, begin, staged
from tests.unit.simulator.support import at, book

AFTERNOON = 13.0  # hours after 03:00
UNSEEN = [kind for kind in IncidentKind if SCRIPTS[kind].unseen]


def reports(events: Events, index: int | None = None) -> Events:
    said: Events = events[events["what"] == What.REPORT]
    if index is not None:
        said = said[said["device"] == index]
    return said


def last_value(days: DayBook, events: Events, index: int) -> float:
    said = events[(events["device"] == index) & np.isin(events["what"], [What.REPORT, What.CHECK_IN])]
    return float(said["value"][-1])


def test_without_incidents_the_day_is_as_planned() -> None:
    assert np.array_equal(staged(book(), [], at(0), at(24)), book().events(at(0), at(24)))


@pytest.mark.parametrize("kind", IncidentKind)
@pytest.mark.parametrize("number", [3, 4, 11])
def test_nothing_changes_before_an_incident(kind: IncidentKind, number: int) -> None:
    incident = begin(1, kind, number, at(AFTERNOON))
    before = staged(book(number), [incident], at(0), at(AFTERNOON))
    assert np.array_equal(before, book(number).events(at(0), at(AFTERNOON)))


@pytest.mark.parametrize("kind", IncidentKind)
def test_intervals_join_without_a_seam_during_an_incident(kind: IncidentKind) -> None:
    incident = begin(1, kind, 3, at(AFTERNOON))
    whole = staged(book(), [incident], at(10), at(44))
    edges = [10, 12.99, AFTERNOON, 13.0001, 13.01, 13.7, 14.1, 20, 37, 37.1, 44]
    parts = [staged(book(), [incident], at(low), at(high)) for low, high in itertools.pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("kind", UNSEEN)
@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("hours", [1.5, 7.2, AFTERNOON, 16.4])
def test_nobody_is_seen_while_an_unseen_incident_lasts(kind: IncidentKind, number: int, hours: float) -> None:
    incident = begin(1, kind, number, at(hours))
    settled = incident.start + 150_000  # the sensors have cleared
    during = staged(book(number), [incident], settled, incident.end)
    assert len(reports(during)) == 0
    motion = np.isin(during["device"], book(number).home.of_kind(DeviceKind.MOTION))
    assert not np.any(during["value"][motion & (during["what"] == What.CHECK_IN)])


@pytest.mark.parametrize("kind", UNSEEN)
@pytest.mark.parametrize("number", [3, 4, 11])
def test_devices_fall_back_to_the_plan_when_it_is_over(kind: IncidentKind, number: int) -> None:
    incident = Incident(1, kind, number, at(AFTERNOON), at(AFTERNOON + 1.2))
    days = book(number)
    after = staged(days, [incident], incident.end + 1000, at(48))
    assert np.array_equal(reports(after), reports(days.events(incident.end + 1000, at(48))))
    told = staged(days, [incident], at(0), incident.end + 1000)
    planned = days.events(at(0), incident.end + 1000)
    for index, device in enumerate(days.home.devices):
        if device.kind not in (DeviceKind.SOS, DeviceKind.METER):
            assert last_value(days, told, index) == last_value(days, planned, index)


def test_check_ins_go_on_through_a_collapse() -> None:
    incident = begin(1, IncidentKind.COLLAPSE, 3, at(AFTERNOON))
    told = staged(book(), [incident], incident.start, incident.end)
    planned = book().events(incident.start, incident.end)
    for what in (What.CHECK_IN, What.ENERGY, What.ONLINE):
        assert np.array_equal(told["time"][told["what"] == what], planned["time"][planned["what"] == what])


def test_a_collapse_leaves_the_power_at_its_idle_load() -> None:
    incident = begin(1, IncidentKind.COLLAPSE, 3, at(AFTERNOON))
    during = staged(book(), [incident], incident.start, incident.end)
    metered = during[during["what"] == What.ENERGY]
    assert np.array_equal(metered["value"], metered["idle"])


def test_a_radar_sees_the_fall_at_once_and_its_end() -> None:
    days = book()
    incident = begin(1, IncidentKind.FALL, 3, at(AFTERNOON))
    told = staged(days, [incident], incident.start, incident.end + 1000)
    radar = told[told["device"] == days.home.radar]
    assert radar["second"][:2].tolist() == [1, 2]
    assert radar["time"][1] - incident.start < 1000
    assert set(radar["second"][1:-1]) == {2}  # it goes on to say so
    assert radar["second"][-1] == 0


def test_an_sos_button_is_pressed_once() -> None:
    days = book()
    incident = begin(1, IncidentKind.SOS, 3, at(AFTERNOON))
    told = staged(days, [incident], at(0), at(24))
    pressed = told[told["what"] == What.PRESS]
    assert pressed["device"].tolist() == [days.home.only(DeviceKind.SOS)]
    assert pressed["time"].tolist() == [incident.start]
    assert pressed["battery"][0] > 0
    assert len(told) == len(days.events(at(0), at(24))) + 1


def test_a_wanderer_gets_up_and_leaves_the_door_open_at_night() -> None:
    days = book()
    start = at(22.5)  # 01:30
    incident = begin(1, IncidentKind.WANDER, 3, start)
    told = staged(days, [incident], start, incident.end)
    assert reports(told, days.home.only(DeviceKind.BED))["value"].tolist() == [0]
    assert reports(told, days.home.named("front_door"))["value"].tolist() == [1]
    back = staged(days, [incident], incident.end, incident.end + 1000)
    assert reports(back, days.home.named("front_door"))["value"].tolist() == [0]


def test_a_forgotten_stove_draws_power_while_nobody_moves() -> None:
    incident = begin(1, IncidentKind.STOVE, 3, at(AFTERNOON))
    during = staged(book(), [incident], incident.start, incident.end)
    assert during["value"][during["what"] == What.ENERGY].min() > 1800


@pytest.mark.parametrize("kind", [IncidentKind.STOVE, IncidentKind.COLLAPSE, IncidentKind.METER_DEAD])
def test_the_meters_counter_never_runs_backwards_through_an_incident(kind: IncidentKind) -> None:
    incident = begin(1, kind, 3, at(AFTERNOON))
    told = staged(book(), [incident], at(0), at(96))
    assert np.all(np.diff(told["second"][told["what"] == What.ENERGY]) >= -1e-9)


def test_a_dead_meter_says_nothing_between_offline_and_online() -> None:
    days = book()
    incident = Incident(1, IncidentKind.METER_DEAD, 3, at(AFTERNOON), at(AFTERNOON) + HOUR_MS)
    told = staged(days, [incident], incident.start, incident.end + 1)
    meter = told[told["device"] == days.home.meter]
    assert meter["what"].tolist() == [What.ONLINE, What.ONLINE]
    assert meter["value"].tolist() == [0, 1]


def test_what_an_early_end_overtakes_does_not_happen() -> None:
    days = book()
    incident = Incident(1, IncidentKind.WANDER, 3, at(22.5), at(22.5) + 20_000)  # stopped before the door
    told = staged(days, [incident], incident.start, incident.end + 1000)
    assert len(reports(told, days.home.named("front_door"))) == 0


def test_two_days_after_an_incident_the_plan_is_all_there_is() -> None:
    incident = begin(1, IncidentKind.STOVE, 3, at(AFTERNOON))
    told = staged(book(), [incident], incident.start, at(120))
    planned = book().events(incident.start, at(120))
    late = incident.end + 40 * HOUR_MS
    assert np.array_equal(told[told["time"] > late], planned[planned["time"] > late])
