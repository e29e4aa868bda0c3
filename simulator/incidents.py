"""Incidents: what happens to a resident or a device, laid over the day that would have been.

An incident changes events between its start and its end and knows nothing of how anybody detects it.
Where the person is not seen, every change of state is missing, check-ins repeat the last state, and the
meter runs on at its idle load. At the end the devices fall back to what the day's plan says.
"""

from enum import StrEnum
from typing import Final, NamedTuple

import msgspec
import numpy as np

from core.model import DeviceKind
from simulator.days import DayBook
from simulator.devices import METER_PERIOD_S
from simulator.events import Events, Floats, What, between, in_order, make_events
from simulator.sensing import state_at_dawn

HOUR_MS: Final = 3_600_000
_FELT_MS: Final = 48 * HOUR_MS  # so long after its end nothing of an incident is left, not even in the meter's counter
_CLEARS_MS: Final = 70_000
_STOVE_W: Final = 1800.0


class IncidentKind(StrEnum):
    FALL = "fall"  # the radar sees it; the person lies still
    SOS = "sos"  # the button is pressed
    COLLAPSE = "collapse"  # nobody sees it: silence
    WANDER = "wander"  # leaves, the door stays open
    STOVE = "stove"  # the stove stays on and nobody moves
    METER_DEAD = "meter-dead"
    GATEWAY_OFF = "gateway-off"


class Script(NamedTuple):
    """How a kind of incident goes.

    Attributes:
        hours: how long it lasts if nobody ends it before.
        unseen: nothing the person does is seen.
        extra_w: what the meter shows above the idle load.
        meter_silent: the meter sends nothing.
        sentence: what the control socket answers.
    """

    hours: float
    sentence: str
    unseen: bool = False
    extra_w: float = 0.0
    meter_silent: bool = False


SCRIPTS: Final[dict[IncidentKind, Script]] = {
    IncidentKind.FALL: Script(1, "the resident has fallen and lies still", unseen=True),
    IncidentKind.SOS: Script(0.25, "the SOS button is pressed"),
    IncidentKind.COLLAPSE: Script(24, "the resident has collapsed; nothing they do is seen any more", unseen=True),
    IncidentKind.WANDER: Script(3, "the resident has left and the door stands open", unseen=True),
    IncidentKind.STOVE: Script(1.5, "the stove stays on and nobody moves", unseen=True, extra_w=_STOVE_W),
    IncidentKind.METER_DEAD: Script(12, "the meter is dead", meter_silent=True),
    IncidentKind.GATEWAY_OFF: Script(2, "the gateway is without power"),
}


class Incident(msgspec.Struct, frozen=True):
    """One incident in one home, from `start` to `end` (ms since 1970)."""

    id: int
    kind: IncidentKind
    home: int
    start: int
    end: int

    @property
    def script(self) -> Script:
        return SCRIPTS[self.kind]

    def lasts_at(self, moment: int) -> bool:
        return self.start <= moment < self.end


def begin(number: int, kind: IncidentKind, home: int, start: int) -> Incident:
    """An incident that begins at `start` (ms) and lasts as long as its script says."""
    return Incident(number, kind, home, start, start + int(SCRIPTS[kind].hours * HOUR_MS))


def staged(book: DayBook, incidents: list[Incident], start: int, end: int) -> Events:
    """The home's events with start <= time < end (ms), with the incidents laid over in the order given."""
    events = book.events(start, end)
    for incident in incidents:
        if incident.start < end and start < incident.end + _FELT_MS:
            events = _lay_over(book, events, incident, start, end)
    return events


def _lay_over(book: DayBook, events: Events, incident: Incident, start: int, end: int) -> Events:
    script = incident.script
    events = events.copy()
    inside = (events["time"] >= incident.start) & (events["time"] < incident.end)
    metered = events["device"] == book.home.meter
    if script.unseen:
        value, second = _frozen(book, incident)
        checks = inside & (events["what"] == What.CHECK_IN)
        events["value"][checks] = value[events["device"][checks]]
        events["second"][checks] = second[events["device"][checks]]
        _meter_unseen(book, events, incident)
        events = events[~(inside & (events["what"] == What.REPORT))]
    elif script.meter_silent:
        events = events[~(inside & metered)]
    added = [*_beginning(book, incident), *_ending(book, incident)]
    return in_order([events, between(in_order(added), start, end)])


