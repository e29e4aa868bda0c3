"""What really happened in the simulated homes, one JSON object a line, for evaluation and for a restart.

Kinds of line (`what`): `started`, `incident`, `incident_ended`, `gap` (time that was jumped over), `day`
(what a resident did from 03:00 to 03:00). Times are ISO 8601 in UTC.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from core.wire import from_ms, to_ms
from simulator.days import DayBook
from simulator.incidents import Incident, IncidentKind


class Truth:
    """The file `truth.jsonl` in `folder`, appended to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "truth.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        _drop_torn_line(self.path)

    def incident(self, incident: Incident) -> None:
        self._write(
            what="incident",
            id=incident.id,
            kind=incident.kind,
            home=incident.home,
            start=_iso(incident.start),
            end=_iso(incident.end),
        )

    def incident_ended(self, incident: Incident) -> None:
        """Notes that the incident ended before its time, at `incident.end`."""
        self._write(what="incident_ended", id=incident.id, end=_iso(incident.end))

    def gap(self, home: int, start: int, end: int) -> None:
        self._write(what="gap", home=home, start=_iso(start), end=_iso(end))

    def started(self, at: datetime, seed: int, homes: int) -> None:
        self._write(what="started", at=at.isoformat(), seed=seed, homes=homes)

    def day(self, book: DayBook, moment: int) -> None:
        """Writes what the resident does on the simulated day of `moment` (ms)."""
        date = book.day_of(moment)
        stays = [[s.room, s.activity, s.start.isoformat("T", "seconds")] for s in book.timeline(date)]
        self._write(what="day", home=book.home.number, date=date.isoformat(), kind=book.kind_of(date), stays=stays)

    def lines(self) -> list[dict[str, Any]]:
        """Everything written so far."""
        if not self.path.exists():
            return []
        return [msgspec.json.decode(line) for line in self.path.read_bytes().splitlines()]

    def incidents(self) -> list[Incident]:
        """All incidents, with the ends they really had or will have."""
        found: dict[int, Incident] = {}
        for line in self.lines():
            if line["what"] == "incident":
                start, end = _ms(line["start"]), _ms(line["end"])
                found[line["id"]] = Incident(line["id"], IncidentKind(line["kind"]), line["home"], start, end)
            elif line["what"] == "incident_ended":
                found[line["id"]] = msgspec.structs.replace(found[line["id"]], end=_ms(line["end"]))
        return list(found.values())

    def _write(self, **line: Any) -> None:
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")


def _drop_torn_line(path: Path) -> None:
    """A process that was killed while writing leaves half a line: it is cut off, as it was never confirmed."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("r+b") as file:
                file.truncate(whole)


def _iso(moment: int) -> str:
    return from_ms(moment).isoformat()


def _ms(text: str) -> int:
    return to_ms(datetime.fromisoformat(text))
