"""The ladder: who is told, in which order, and who next when nobody answers. docs/alerts.md draws it.

An alert that is open climbs from rung to rung (alerts/rungs.py) until somebody has it, and from the top it begins
anew: an unanswered alert never falls silent. A rung on which nobody can be told is skipped at once. Who could not be
told, and why, stands in the alert's history, and in the managers' morning (alerts/shifts/morning.py). What is not
urgent waits in quiet hours. Each message is a row in `delivery`: nothing is ever only in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from alerts import elder
from alerts.crew import Crew, Person, load_crew
from alerts.lifecycle import announce, record, region_policy
from alerts.observe.policies import load_policies
from alerts.policy import DEFAULTS, Policy
from alerts.quiet import tell_at, zone_of
from alerts.rungs import ASK_S, Audience, Rung, ladder_of
from core.model import Severity
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "ladder.sql")


class Step(NamedTuple):
    """One telling of a rung: number `step` of it, 1 = the first. Rungs count from 1."""

    number: int
    step: int
    rung: Rung


@dataclass
class Told:
    """What a tick has to send in one message: held back over night, by person and local day."""

    held: dict[tuple[int, Any], list[int]] = field(default_factory=dict)


def route(connection: Connection, now: datetime, alert_ids: Sequence[int]) -> None:
    """Puts new alerts at the foot of the ladder: their first rung is due at once."""
    if alert_ids:
        connection.execute(QUERIES["set_rung_due"], {"ids": list(alert_ids), "now": now})


def escalate(
    connection: Connection,
    now: datetime,
    policies: Mapping[int, Policy],
    platform_channels: Sequence[str],
) -> int:
    """Takes every open alert whose next rung is due one rung up. Returns how many.

    Claimed with SKIP LOCKED: two workers never climb the same alert at once. The caller owns the transaction.

    Args:
        policies: by home, as far as they are known; of other homes they are read.
    """
    due = connection.execute(QUERIES["due_alerts"], {"now": now}).fetchall()
    if not due:
        return 0
    homes = {alert["home_id"] for alert in due if alert["home_id"] is not None}
    known = dict(policies) | load_policies(connection, homes - policies.keys())
    crew = load_crew(connection, now, due)
    held = Told()
    for alert in due:
        _Climb(connection, now, alert, _policy(connection, alert, known), crew, platform_channels, held).go()
    _send_held(connection, now, held)
    return len(due)


class _Climb:
    """One alert's way up in one tick."""

    def __init__(
        self, connection: Connection, now: datetime, alert: Mapping[str, Any], policy: Policy, crew: Crew,
        platform_channels: Sequence[str], held: Told,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._now = now
        self._alert = alert
        self._policy = policy
        self._crew = crew
        self._platform = platform_channels
        self._held = held
        self._severity = Severity(alert["severity"])
        self._zone = alert["zone"] or zone_of(connection, alert["places"])
        self._unanswered = alert["told_before"]
        self._morning = alert["held"]
        self._round = alert["round"]

    def go(self) -> None:
        alert, now = self._alert, self._now
        if alert["hand_due"] and self._hand_on():
            return
        morning = tell_at(now, self._severity, self._policy, self._zone)
        if morning > now:
            if not alert["held"]:
                record(self._connection, alert["id"], now, "held_back", {"until_at": morning.isoformat()})
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
                    if alert["round"] == 0:
                        record(self._connection, alert["id"], now, "nobody_told", {})
                    break
                self._round, at = self._round + 1, (0, 0)  # from the top it begins anew
                continue
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
        """Whether anybody could be told. Says in the history who could not."""
        alert = self._alert
        told = False
        for audience in step.rung.tell:
            if audience is Audience.ELDER:
                told |= self._ask(step)
                continue
            if audience in (Audience.PLATFORM, Audience.EMERGENCY):
                for channel in self._platform:
                    self._queue(step.number, None, channel, audience)
            contact = (step.step - 1) % max(1, self._crew.contacts(alert["home_id"])) + 1
            for person in self._crew.members(audience, alert["home_id"], alert["places"], contact):
                told |= self._tell_person(step, audience, person)
        if Audience.EMERGENCY in step.rung.tell and told:
            record(self._connection, alert["id"], self._now, "emergency", {"rung": step.number})
        if not told:
            self._skip(step)
        return told

    def _ask(self, step: Step) -> bool:
        home = self._alert["home_id"]
        seconds = step.rung.wait_s or ASK_S
        return home is not None and elder.ask(
            self._connection, self._now, self._alert["id"], home, step.number, seconds
        )

    def _tell_person(self, step: Step, audience: Audience, person: Person) -> bool:
        channels = [one for one in person.channels if not step.rung.channels or _kind(one) in step.rung.channels]
        away = person.id in self._crew.away
        if away or not channels:
            self._pass_over(step.number, person.id, audience.value, "on_leave" if away else "no_address")
            return False
        if self._morning:
            day = self._now.astimezone(ZoneInfo(self._zone)).date()
            self._held.held.setdefault((person.id, day), []).append(self._alert["id"])
            record(self._connection, self._alert["id"], self._now, "in_digest", {"rung": step.number}, person.id)
            return True
        for channel in channels:
            self._queue(step.number, person.id, channel, audience)
        return True

    def _hand_on(self) -> bool:
        """Tells the one who was asked by name; the ladder waits for their answer."""
        alert, to = self._alert, self._alert["handed_to"]
        rows = self._connection.execute(QUERIES["channels_of"], {"people": [to]}).fetchall()
        channels = rows[0]["channels"] if rows else []
        if to in self._crew.away or not channels:
            reason = "on_leave" if to in self._crew.away else "no_address"
            self._pass_over(alert["rung"], to, "handed", reason)
            return False
        for channel in channels:
            self._queue(0, to, channel, None)
        until = self._now + timedelta(seconds=self._policy.rung_for(self._severity))
        self._stay(alert["rung"], alert["step"], until, handed_to=to)
        return True

    def _pass_over(self, rung: int, person: int, audience: str, reason: str) -> None:
        if self._round == 0:  # said once; the ladder may go round for hours
            details = {"rung": rung, "audience": audience, "reason": reason}
            record(self._connection, self._alert["id"], self._now, "person_skipped", details, person)

    def _skip(self, step: Step) -> None:
        if self._round > 0:
            return
        if Audience.ON_SHIFT in step.rung.tell:
            for person in self._crew.absent(self._alert["places"]):
                self._pass_over(step.number, person, Audience.ON_SHIFT.value, "on_leave")
        details = {"rung": step.number, "audience": step.rung.tell[0].value}
        record(self._connection, self._alert["id"], self._now, "rung_skipped", details)

    def _queue(self, rung: int, person: int | None, channel: str, audience: Audience | None) -> None:
        purpose = "handed" if audience is None else "emergency" if audience is Audience.EMERGENCY else "alert"
        self._connection.execute(
            QUERIES["queue_delivery"],
            {"alert_id": self._alert["id"], "rung": rung, "person_id": person, "channel": channel, "now": self._now,
             "purpose": purpose, "unanswered": self._unanswered},
        )  # fmt: skip

    def _stay(self, rung: int, step: int, until: datetime, *, held: bool = False, handed_to: int | None = None) -> None:
        """`handed_to`: who was asked by name, as long as the ladder waits for them."""
        self._connection.execute(
            QUERIES["set_rung"],
            {"id": self._alert["id"], "rung": rung, "step": step, "round": self._round, "rung_at": until, "held": held,
             "handed_to": handed_to},
        )  # fmt: skip
        announce(self._connection, self._alert["id"], self._alert["home_id"])


def _send_held(connection: Connection, now: datetime, told: Told) -> None:
    """One message a person about all that waited for the morning."""
    for (person, day), alerts in told.held.items():
        row = connection.execute(
            QUERIES["add_to_digest"],
            {"person_id": person, "kind": "held", "day": day, "now": now, "lines": Jsonb(alerts)},
        ).fetchone()
        assert row is not None  # an upsert returns its row
        connection.execute(QUERIES["queue_digest"], {"digest_id": row["id"], "person_id": person, "now": now})


def _policy(connection: Connection, alert: Mapping[str, Any], policies: Mapping[int, Policy]) -> Policy:
    if alert["home_id"] is None:
        return region_policy(connection, alert["region_id"]).policy
    return policies.get(alert["home_id"], DEFAULTS)


def _kind(channel: str) -> str:
    return channel.partition(":")[0]
