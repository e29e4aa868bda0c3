"""The evaluation's figures as one document, and as a table for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from evaluation.protocol import Score, Trial, figures

RULES = ("12 h rule", "24 h rule", "longest so far")
COLUMNS = ("false alarms", "a home-day", "median h", "90 % h", "max h", "within 8 h", "missed 12 h")


@dataclass(frozen=True)
class Judged:
    """One detector over all homes: its scores at its own setting, and the pooled figures along its curve."""

    name: str
    setting: float
    scores: Mapping[str, Score]
    curve: Sequence[tuple[float, dict[str, Any]]]

    def document(self) -> dict[str, Any]:
        """`pooled`, `homes`, `curve`."""
        return {
            "setting": self.setting,
            "pooled": figures(list(self.scores.values())),
            "homes": {name: figures([score]) for name, score in self.scores.items()},
            "curve": [{"setting": setting} | found for setting, found in self.curve],
        }


def document(ours: Judged, baselines: Sequence[Judged], trials: Sequence[Trial], left_out: Sequence[str],
             seed: int) -> dict[str, Any]:  # fmt: skip
    """Everything, as `yiju evaluate --json` prints it."""
    return {
        "seed": seed,
        "days": {trial.home.name: len(trial.home.days) for trial in trials},
        "left_out": list(left_out),
        "inactivity": ours.document(),
        "baselines": {one.name: one.document() for one in baselines},
    }


def table(found: Mapping[str, Any]) -> Table:
    """The same for people: each home, all of them, and the rules to beat."""
    shown = Table(title="Inactivity: false alarms and delays", title_justify="left")
    shown.add_column("")
    for name in COLUMNS:
        shown.add_column(name, justify="right")
    for name, home in found["inactivity"]["homes"].items():
        shown.add_row(name, *_cells(home))
    shown.add_section()
    shown.add_row("all homes", *_cells(found["inactivity"]["pooled"]), style="bold")
    shown.add_section()
    for name, baseline in found["baselines"].items():
        shown.add_row(name, *_cells(baseline["pooled"]))
    _name_left_out(shown, found)
    return shown


def altered_table(found: Mapping[str, Any]) -> Table:
    """Altered homes for people: each alteration, all of them, and of each rule to beat how often it calls and when."""
    shown = Table(title="Inactivity in homes made different: false alarms and delays", title_justify="left")
    shown.add_column("")
    for name in ("homes", *COLUMNS, "goal", *RULES):
        shown.add_column(name, justify="right")
    for kind in found["alterations"].values():
        shown.add_row(kind["what"], str(kind["variants"]), *_altered_cells(kind))
    shown.add_section()
    shown.add_row("all but what should alarm", "", *_altered_cells(found["all"]), style="bold")
    _name_left_out(shown, found)
    return shown


def _name_left_out(shown: Table, found: Mapping[str, Any]) -> None:
    if found["left_out"]:
        shown.caption = f"not scored, as not one person's or shorter than 8 whole days: {', '.join(found['left_out'])}"
        shown.caption_justify = "left"


def _altered_cells(kind: Mapping[str, Any]) -> list[str]:
    rules = [_cells(rule) for rule in kind["baselines"].values()]
    return [*_cells(kind["pooled"]), "met" if kind["goal"] else "-", *(f"{rule[1]}, {rule[2]} h" for rule in rules)]


def _cells(home: Mapping[str, Any]) -> list[str]:
    delay = home["delay_h"] or {}
    return [
        f"{home['false_alarms']} in {home['home_days']} d",
        _number(home["false_alarms_per_home_day"], ".3f"),
        *(_number(delay.get(name), ".2f") for name in ("median", "p90", "max")),
        *(_number(home[name], ".0%") for name in ("within_8h_share", "missed_12h_share")),
    ]


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