def _beginning(book: DayBook, incident: Incident) -> list[Events]:
    """What is sent because it began; what an early end has overtaken is not."""
    home, kind = book.home, incident.kind
    sent: list[Events] = []

    def send(after_ms: int, device: int, value: float, second: float = 0, what: What = What.REPORT) -> None:
        if incident.start + after_ms < incident.end:
            sent.append(_event(book, incident.start + after_ms, device, what, value, second))

    before = [_state(book, index, incident.start) for index in range(len(home.devices))]
    bed = home.only(DeviceKind.BED)
    walked: tuple[int, ...] = ()
    if kind is IncidentKind.FALL:
        send(0, home.radar, 1, 1)  # the radar has waited for a getting up before it says so
        send(500, home.radar, 1, 2)
        if before[bed]:
            send(100, bed, 0)
    elif kind is IncidentKind.SOS:
        send(0, home.only(DeviceKind.SOS), 1, what=What.PRESS)
    elif kind is IncidentKind.WANDER:
        if before[bed]:
            send(2_000, bed, 0)
        walked = (home.named("bedroom_motion"), home.named("entry_motion"))
        for after, index in zip((5_000, 40_000), walked, strict=True):
            send(after, index, 1)
            send(after + _CLEARS_MS, index, 0)
        send(55_000, home.named("front_door"), 1)
    elif kind is IncidentKind.METER_DEAD:
        send(0, home.meter, 0, what=What.ONLINE)
    if incident.script.unseen:
        for index in home.of_kind(DeviceKind.MOTION):
            if before[index] and index not in walked:
                send(_CLEARS_MS, index, 0)
        if before[home.radar] and kind is not IncidentKind.FALL:
            send(_CLEARS_MS // 2, home.radar, 0)
    return sent


def _ending(book: DayBook, incident: Incident) -> list[Events]:
    """What is sent because it is over: every device that the plan leaves in another state reports it."""
    if incident.script.meter_silent:
        return [_event(book, incident.end, book.home.meter, What.ONLINE, 1)]
    if not incident.script.unseen:
        return []
    told = {index: (_state(book, index, incident.start), 0.0) for index in range(len(book.home.devices))}
    for event in in_order(_beginning(book, incident)):
        told[int(event["device"])] = (float(event["value"]), float(event["second"]))
    sent = []
    for index, last in told.items():
        planned = _state(book, index, incident.end)
        if last != (planned, 0.0):
            sent.append(_event(book, incident.end + index, index, What.REPORT, planned))
    return sent


def _frozen(book: DayBook, incident: Incident) -> tuple[Floats, Floats]:
    """(value, second) of every device while the person is not seen."""
    home = book.home
    value = np.array([_state(book, index, incident.start) for index in range(len(home.devices))])
    second = np.zeros(len(home.devices))
    value[home.of_kind(DeviceKind.MOTION)] = 0
    value[home.radar] = 0
    bed = home.only(DeviceKind.BED)
    if incident.kind is IncidentKind.FALL:
        value[home.radar], second[home.radar], value[bed] = 1, 2, 0
    elif incident.kind is IncidentKind.WANDER:
        value[home.named("front_door")], value[bed] = 1, 0
    return value, second


def _meter_unseen(book: DayBook, events: Events, incident: Incident) -> None:
    """The meter during and after the incident; its counter never runs backwards."""
    extra_w, meter = incident.script.extra_w, book.home.meter
    all_of_it = book.events(incident.start, incident.end)
    all_of_it = all_of_it[all_of_it["device"] == meter]
    all_of_it = all_of_it[all_of_it["what"] == What.ENERGY]
    if len(all_of_it) == 0:
        return
    watts = all_of_it["idle"] + extra_w
    first = all_of_it["second"][0]
    used = np.concatenate([[0.0], np.cumsum(watts[1:])]) * METER_PERIOD_S / 3.6e6
    counter = np.round(first + used, 3)
    mine = (events["device"] == meter) & (events["what"] == What.ENERGY)
    inside = mine & (events["time"] >= incident.start) & (events["time"] < incident.end)
    at = np.searchsorted(all_of_it["time"], events["time"][inside])
    events["value"][inside] = watts[at]
    events["second"][inside] = counter[at]
    later = mine & (events["time"] >= incident.end)
    events["second"][later] = np.maximum(events["second"][later], counter[-1])  # until the plan's has caught up


def _state(book: DayBook, index: int, moment: int) -> float:
    """The state that the plan gives a device just before `moment` (ms)."""
    events = book.events(book.day_start(book.day_of(moment)), moment)
    reports = events[(events["device"] == index) & (events["what"] == What.REPORT)]
    return float(reports["value"][-1]) if len(reports) else state_at_dawn(book.home, index)


def _event(book: DayBook, moment: int, device: int, what: What, value: float, second: float = 0) -> Events:
    """One event more, with the battery and link quality that the device has that day."""
    event = make_events([moment], device, what, value, second)
    like = _sample(book, moment, device)
    event["link"], event["battery"] = like["link"], like["battery"]
    return event


def _sample(book: DayBook, moment: int, index: int) -> np.void:
    """Some message of that device on that day, for its battery and link quality."""
    dawn = book.day_start(book.day_of(moment))
    events = book.events(dawn, dawn + 24 * HOUR_MS)
    sample: np.void = events[events["device"] == index][0]
    return sample
