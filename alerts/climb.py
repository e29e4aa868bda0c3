"""One alert's way up the ladder in one look: whom it tells, whom it passes over, when it looks again. No SQL.

What a climb finds is collected in `Notes`, of all alerts together; alerts/ladder.py writes them down in a few
statements, however many alerts there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alerts.crew import Crew, Person
from alerts.lifecycle import Event
from alerts.policy import Policy
from alerts.quiet import tell_at
from alerts.rungs import ASK_S, Audience, Rung, ladder_of
from core.model import AlertKind, Severity


class Step(NamedTuple):
    """One telling of a rung: number `step` of it, 1 = the first. Rungs count from 1."""

    number: int
    step: int
    rung: Rung


class Telling(NamedTuple):
    """A message to queue. `person`: None = a channel of the platform. `unanswered`: others were told before."""

    alert_id: int
    purpose: str
    rung: int
    person: int | None
    channel: str
    unanswered: bool


class Question(NamedTuple):
    """ "Are you all right?", through this gateway. `seconds`: how long the rung waits for the answer."""

    alert_id: int
    gateway_id: int
    rung: int
    seconds: float


class Stay(NamedTuple):
    """Where an alert rests until `until`. `handed_to`: who was asked by name, as long as the ladder waits for them."""

    alert_id: int
    home_id: int | None
    rung: int
    step: int
    round: int
    until: datetime
    held: bool
    handed_to: int | None


@dataclass
class Notes:
    """What a look at the ladder has to write. `held`: what waited for the morning, by person and local day."""

    events: list[Event] = field(default_factory=list)
    tellings: dict[Telling, None] = field(default_factory=dict)  # each once, in order
    questions: list[Question] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    held: dict[tuple[int, date], list[int]] = field(default_factory=dict)

    def add(self, other: "Notes") -> None:
        """Appends what another climb found."""
        self.events += other.events
        self.tellings |= other.tellings
        self.questions += other.questions
        self.stays += other.stays
        for key, alerts in other.held.items():
            self.held.setdefault(key, []).extend(alerts)


class Climb:
    """Takes one alert up. `go` once.

    Args:
        alert: a row of the query `due_alerts`.
        zone: whose clock says whether it is night.
        platform: the platform's own channels.
    """

    def __init__(
        self, now: datetime, alert: Mapping[str, Any], policy: Policy, zone: str, crew: Crew, platform: Sequence[str],
        notes: Notes,
    ) -> None:  # fmt: skip
        self._now = now
        self._alert = alert
        self._policy = policy
        self._zone = zone
        self._crew = crew
        self._platform = platform
        self._notes = notes
        self._severity = Severity(alert["severity"])
        self._round = alert["round"]
        self._group_wait = 0.0  # what a channel of the platform is given, when nobody else was told in this climb

    def go(self) -> None:
        alert, now = self._alert, self._now
        if alert["hand_due"] and self._hand_on():
            return
        morning = tell_at(now, AlertKind(alert["kind"]), self._severity, self._policy, self._zone)
        if morning > now:
            if not alert["held"]:
                self._record("held_back", {"until_at": morning.isoformat()})
            self._stay(alert["rung"], alert["step"], morning, held=True)
            return
        _, rungs = ladder_of(self._policy.ladder, alert["kind"], alert["severity"])
        at = (alert["rung"], alert["step"])
        wait = self._policy.rung_for(self._severity)
        told = False
        while True:
            step = self._next(rungs, at)
            if step is None:
                if told:
                    break
                if self._round > alert["round"]:  # once round, and nobody there at all
                    self._nobody()
                    break
                self._round, at = self._round + 1, (0, 0)  # from the top it begins anew
                continue
            if Audience.EMERGENCY in step.rung.tell and not told and self._group_wait:
                # Only the platform's own channels know of it, since this moment. They are given the time of a rung
                # before they hear that nobody has taken it.
                self._nobody()
                wait = self._group_wait
                break
            at = (step.number, step.step)
            if self._tell(step):
                told = True
                if step.rung.wait_s != 0:
                    wait = step.rung.wait_s or wait
                    break
        self._stay(*at, now + timedelta(seconds=wait))

    def _next(self, rungs: Sequence[Rung], at: tuple[int, int]) -> Step | None:
        """The first step after `at`. The elder is asked once, not again when the ladder begins anew."""
        for number, rung in enumerate(rungs, 1):
            if (self._round > 0 or self._alert["asked"]) and rung.tell == (Audience.ELDER,):
                continue
            times = rung.repeat
            if Audience.CONTACT in rung.tell:
                times *= max(1, self._crew.contacts(self._alert["home_id"]))
            for step in range(1, times + 1):
                if (number, step) > at:
                    return Step(number, step, rung)
        return None

    def _tell(self, step: Step) -> bool:
        """Whether anybody could be told. Says in the history who could not.

        A channel of the platform belongs to nobody who must answer: it makes no rung wait, but the last.
        """
        alert = self._alert
        told = False
        for audience in step.rung.tell:
            if audience is Audience.ELDER:
                told |= self._ask(step)
                continue
            if audience in (Audience.PLATFORM, Audience.EMERGENCY):
                for channel in self._platform:
                    self._queue(step.number, None, channel, audience)
                told |= audience is Audience.EMERGENCY and bool(self._platform)
            contact = (step.step - 1) % max(1, self._crew.contacts(alert["home_id"])) + 1
            for person in self._crew.members(audience, alert["home_id"], alert["places"], contact):
                told |= self._tell_person(step, audience, person)
        if Audience.EMERGENCY in step.rung.tell and told:
            self._record("emergency", {"rung": step.number})
        if not told:
            self._skip(step)
            if Audience.PLATFORM in step.rung.tell and self._platform:
                wait = step.rung.wait_s
                self._group_wait = self._policy.rung_for(self._severity) if wait is None else wait
        return told

    def _ask(self, step: Step) -> bool:
        gateway = self._crew.prompts.get(self._alert["home_id"])
        if gateway is None:
            return False
        seconds = step.rung.wait_s or ASK_S
        self._notes.questions.append(Question(self._alert["id"], gateway, step.number, seconds))
        self._record("elder_asked", {"rung": step.number})
        return True

    def _tell_person(self, step: Step, audience: Audience, person: Person) -> bool:
        channels = [one for one in person.channels if not step.rung.channels or _kind(one) in step.rung.channels]
        away = person.id in self._crew.away
        if away or not channels:
            self._pass_over(step.number, person.id, audience.value, "on_leave" if away else "no_address")
            return False
        if self._alert["held"]:
            day = self._now.astimezone(ZoneInfo(self._zone)).date()
            self._notes.held.setdefault((person.id, day), []).append(self._alert["id"])
            self._record("in_digest", {"rung": step.number}, person.id)
            return True
        for channel in channels:
            self._queue(step.number, person.id, channel, audience)
        return True

    def _hand_on(self) -> bool:
        """Tells the one who was asked by name; the ladder waits for their answer."""
        alert, to = self._alert, self._alert["handed_to"]
        channels = self._crew.channels.get(to, ())
        if to in self._crew.away or not channels:
            reason = "on_leave" if to in self._crew.away else "no_address"
            self._pass_over(alert["rung"], to, "handed", reason)
            return False
        for channel in channels:
            self._queue(0, to, channel, None)
        until = self._now + timedelta(seconds=self._policy.rung_for(self._severity))
        self._stay(alert["rung"], alert["step"], until, handed_to=to)
        return True

    def _nobody(self) -> None:
        """Nobody of the home could be told, from the foot of the ladder to its end. Said once."""
        if self._alert["round"] == 0 and not self._alert["told_before"]:
            self._record("nobody_told", {})

    def _pass_over(self, rung: int, person: int, audience: str, reason: str) -> None:
        if self._round == 0:  # said once; the ladder may go round for hours
            self._record("person_skipped", {"rung": rung, "audience": audience, "reason": reason}, person)

    def _skip(self, step: Step) -> None:
        if self._round > 0:
            return
        if Audience.ON_SHIFT in step.rung.tell:
            for person in self._crew.absent(self._alert["places"]):
                self._pass_over(step.number, person, Audience.ON_SHIFT.value, "on_leave")
        self._record("rung_skipped", {"rung": step.number, "audience": step.rung.tell[0].value})

    def _queue(self, rung: int, person: int | None, channel: str, audience: Audience | None) -> None:
        purpose = "handed" if audience is None else "emergency" if audience is Audience.EMERGENCY else "alert"
        telling = Telling(self._alert["id"], purpose, rung, person, channel, self._alert["told_before"])
        self._notes.tellings[telling] = None

    def _record(self, what: str, details: Mapping[str, Any], person: int | None = None) -> None:
        self._notes.events.append(Event(self._alert["id"], what, details, person))

    def _stay(self, rung: int, step: int, until: datetime, *, held: bool = False, handed_to: int | None = None) -> None:
        alert = self._alert
        self._notes.stays.append(Stay(alert["id"], alert["home_id"], rung, step, self._round, until, held, handed_to))


def _kind(channel: str) -> str:
    return channel.partition(":")[0]
