"""What a detector gives back: arrays of findings, and one finding as the engine takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from alerts.detect.arrays import Floats, Ints, Texts
from core.model import AlertKind, Severity

Figures = Mapping[str, Floats | Ints | Texts]


@dataclass(frozen=True)
class Finding:
    """Something a human should know, with why.

    Attributes:
        subject_id: the device (or gateway) it is about; -1 = the home as a whole.
        dedup_key: `v1:{kind}:{home}[:{subject}]`; one alert at a time is open for it.
        began_at: when the trouble began, as measured; the same for as long as it lasts.
        message: a key of core/words; `parameters` fill its places (see alerts/explain.py).
        coverage: which sensors could be seen over which part of the window.
        event_id: the urgent event it comes from; None = from the sweep.
    """

    home_id: int
    kind: AlertKind
    severity: Severity
    subject_id: int
    dedup_key: str
    began_at: datetime
    message: str
    parameters: dict[str, Any]
    coverage: dict[str, Any] = field(default_factory=dict)
    event_id: int | None = None
    late: bool = False


@dataclass(frozen=True)
class Findings:
    """The findings of one detector.

    Attributes:
        home_id: int64 [findings].
        subject_id: device or gateway, -1 = none. `by_subject`: whether it is part of the dedup key.
        began: float64 epoch seconds, never NaN.
        figures: what explains it, by name: `..._at` epoch seconds, `..._s` seconds, others numbers or str;
            NaN = left out.
        coverage: the same, about what could be seen.
        late: bool [findings]; severity NORMAL at most and the message `finding.{kind}.late` where True.
        event_id: int64 [findings], -1 = from the sweep.
    """

    kind: AlertKind
    severity: Severity
    home_id: Ints
    subject_id: Ints
    by_subject: bool
    began: Floats
    figures: Figures
    coverage: Figures = field(default_factory=dict)
    late: "np.ndarray[Any, np.dtype[np.bool_]] | None" = None
    event_id: Ints | None = None

    def __len__(self) -> int:
        return len(self.home_id)

    def each(self) -> list[Finding]:
        """One `Finding` a row, in order."""
        return [self._one(row) for row in range(len(self))]

    def _one(self, row: int) -> Finding:
        home, subject = int(self.home_id[row]), int(self.subject_id[row])
        late = bool(self.late[row]) if self.late is not None else False
        event = int(self.event_id[row]) if self.event_id is not None else -1
        return Finding(
            home_id=home,
            kind=self.kind,
            severity=Severity.NORMAL if late and self.severity is Severity.URGENT else self.severity,
            subject_id=subject,
            dedup_key=f"v1:{self.kind}:{home}:{subject}" if self.by_subject else f"v1:{self.kind}:{home}",
            began_at=moment(float(self.began[row])),
            message=f"finding.{self.kind}.{'late' if late else 'why'}",
            parameters=_row(self.figures, row),
            coverage=_row(self.coverage, row),
            event_id=event if event >= 0 else None,
            late=late,
        )


def moment(seconds: float) -> datetime:
    """Epoch seconds -> aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _row(figures: Figures, row: int) -> dict[str, Any]:
    """The row's figures as JSON can hold them; moments as ISO 8601 in UTC."""
    worded: dict[str, Any] = {}
    for name, column in figures.items():
        value = column[row]
        if isinstance(value, str):
            worded[name] = value
        elif name.endswith("_at"):
            if not np.isnan(value):
                worded[name] = moment(float(value)).isoformat(timespec="seconds")
        elif isinstance(value, np.integer):
            worded[name] = int(value)
        elif not np.isnan(value):
            worded[name] = round(float(value), 3)
    return worded
