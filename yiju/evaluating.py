"""What `yiju evaluate` does: the work with its bar, and the table for people."""

from pathlib import Path
from typing import Any

from rich.table import Table

from evaluation.carers import Carers
from yiju.screen import Screen


def evaluate_recorded(folder: Path, seed: int, picture: Path | None, screen: Screen) -> tuple[dict[str, Any], Table]:
    """Figures and table of the recorded homes; writes the curve to `picture` where one is wanted."""
    from evaluation.evaluate import evaluate
    from evaluation.plot import plot
    from evaluation.report import table

    with screen.steps(1) as begin:
        begin(folder.name)
        with screen.work("detectors judged") as advance:
            found = evaluate(folder, seed, advance)
    if picture is not None:
        picture.write_text(plot(found), encoding="utf-8")
        screen.tell(f"the curve is in {picture}")
    return found, table(found)


def evaluate_altered(folder: Path, seed: int, screen: Screen) -> tuple[dict[str, Any], Table]:
    """Figures and table of the recorded homes made different."""
    from evaluation.altered import evaluate
    from evaluation.report import altered_table

    with screen.steps(1) as begin:
        begin(folder.name)
        with screen.work("alterations judged") as advance:
            found = evaluate(folder, seed, advance)
    return found, altered_table(found)


def evaluate_simulated(
    homes: int, days: int, seed: int, carers: Carers, screen: Screen
) -> tuple[dict[str, Any], Table]:
    """Figures and table of simulated homes."""
    from evaluation.simulated import evaluate

    with screen.steps(1) as begin:
        begin(f"{homes} homes, {days} days")
        with screen.work("played and watched") as advance:
            found = evaluate(homes, days, seed, lambda share, what: advance(share, 1.0), carers=carers).figures()
    columns = ("incidents", "found", "unwatched", "recall", "precision", "median_delay_s")
    shown = Table("kind", *(name.replace("_", " ") for name in columns))
    for kind, one in found["kinds"].items():
        shown.add_row(kind, *(str(one[name]) for name in columns))
    shown.add_section()
    shown.add_row("false alarms a home-day", str(found["false_alarms_per_home_day"]))
    return found, shown
