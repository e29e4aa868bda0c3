"""What `yiju detect explain` shows: a table of every number behind a verdict, and a picture."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from rich.table import Table

from alerts.reasoning import Reasoning, reason
from store.pool import DatabaseRole, connect
from yiju.explain_picture import picture


def explain_home(database_url: str, home: str, at: datetime, drawn: Path | None) -> Table:
    """The table; draws the picture where one is wanted. `at` without a zone is the home's wall time."""
    with connect(database_url, DatabaseRole.ALERTS) as connection:
        found = reason(connection, home, at)
    if drawn is not None:
        drawn.write_text(picture(found), encoding="utf-8")
    return table(found)


def table(found: Reasoning) -> Table:
    """Every number behind the verdict."""
    shown = Table("", "value", "why", title=f"{found.home} at {_moment(found, found.at)}", title_justify="left")
    shown.add_row("last sign of life", _moment(found, found.life_at), found.room or "no room")
    shown.add_row("the silence began", _began(found), "what the limit depends on, with the hour")
    shown.add_row(
        "silent for", _span(found.silence_s), f"{_span(found.unseen_s)} in which nothing was received taken off"
    )
    if found.part is None:
        shown.add_row("profile", "none", "nothing had been learned at that time: the rule in use holds")
    else:
        fitted = _moment(found, found.fitted_at.timestamp()) if found.fitted_at else "-"
        shown.add_row("profile", f"version {found.version}", f"learned {fitted} from {found.part['days']:.0f} days")
    if found.part is not None and found.part["known"]:
        thresholds = found.part["threshold"]
        shown.add_row(
            "budget",
            f"1 false alarm in {found.part['budget_days']:g} days",
            f"surprise beyond {thresholds['indoors']:g} indoors, {thresholds['door']:g} at the door;"
            f" believed {found.part['believed_a_day']:g} a day",
        )
    if found.alike > 0:
        shown.add_row(
            "spells alike", f"{found.alike:.0f}", f"{found.shorter:.0f} of them no longer than {_span(found.usual_s)}"
        )
    shown.add_row("personal limit", _span(found.personal_s), "from the home's own past")
    shown.add_row(
        "limit that holds",
        _span(found.limit_s),
        f"floor {_span(found.policy.inactivity_floor_s)}, rule {_span(found.policy.inactivity_s)}",
    )
    shown.add_section()
    verdict = "inactive" if found.inactive else "not inactive"
    shown.add_row("verdict", verdict, f"alarm due at {_moment(found, found.due_at)} if nothing moves")
    return shown


def _began(found: Reasoning) -> str:
    return "-" if found.began is None else found.began.name.lower().replace("_", " ")


def _moment(found: Reasoning, moment: float) -> str:
    if not np.isfinite(moment):
        return "never" if np.isinf(moment) else "not known"
    return datetime.fromtimestamp(moment, ZoneInfo(found.zone)).strftime("%Y-%m-%d %H:%M:%S")


def _span(seconds: float) -> str:
    if not np.isfinite(seconds):
        return "for ever" if np.isinf(seconds) else "not known"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:02.0f} min"
