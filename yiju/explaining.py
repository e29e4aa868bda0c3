"""What `yiju detect explain` shows: a table of every number behind a verdict, and a picture."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from rich.table import Table

from alerts.detect.memory import HOLE_S
from alerts.detect.spells import Began
from alerts.doubts import Doubt
from alerts.reasoning import Reasoning, reason
from store.pool import DatabaseRole, connect
from yiju.explain_picture import picture
from yiju.explain_words import began_words, doubt_words, moment_words, room_words, span_words

HOLES_SHOWN: Final = 3


def explain_home(database_url: str, home: str, at: datetime, drawn: Path | None) -> Table:
    """The table; draws the picture where one is wanted. `at` without a zone is the home's wall time."""
    with connect(database_url, DatabaseRole.ALERTS) as connection:
        found = reason(connection, home, at)
    if drawn is not None:
        drawn.write_text(picture(found), encoding="utf-8")
    return table(found)


def table(found: Reasoning) -> Table:
    """Every number behind the verdict, in the order in which they lead to it."""
    shown = Table("", "value", "why", title=f"{found.home} at {_moment(found, found.at)}", title_justify="left")
    shown.add_row("last sign of life", _moment(found, found.life_at), room_words(found.room))
    shown.add_row("the silence began", began_words(found.said), "the limit depends on this and on the hour")
    if found.said is not found.began:
        shown.add_row("judged as begun", began_words(found.began), _judged(found))
    if found.unseen_s > 0:
        what = "its meter, alone there, showed nothing new" if found.stood else "nothing was received"
        taken_off = f"without {span_words(found.unseen_s)} in which {what}: nobody could have been seen"
    else:
        taken_off = "the home could be heard all the time"
    shown.add_row("silent for", span_words(found.silence_s), taken_off)
    if found.holes:
        shown.add_row("not shown" if found.stood else "not received", span_words(found.unseen_s), _holes(found))
    _add_learned(shown, found)
    _add_changes(shown, found)
    shown.add_row("limit applied", span_words(found.limit_s), _bound(found))
    shown.add_section()
    if not found.watched:
        until = f"no sensor of life could be seen after {_moment(found, found.seen_until)}"
        shown.add_row("watched", "no", f"{until}: silence means nothing")
    if not np.isnan(found.visit_until):
        until = "still there" if np.isinf(found.visit_until) else f"until {_moment(found, found.visit_until)}"
        why = "it mutes this silence" if np.isinf(found.visit_until) else "the silence began with its end"
        shown.add_row("carer's visit", f"{_moment(found, found.visit_from)}, {until}", why)
    if found.absent is not None:
        shown.add_row("planned absence", found.absent, "it mutes this silence, and ends when somebody is home again")
    if found.came_later:
        shown.add_row("came later", f"{found.came_later} readings", "measured before, stored after: not known then")
    shown.add_row("verdict", *_verdict(found))
    return shown


def _add_learned(shown: Table, found: Reasoning) -> None:
    if found.part is None:
        shown.add_row("profile", "none", "nothing had been learned by then: the rule in use holds")
        return
    fitted = _moment(found, found.fitted_at.timestamp()) if found.fitted_at else "-"
    shown.add_row("profile", f"version {found.version}", f"learned {fitted} from {found.part['days']:.0f} days")
    if found.part["known"]:
        missed, believed = found.part["threshold"], found.part["believed_a_day"]
        needed = f"{missed['indoors']:.1f} expected signs of life indoors, {missed['door']:.1f} at the door"
        shown.add_row(
            "budget",
            f"1 false alarm in {found.part['budget_days']:g} days",
            f"so a silence must miss {needed}; believed: 1 in {1 / max(believed, 1e-5):.0f} days",
        )
    if found.alike > 0:
        shown.add_row(
            "spells alike",
            f"{found.alike:.0f}",
            f"began so near this hour; {found.shorter:.0f} of them were no longer than {span_words(found.usual_s)}",
        )
    allowed = "what the home's own past allows of a silence that began so"
    shown.add_row("learned limit", span_words(found.began_s), allowed)
    if found.unseen_s > HOLE_S:
        end = f", {_moment(found, found.holes[-1][1])}" if found.holes else ""
        why = f"nobody knows what was done unseen: the longest limit indoors of a silence that begins at its end{end}"
        shown.add_row("after the hole", span_words(found.learned_s), why)


