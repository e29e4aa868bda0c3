"""The running demo: plays what is due into each home's gateway, and lets incidents happen."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import structlog

from core.errors import Conflict, NotFound
from core.wire import from_ms, to_ms
from simulator.control import END, Request
from simulator.days import DayBook
from simulator.events import Events, What
from simulator.gateways import HomeGateway
from simulator.homes import DemoHome
from simulator.incidents import HOUR_MS, Incident, IncidentKind, begin, staged
from simulator.marks import Marks
from simulator.play import spoken
from simulator.truth import Truth

_AT_ONCE_MS: Final = 15 * 60_000  # after a pause a home catches up in such steps, so that stopping stays quick
_LOOK_AHEAD_MS: Final = HOUR_MS
DAY_MS: Final = 24 * HOUR_MS  # in which each device has said its state
_KINDS: Final = tuple(kind.value for kind in IncidentKind)
_log = structlog.get_logger()


class LiveDemo:
    """All homes of the demo. step(), inject() and stop() may be called from different threads.

    Args:
        homes: the homes to play.
        make_gateway: builds the gateway of a home, not yet started.
        folder: where marks and truth are kept.
        catch_up: the longest pause that is played afterwards; a longer one is jumped over and noted as a gap.
    """

    def __init__(
        self,
        homes: list[DemoHome],
        make_gateway: Callable[[DemoHome], HomeGateway],
        folder: Path,
        catch_up: timedelta,
    ) -> None:
        self.truth = Truth(folder)
        self._books = {home.number: DayBook(home) for home in homes}
        self._make_gateway = make_gateway
        self._gateways: dict[int, HomeGateway] = {}
        self._marks = Marks(folder, homes[0].seed)
        self._catch_up_ms = catch_up // timedelta(milliseconds=1)
        self._incidents = self.truth.incidents()
        self._due: dict[int, int] = {}  # when something is due next in a home; not in it: look
        self._lock = threading.Lock()

    def start(self, now: datetime, first: datetime) -> None:
        """Starts the gateways. A home that has never been played begins at `first`."""
        moment = to_ms(now)
        for number, book in self._books.items():
            mark = self._marks.get(number)
            new = mark is None
            if mark is None:
                mark = min(to_ms(first), moment)
            if moment - mark > self._catch_up_ms:
                self.truth.gap(number, mark, moment)
                _log.info("gap", home=number, hours=round((moment - mark) / HOUR_MS, 1))
                mark = moment
            self._marks.set(number, mark)
            self._switch(number, mark)
            if new and number in self._gateways:
                _hear(self._gateways[number], book.home, retained(book, mark))
            self.truth.day(book, mark)
        self.truth.started(now, next(iter(self._books.values())).home.seed, len(self._books))

    def step(self, now: datetime) -> datetime:
        """Plays what is due until `now`, lets the gateways tick, and returns when the next message is due."""
        with self._lock:
            until = to_ms(now)
            due = min(self._due_at(number, until) for number in self._books)
            for gateway in self._gateways.values():
                gateway.tick(now)
        return from_ms(due)

    def inject(self, request: Request, now: datetime) -> str:
        """Begins or ends an incident now; returns a sentence that says what happens.

        Raises:
            NotFound: no such home or kind.
            Conflict: something lasts in that home already, or nothing that could be ended.
        """
        if request.home not in self._books:
            raise NotFound(f"there is no home {request.home}: the demo has homes 1 to {max(self._books)}")
        with self._lock:
            moment = max(to_ms(now), self._marks.get(request.home) or 0)
            self._due.pop(request.home, None)
            lasting = [one for one in self._of(request.home) if one.lasts_at(moment)]
            if request.incident == END:
                return self._end(request.home, lasting, moment)
            if request.incident not in _KINDS:
                kinds = ", ".join(_KINDS)
                raise NotFound(f"there is no incident {request.incident!r}: choose one of {kinds}, or {END}")
            if lasting:
                since = f"{lasting[0].kind} since {from_ms(lasting[0].start).isoformat(timespec='seconds')}"
                raise Conflict(f"home {request.home} already has a {since}: end it first with `incident {END}`")
            incident = begin(len(self._incidents) + 1, IncidentKind(request.incident), request.home, moment)
            self._incidents.append(incident)
            self.truth.incident(incident)
        return f"home {request.home}: {incident.script.sentence}"

    def waiting(self) -> int:
        """How many readings the platform has not confirmed yet."""
        with self._lock:
            return sum(gateway.unacknowledged() for gateway in self._gateways.values())

    def stop(self) -> None:
        """Seals what was received and stops the gateways; the next start goes on from here."""
        with self._lock:
            for gateway in self._gateways.values():
                gateway.flush()
                gateway.stop()
            self._gateways.clear()
            self._marks.close()

    def _due_at(self, number: int, now: int) -> int:
        """Plays one home if something is due there; returns when (ms) something is due next."""
        if now >= self._due.get(number, 0):
            self._due[number] = self._play(number, now)
        else:
            self._advance(number, now + 1)
        return self._due[number]

    def _play(self, number: int, now: int) -> int:
        book, mark = self._books[number], self._marks.get(number) or now
        until = max(min(now + 1, mark + _AT_ONCE_MS), mark)  # what is due at `now` itself is due
        events = staged(book, self._of(number), mark, until)
        self._switch(number, until - 1)
        gateway = self._gateways.get(number)
        if len(events) and gateway:
            _hear(gateway, book.home, events)
        self._advance(number, until)
        coming = staged(book, self._of(number), until, until + _LOOK_AHEAD_MS)
        return int(coming["time"][0]) if len(coming) else until + _LOOK_AHEAD_MS

    def _advance(self, number: int, until: int) -> None:
        """The home has been played up to but not including `until`."""
        mark, book = self._marks.get(number) or until, self._books[number]
        if until > mark:
            self._switch(number, until - 1)
            self._marks.set(number, until)
            if book.day_of(until) != book.day_of(mark):
                self.truth.day(book, until)

    def _switch(self, number: int, moment: int) -> None:
        """Starts or stops the home's gateway as its power comes and goes."""
        off = any(one.kind is IncidentKind.GATEWAY_OFF and one.lasts_at(moment) for one in self._of(number))
        if off and number in self._gateways:
            self._gateways.pop(number).stop()
        elif not off and number not in self._gateways:
            gateway = self._make_gateway(self._books[number].home)
            gateway.start()
            self._gateways[number] = gateway

    def _end(self, home: int, lasting: list[Incident], moment: int) -> str:
        if not lasting:
            raise Conflict(f"nothing lasts in home {home} that could be ended")
        for incident in lasting:
            ended = msgspec.structs.replace(incident, end=moment)
            self._incidents[self._incidents.index(incident)] = ended
            self.truth.incident_ended(ended)
        return f"home {home}: {', '.join(one.kind for one in lasting)} has ended"

    def _of(self, home: int) -> list[Incident]:
        return [incident for incident in self._incidents if incident.home == home]


def _hear(gateway: HomeGateway, home: DemoHome, events: Events) -> None:
    gateway.receive_many([(said.topic, said.payload, said.time) for said in spoken(home, events)])


def retained(book: DayBook, moment: int) -> Events:
    """The state of each device at `moment`, said then, as a hub's retained messages tell it to a new gateway.

    Without them the first word of each sensor would be compared with nothing: who gets up right after the demo has
    begun would have stayed in bed.
    """
    events = book.events(moment - DAY_MS, moment)
    events = events[np.isin(events["what"], (What.REPORT, What.CHECK_IN))]
    last = [np.flatnonzero(events["device"] == device)[-1] for device in np.unique(events["device"])]
    states = events[np.sort(np.array(last, dtype=np.intp))]
    states["time"] = moment
    states["what"] = What.REPORT
    return states
