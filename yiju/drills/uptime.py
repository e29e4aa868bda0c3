"""When the parts of a drill stood, on the platform's clock: who could have done what was due."""

from collections.abc import Iterable
from datetime import datetime


class Uptime:
    """Spans in which parts were up. What is up has no end yet."""

    def __init__(self) -> None:
        self._spans: dict[str, list[tuple[datetime, datetime | None]]] = {}

    def up(self, part: str, at: datetime) -> None:
        """It stands from `at` on; nothing new where it stood already."""
        spans = self._spans.setdefault(part, [])
        if not spans or spans[-1][1] is not None:
            spans.append((at, None))

    def down(self, part: str, at: datetime) -> None:
        """It falls at `at`."""
        spans = self._spans.setdefault(part, [])
        if spans and spans[-1][1] is None:
            spans[-1] = (spans[-1][0], at)

    def stood(self, parts: Iterable[str], begin: datetime, end: datetime) -> bool:
        """Whether any of these parts stood from `begin` to `end` without a break."""
        return any(
            since <= begin and (until is None or until >= end)
            for part in parts
            for since, until in self._spans.get(part, ())
        )