def _add_changes(shown: Table, found: Reasoning) -> None:
    """What made the learned limit longer."""
    stretch = found.policy.inactivity_stretch
    if stretch > 1 and np.isfinite(found.learned_s):
        said = f"{found.false_alarms} false alarms of the last 30 days" if found.false_alarms else "the home's policy"
        shown.add_row("made longer", f"x {stretch:g}", f"by {said}: {span_words(found.learned_s * stretch)}")
    if found.doubled:
        why = _sensors(found, found.doubts) or "a motion sensor cannot be believed"
        shown.add_row("doubled", "x 2", f"{why}:\nso a silence may be twice as long: {span_words(found.personal_s)}")


def _judged(found: Reasoning) -> str:
    """Why the silence was judged as one that began otherwise, and what that did to the learned limit."""
    why = _sensors(found, found.mute) or "a sensor was not heard"
    if found.began is Began.LEFT:
        why += ".\nNobody can see whether the person left, so it may be an outing"
    elif found.began in (Began.RESTING, Began.DOOR_RESTING):
        why += ".\nNobody can see whether the person is in bed, so it may be rest"
    else:
        why += ".\nThe last that it said holds nobody in bed"
    if np.isnan(found.began_s):
        return why
    return f"{why}: learned limit {span_words(found.began_s)}, not {span_words(found.said_s)}"


def _sensors(found: Reasoning, doubts: Sequence[Doubt]) -> str:
    return ",\n".join(doubt_words(doubt, found.zone) for doubt in doubts)


def _holes(found: Reasoning) -> str:
    """When nothing was received, or the meter stood."""
    times = [f"{_moment(found, start)} to {_moment(found, end)}" for start, end in found.holes[-HOLES_SHOWN:]]
    more = len(found.holes) - len(times)
    where = "by the meter" if found.stood else "from the home"
    return f"{where}, {', and '.join(times)}" + (f", and {more} times before" if more > 0 else "")


def _bound(found: Reasoning) -> str:
    """Which of them is the limit."""
    floor, rule = found.policy.inactivity_floor_s, found.policy.inactivity_s
    if np.isinf(found.limit_s):
        return "who left is waited for; not_returned watches over that"
    if np.isnan(found.personal_s):
        return "the rule in use until a home is known"
    if found.limit_s == found.personal_s:
        return f"as learned and changed (floor {span_words(floor)}, rule {span_words(rule)})"
    if found.limit_s == floor:
        return "the floor: no limit is shorter"
    if found.limit_s > rule:
        return "longer than the rule: no exterior door is watched, or silences here have twice been longer"
    return "the rule: nobody indoors may be silent for longer" if found.limit_s == rule else "who left: half the rule"


def _verdict(found: Reasoning) -> tuple[str, str]:
    if np.isnan(found.life_at):
        return "not inactive", "nobody was ever seen here"
    if found.inactive:
        return "inactive", f"an alarm: the silence was too long from {_moment(found, found.due_at)} on"
    if found.too_long:
        mutes = "the visit" if np.isinf(found.visit_until) else "the absence"
        cause = "the home could not be watched" if not found.watched else f"{mutes} mutes it"
        return "no alarm", f"too long since {_moment(found, found.due_at)}, but {cause}"
    if np.isinf(found.due_at):
        return "not inactive", "a silence that began so is never too long here"
    return "not inactive", f"alarm due at {_moment(found, found.due_at)} if nothing moves"


def _moment(found: Reasoning, moment: float) -> str:
    return moment_words(moment, found.zone)
