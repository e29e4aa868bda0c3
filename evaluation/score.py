"""Alerts against the truth: found, missed, false, how late; by kind and in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alerts import ending
from alerts.hindsight.alarms import Alarm
from core.model import AlertKind, Severity
from evaluation.truth import MEANINGS, concerns, explained, finds, is_incident, says_unseen, unseen
from simulator.season.mishaps import Happening


@dataclass
class Tally:
    """One kind's counts.

    Attributes:
        delays_s: of those found; `by_itself`: how many of them an alert of this very kind found.
        unseen: how many of those missed no sensor could report (truth.unseen); `unseen_said`: of how many of these the
            home was shown as one that cannot be watched, its gateway as offline or the device as silent, while they
            lasted.
    """

    incidents: int = 0
    by_itself: int = 0
    unseen: int = 0
    unseen_said: int = 0
    delays_s: list[float] = field(default_factory=list)
    true: int = 0
    false: int = 0

    def figures(self) -> dict[str, Any]:
        """As `--json` prints them; null where there is nothing to divide by."""
        found, raised = len(self.delays_s), self.true + self.false
        watched = self.incidents - self.unseen
        return {
            "incidents": self.incidents,
            "found": found,
            "found_by_this_kind": self.by_itself,
            "missed": self.incidents - found,
            "unwatched": self.unseen,
            "unwatched_said": self.unseen_said,
            "alerts": raised,
            "false_alarms": self.false,
            "precision": round(self.true / raised, 4) if raised else None,
            "recall": round(found / self.incidents, 4) if self.incidents else None,
            "recall_watched": round(found / watched, 4) if watched else None,
            "median_delay_s": round(float(np.median(self.delays_s)), 1) if self.delays_s else None,
        }


@dataclass
class Score:
    """Of some homes. False alarms call somebody (urgent or normal); false notices stand on a page.

    One silence counts once (the protocol): a silence that a person called false and that is raised again half a day
    later, since it still lasts, is counted in `false_again`.
    """

    kinds: dict[AlertKind, Tally] = field(default_factory=lambda: {kind: Tally() for kind in AlertKind})
    home_days: float = 0.0
    false_alarms: int = 0
    false_notices: int = 0
    false_again: int = 0
    misses: list[Happening] = field(default_factory=list)
    wrong: list[Alarm] = field(default_factory=list)

    def add_home(self, alarms: Sequence[Alarm], truth: Sequence[Happening], days: float) -> None:
        """One home's alerts and what really happened there, over so many scored days."""
        self.home_days += days
        counted: set[tuple[AlertKind, float]] = set()
        for alarm in alarms:
            opened = alarm.opened_at.timestamp()
            tally = self.kinds[alarm.kind]
            if explained(alarm.kind, alarm.subject_id, alarm.first_at.timestamp(), opened, truth):
                tally.true += 1
                continue
            silence = (alarm.kind, alarm.first_at.timestamp())
            if alarm.kind in ending.SILENCE and silence in counted:
                self.false_again += 1
                continue
            counted.add(silence)
            tally.false += 1
            self.wrong.append(alarm)
            if alarm.severity is Severity.NOTICE:
                self.false_notices += 1
            else:
                self.false_alarms += 1
        for happening in truth:
            if is_incident(happening):
                self._add_incident(happening, alarms, truth)

    def add(self, other: "Score") -> None:
        """Adds other homes' score to this one."""
        for kind, tally in other.kinds.items():
            mine = self.kinds[kind]
            mine.incidents += tally.incidents
            mine.by_itself += tally.by_itself
            mine.unseen += tally.unseen
            mine.unseen_said += tally.unseen_said
            mine.delays_s += tally.delays_s
            mine.true += tally.true
            mine.false += tally.false
        self.home_days += other.home_days
        self.false_alarms += other.false_alarms
        self.false_notices += other.false_notices
        self.false_again += other.false_again
        self.misses += other.misses
        self.wrong += other.wrong

    def figures(self) -> dict[str, Any]:
        """As `--json` prints them."""
        days = max(self.home_days, 1e-9)
        return {
            "kinds": {kind.value: tally.figures() for kind, tally in self.kinds.items()},
            "home_days": round(self.home_days, 1),
            "false_alarms": self.false_alarms,
            "false_alarms_per_home_day": round(self.false_alarms / days, 5),
            "false_alarms_again": self.false_again,
            "false_notices_per_home_day": round(self.false_notices / days, 5),
        }

    def _add_incident(self, happening: Happening, alarms: Sequence[Alarm], truth: Sequence[Happening]) -> None:
        meaning = MEANINGS[happening.what]
        assert meaning.kind is not None
        tally = self.kinds[meaning.kind]
        tally.incidents += 1
        answers = [
            alarm
            for alarm in alarms
            if alarm.kind in meaning.answers and concerns(alarm.kind, alarm.subject_id, happening)
        ]
        moments = [
            (began.timestamp(), at.timestamp(), alarm.kind)
            for alarm in answers
            for began, at in ((alarm.first_at, alarm.opened_at), *alarm.again)
        ]
        standing = [alarm for alarm in answers if _stands(alarm, happening)]
        inside = [(opened, kind) for began, opened, kind in moments if finds(began, opened, happening)]
        if inside:
            tally.delays_s.append(max(min(inside)[0] - happening.start, 0.0))
            tally.by_itself += any(kind is meaning.kind for _, kind in inside)
        elif standing and happening.what not in ("sos", "fall"):  # somebody is called already
            tally.delays_s.append(0.0)
            tally.by_itself += any(alarm.kind is meaning.kind for alarm in standing)
        else:
            self.misses.append(happening)
            if unseen(happening, truth):
                tally.unseen += 1
                tally.unseen_said += any(
                    says_unseen(alarm.kind, alarm.subject_id, happening) and _during(alarm, happening)
                    for alarm in alarms
                )


def _during(alarm: Alarm, happening: Happening) -> bool:
    """Whether it was open at any moment while that lasted."""
    ended = alarm.ended_at is None or alarm.ended_at.timestamp() > happening.start
    return ended and alarm.opened_at.timestamp() <= happening.end


def _stands(alarm: Alarm, happening: Happening) -> bool:
    """Whether it was open when that began."""
    start = happening.start
    return alarm.opened_at.timestamp() <= start and (alarm.ended_at is None or alarm.ended_at.timestamp() > start)


def by_home(alarms: Sequence[Alarm]) -> Mapping[int, list[Alarm]]:
    """Home id -> its alerts."""
    found: dict[int, list[Alarm]] = {}
    for alarm in alarms:
        found.setdefault(alarm.home_id, []).append(alarm)
    return found
