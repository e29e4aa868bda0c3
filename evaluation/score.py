"""Alerts against the truth: found, missed, false, how late; by kind and in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alerts.hindsight.alarms import Alarm
from core.model import AlertKind, Severity
from evaluation.truth import MEANINGS, about, explained, is_incident
from simulator.season.mishaps import Happening


@dataclass
class Tally:
    """One kind's counts. `delays_s`: of those found."""

    incidents: int = 0
    delays_s: list[float] = field(default_factory=list)
    true: int = 0
    false: int = 0

    def figures(self) -> dict[str, Any]:
        """As `--json` prints them; null where there is nothing to divide by."""
        found, raised = len(self.delays_s), self.true + self.false
        return {
            "incidents": self.incidents,
            "found": found,
            "missed": self.incidents - found,
            "alerts": raised,
            "false_alarms": self.false,
            "precision": round(self.true / raised, 4) if raised else None,
            "recall": round(found / self.incidents, 4) if self.incidents else None,
            "median_delay_s": round(float(np.median(self.delays_s)), 1) if self.delays_s else None,
        }


@dataclass
class Score:
    """Of some homes. False alarms call somebody (urgent or normal); false notices stand on a page."""

    kinds: dict[AlertKind, Tally] = field(default_factory=lambda: {kind: Tally() for kind in AlertKind})
    home_days: float = 0.0
    false_alarms: int = 0
    false_notices: int = 0
    misses: list[Happening] = field(default_factory=list)
    wrong: list[Alarm] = field(default_factory=list)

    def add_home(self, alarms: Sequence[Alarm], truth: Sequence[Happening], days: float) -> None:
        """One home's alerts and what really happened there, over so many scored days."""
        self.home_days += days
        for alarm in alarms:
            opened = alarm.opened_at.timestamp()
            tally = self.kinds[alarm.kind]
            if explained(alarm.kind, alarm.first_at.timestamp(), opened, truth):
                tally.true += 1
                continue
            tally.false += 1
            self.wrong.append(alarm)
            if alarm.severity is Severity.NOTICE:
                self.false_notices += 1
            else:
                self.false_alarms += 1
        for happening in truth:
            if is_incident(happening):
                self._add_incident(happening, alarms)

    def figures(self) -> dict[str, Any]:
        """As `--json` prints them."""
        days = max(self.home_days, 1e-9)
        return {
            "kinds": {kind.value: tally.figures() for kind, tally in self.kinds.items()},
            "home_days": round(self.home_days, 1),
            "false_alarms": self.false_alarms,
            "false_alarms_per_home_day": round(self.false_alarms / days, 5),
            "false_notices_per_home_day": round(self.false_notices / days, 5),
        }

    def _add_incident(self, happening: Happening, alarms: Sequence[Alarm]) -> None:
        meaning = MEANINGS[happening.what]
        assert meaning.kind is not None
        tally = self.kinds[meaning.kind]
        tally.incidents += 1
        moments = [
            (began.timestamp(), at.timestamp())
            for alarm in alarms
            if alarm.kind in meaning.answers
            for began, at in ((alarm.first_at, alarm.opened_at), *alarm.again)
        ]
        standing = any(
            alarm.kind in meaning.answers
            and alarm.opened_at.timestamp() <= happening.start
            and (alarm.ended_at is None or alarm.ended_at.timestamp() > happening.start)
            for alarm in alarms
        )
        inside = [opened for began, opened in moments if about(began, opened, happening)]
        if inside:
            tally.delays_s.append(max(min(inside) - happening.start, 0.0))
        elif standing and happening.what not in ("sos", "fall"):  # somebody is called already
            tally.delays_s.append(0.0)
        else:
            self.misses.append(happening)


def by_home(alarms: Sequence[Alarm]) -> Mapping[int, list[Alarm]]:
    """Home id -> its alerts."""
    found: dict[int, list[Alarm]] = {}
    for alarm in alarms:
        found.setdefault(alarm.home_id, []).append(alarm)
    return found
