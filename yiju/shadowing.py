"""What `yiju detect shadow` does: the trial with its bar, and its table for people."""

from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from alerts.shadow import Shadow, read_rules, try_out
from store.pool import DatabaseRole, connect
from yiju.screen import Screen


def run_shadow(database_url: str, rules: Path, days: int, now: datetime, screen: Screen) -> Shadow:
    """Plays the last `days` days of every home under the rules in force and under those of the file."""
    read = read_rules(rules)
    with connect(database_url, DatabaseRole.ALERTS) as connection, screen.steps(1) as begin:
        begin(f"the last {days} days")
        with screen.work("played twice") as advance:
            return try_out(connection, now, read, days, progress=lambda share: advance(share, 1.0))


def figures(shadow: Shadow) -> dict[str, Any]:
    """As `--json` prints them."""
    return {
        "homes": shadow.homes,
        "days": shadow.days,
        "alerts": {"old": dict(shadow.old), "new": dict(shadow.new)},
        "alarms_a_home_and_month": {
            "old": shadow.old_a_month,
            "new": shadow.new_a_month,
            "budget": shadow.budget_a_month,
        },
        "differences": [
            {
                "home": one.home,
                "kind": one.kind.value,
                "severity": one.severity.value,
                "change": one.change,
                "old_at": one.old_at and one.old_at.isoformat(timespec="seconds"),
                "new_at": one.new_at and one.new_at.isoformat(timespec="seconds"),
            }
            for one in shadow.differences
        ],
    }


def tables(shadow: Shadow) -> list[Table]:
    """How many of each kind, and each difference."""
    counts = Table("kind", "now", "then", title=f"{shadow.homes} homes, {shadow.days} days")
    for kind in sorted({*shadow.old, *shadow.new}):
        counts.add_row(kind.value, str(shadow.old.get(kind, 0)), str(shadow.new.get(kind, 0)))
    counts.add_section()
    counts.add_row("alarms a home and month", str(shadow.old_a_month), str(shadow.new_a_month))
    counts.add_row("budget of false ones", "", str(shadow.budget_a_month))
    changes = Table("home", "kind", "change", "now at", "then at")
    for one in shadow.differences:
        moments = (moment.strftime("%Y-%m-%d %H:%M") if moment else "" for moment in (one.old_at, one.new_at))
        changes.add_row(one.home, one.kind.value, one.change, *moments)
    return [counts, changes] if shadow.differences else [counts]
