"""How long things are kept, and why. Readings go by whole days, dropped by ingest, which also makes the days."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from store.pool import Connection

MOST: Final = 20_000  # rows in one transaction: nobody waits long for it


@dataclass(frozen=True)
class Kept:
    """One kind of rows, and for how long they have a purpose."""

    table: str
    keep: timedelta


def kept(rollups: timedelta) -> tuple[Kept, ...]:
    """Everything that is forgotten row by row.

    Args:
        rollups: how long the quarter-hour sums are kept; a setting.
    """
    return (
        Kept("rollup", rollups),
        # A gateway that lay in a drawer sends again what it had sent: for a year and a half that is recognised.
        Kept("ledger", timedelta(days=550)),
        # As long as the readings would be kept that these might become (`yiju rejected retry`).
        Kept("rejected", timedelta(days=180)),
        Kept("urgent_event", timedelta(days=180)),  # handled ones; the alert tells the story
        Kept("muted_finding", timedelta(days=30)),  # whose cause never ended properly
        # Who was told when stays with the alert; what each mail server answered has served after two years.
        Kept("delivery_attempt", timedelta(days=730)),
        # A manager's morning and a test message, as long as the attempts; what was said of an alert stays with it.
        Kept("delivery", timedelta(days=730)),
        Kept("digest", timedelta(days=730)),
        # What went out as one message; the messages themselves stay with their alert.
        Kept("delivery_bundle", timedelta(days=180)),
        # A link lives for hours, and the alert's history says what it was used for. It holds a telephone number's hash.
        Kept("answer_link", timedelta(days=180)),
        # "Are you all right?" and what the home answered, once its alert is resolved: as long as the readings.
        Kept("gateway_command", timedelta(days=180)),
        Kept("enrolment_code", timedelta(days=30)),  # good for an hour; `audit` keeps who made it
        Kept("platform_trouble", timedelta(days=730)),  # ended ones: as long as the attempts that they explain
        Kept("profile", timedelta(days=365)),  # earlier habits explain the alerts that they judged
        # Who came when, and how the resident was: as long as a contract of care is accounted for and disputed.
        Kept("care_visit", timedelta(days=730)),
        # Records of the handling of personal data are kept for three years (PIPL, article 56).
        Kept("audit", timedelta(days=3 * 366)),
    )


def forget_outlived(connection: Connection, now: datetime, rollups: timedelta) -> dict[str, int]:
    """Deletes what has outlived its purpose, in many small transactions; says how many rows of each table.

    The age is counted from `now` or from the last word of the median device, whichever is earlier: a clock that jumps
    ahead makes nothing old (store/migrations: `believable`).

    Args:
        connection: in autocommit, with the rights of DatabaseRole.ALERTS or the owner.
        now: the platform's present.
        rollups: how long the quarter-hour sums are kept.
    """
    gone: dict[str, int] = {}
    for kind in kept(rollups):
        count = MOST
        while count == MOST:
            row = connection.execute(
                "SELECT forget_outlived(%s, %s, %s, %s) AS gone", [kind.table, now, kind.keep, MOST]
            ).fetchone()
            count = int(row["gone"]) if row else 0
            gone[kind.table] = gone.get(kind.table, 0) + count
    return gone
