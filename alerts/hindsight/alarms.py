"""Alerts of a past: opened, occurred again, ended by themselves or resolved by somebody, by the engine's rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from alerts import ending
from alerts.detect import inactivity
from alerts.detect.findings import Finding, moment
from alerts.hindsight.states import States
from alerts.observe import View
from alerts.opening import SAME, dealt_with
from core.metrics import BY_NAME
from core.model import AlertKind, Outcome, Severity


class Answer(NamedTuple):
    """What a person does about an alert: how long after its opening they resolve it, and as what."""

    after_s: float
    outcome: Outcome


@dataclass
class Alarm:
    """An alert of the past.

    Attributes:
        began_at: as the engine moves it when late data shows life; first_at: as it was when the alert opened.
        again: (when measured, platform time) of each time it occurred again.
        answer: what a person will do about it.
    """

    home_id: int
    kind: AlertKind
    severity: Severity
    subject_id: int
    dedup_key: str
    began_at: datetime
    opened_at: datetime
    last_at: datetime
    finding: Finding
    again: list[tuple[datetime, datetime]] = field(default_factory=list)
    ended_at: datetime | None = None  # by itself or by a person
    outcome: Outcome | None = None
    answer: Answer | None = None

    @property
    def first_at(self) -> datetime:
        return self.finding.began_at


Judge = Callable[[Alarm], Answer | None]  # None: nobody comes; the alert stands until it ends by itself
_CLEARS: Final = {AlertKind.LEAK: BY_NAME["leak"].id, AlertKind.TAMPER: BY_NAME["tamper"].id}


class Alarms:
    """All alerts of a past. `judge` is asked once, when an alert opens."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.all: list[Alarm] = []
        self.open: dict[str, Alarm] = {}
        self._resolved: dict[str, list[Alarm]] = {}

    def resolve_due(self, now: datetime) -> list[Alarm]:
        """People resolve what they have come to. Returns those that were false."""
        false: list[Alarm] = []
        for alarm in list(self.open.values()):
            if alarm.answer is not None and now - alarm.opened_at >= timedelta(seconds=alarm.answer.after_s):
                self._close(alarm, now, alarm.answer.outcome)
                self._resolved.setdefault(alarm.dedup_key, []).append(alarm)
                if alarm.outcome is Outcome.FALSE_ALARM:
                    false.append(alarm)
        return false

    def take(self, now: datetime, findings: Sequence[Finding], view: View) -> None:
        """Open or update, as alerts.opening does."""
        for finding in findings:
            alarm = self.open.get(finding.dedup_key)
            if alarm is None:
                remind_s = view.policy(finding.home_id).remind_s
                known = self._resolved.get(finding.dedup_key, []) if finding.event_id is None else []
                if not any(
                    dealt_with(finding, one.began_at, one.ended_at, remind_s, now) for one in known if one.ended_at
                ):
                    self._open(now, finding)
            elif finding.event_id is not None:
                repeat = timedelta(seconds=view.policy(finding.home_id).urgent_repeat_s)
                same = finding.subject_id == alarm.finding.subject_id
                if not (same and abs(finding.began_at - alarm.last_at) < repeat):
                    alarm.again.append((finding.began_at, now))
                alarm.last_at = max(alarm.last_at, finding.began_at)

    def end(self, now: datetime, found: set[str], view: View, states: States) -> None:
        """Ends what is over, as alerts.ending does."""
        if not self.open:
            return
        seen = ending.seen_homes(view, now)
        limits = None
        for alarm in list(self.open.values()):
            if ending.is_over(alarm.kind, alarm.dedup_key, alarm.home_id, found, view.looked, seen):
                self._close(alarm, now, Outcome.ENDED_ITSELF)
            elif alarm.kind in ending.SILENCE:
                limits = inactivity.limit_s(view.homes) if limits is None else limits
                self._life(alarm, now, view, limits)
            elif alarm.kind in _CLEARS:
                home = int(np.searchsorted(states.register.home_id, alarm.home_id))
                device = int(np.searchsorted(states.register.device_id, alarm.subject_id))
                one = device if alarm.kind is AlertKind.TAMPER else None
                if states.cleared(_CLEARS[alarm.kind], home, one, alarm.last_at.timestamp()):
                    self._close(alarm, now, Outcome.ENDED_ITSELF)

    def rows(self) -> list[dict[str, object]]:
        """What is open, as View.open holds it."""
        return [{"home_id": alarm.home_id, "kind": alarm.kind, "dedup_key": key} for key, alarm in self.open.items()]

    def _open(self, now: datetime, finding: Finding) -> None:
        alarm = Alarm(
            finding.home_id, finding.kind, finding.severity, finding.subject_id, finding.dedup_key, finding.began_at,
            now, finding.began_at, finding,
        )  # fmt: skip
        alarm.answer = self._judge(alarm)
        self.all.append(alarm)
        self.open[finding.dedup_key] = alarm

    def _life(self, alarm: Alarm, now: datetime, view: View, limits: "np.typing.NDArray[np.float64]") -> None:
        row = int(np.searchsorted(view.homes.home_id, alarm.home_id))
        if np.isnan(view.homes.life_at[row]):
            return
        life_at = moment(float(view.homes.life_at[row]))
        if life_at - alarm.began_at <= SAME:
            return
        if life_at < alarm.opened_at and now - life_at >= timedelta(seconds=float(limits[row])):
            alarm.began_at = life_at
        else:
            self._close(alarm, now, Outcome.ENDED_ITSELF)

    def _close(self, alarm: Alarm, now: datetime, outcome: Outcome) -> None:
        alarm.ended_at, alarm.outcome = now, outcome
        del self.open[alarm.dedup_key]
