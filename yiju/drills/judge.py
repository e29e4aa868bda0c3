"""What came of an alert drill's trouble: what is missed, what is missing, what came though it was muted, and twice."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from store.pool import Connection
from store.queries import load_queries
from yiju.drills.people import Receipt
from yiju.drills.stage import manager_of, worker_of
from yiju.drills.trouble import OFFLINE_KIND, Silence, Trouble

QUERIES: Final = load_queries(__package__, "alerts.sql")
UNKNOWN_S: Final = (0.3, 3.0)  # before and after a message was taken: who was killed then could not write that down


@dataclass
class Outages:
    """When a message's fate could not be written down, on time.monotonic(): (from, until) of each."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    def at(self, moment: float) -> bool:
        """Whether what was taken then may have been left without a word about it."""
        before, after = UNKNOWN_S
        return any(begin - after <= moment <= end + before for begin, end in self.spans)


def open_ends(connection: Connection, receipts: list[Receipt], trouble: Trouble) -> tuple[int, int]:
    """(incidents without an alert and muted ones without a record, people who should have heard and have not)."""
    alerts = {(row["gateway"], row["kind"]): row["id"] for row in connection.execute(QUERIES["alerts"])}
    heard = {(receipt.alert, receipt.person) for receipt in list(receipts)}
    missed = missing = 0
    for one in trouble.incidents:
        alert = alerts.get((one.gateway, one.kind))
        if alert is None:
            missed += 1
        elif one.kind != OFFLINE_KIND:  # a notice, on the page only
            missing += sum((alert, who) not in heard for who in (worker_of(one.gateway), manager_of(one.gateway)))
    on_record = {(row["gateway"], row["kind"]): row["causes"] for row in connection.execute(QUERIES["muted"])}
    for silence in trouble.silences:
        causes = on_record.get((silence.gateway, silence.muted), [])
        told = (silence.gateway, silence.muted) in alerts  # an absence that was entered too late
        missed += bool(silence.muted) and not told and not any(one.startswith(silence.cause) for one in causes)
    return missed, missing


def raised_though_muted(connection: Connection, silences: Sequence[Silence]) -> int:
    """Alerts that were opened while what mutes them held."""
    held: defaultdict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in connection.execute(QUERIES["causes"]):
        held[row["gateway"], row["kind"]].append((row["since"], row["until"]))
    muted = {(one.gateway, one.muted) for one in silences}
    return sum(
        since < row["opened_at"] < until
        for row in connection.execute(QUERIES["alerts"])
        if (row["gateway"], row["kind"]) in muted
        for since, until in held[row["gateway"], row["kind"]]
    )


def repeats(receipts: list[Receipt], outages: Outages) -> tuple[int, int]:
    """(messages that came again, those among them that a kill explains), the second not counted in the first."""
    same: defaultdict[tuple[str, int, str], list[float]] = defaultdict(list)
    for receipt in receipts:
        same[receipt.person, receipt.alert, receipt.purpose].append(receipt.at)
    again = unknown = 0
    for times in same.values():
        for earlier in sorted(times)[:-1]:
            explained = outages.at(earlier)
            unknown += explained
            again += not explained
    return again, unknown
