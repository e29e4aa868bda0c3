"""`yiju evaluate ...`: how good detection is, by docs/detection.md's protocol."""

import json
from pathlib import Path
from typing import Annotated

import typer

from core.errors import SettingsError
from evaluation.carers import Carers


def evaluate(
    folder: Annotated[Path | None, typer.Argument(help="A folder of recordings with its homes.toml.")] = None,
    altered: Annotated[
        bool, typer.Option("--altered", help="Judge the recorded homes made different: other sensors, radios, days.")
    ] = False,
    simulated: Annotated[bool, typer.Option("--simulated", help="Judge simulated homes with known truth.")] = False,
    homes: Annotated[int, typer.Option(help="How many simulated homes.", min=1)] = 200,
    days: Annotated[int, typer.Option(help="How many days of each; the first 7 are not scored.", min=8)] = 90,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.", min=0)] = 1,
    carers: Annotated[
        Carers, typer.Option(help="Carers come to each third simulated home, and what they log is known, or not.")
    ] = Carers.NONE,
    plot: Annotated[Path | None, typer.Option(help="Write the curve of delay and false alarms here, as SVG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for a program.")] = False,
) -> None:
    """Judges detection on recorded homes, or on simulated ones with known truth."""
    from yiju.evaluating import evaluate_altered, evaluate_recorded, evaluate_simulated
    from yiju.screen import Screen

    if simulated:
        found, table = evaluate_simulated(homes, days, seed, carers, Screen())
    elif folder is not None and altered:
        found, table = evaluate_altered(folder, seed, Screen())
    elif folder is not None:
        found, table = evaluate_recorded(folder, seed, plot, Screen())
    else:
        raise SettingsError("evaluate what? Give a folder of recordings, or --simulated")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        from rich.console import Console

        Console().print(table)
