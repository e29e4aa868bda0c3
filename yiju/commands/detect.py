"""`yiju detect ...`: why something was found, or was not."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Detection: why something was found, or was not.", no_args_is_help=True)


@app.command()
def explain(
    home: Annotated[str, typer.Option(help="The home's key, or its number: 1, 2, 3 ...")],
    at: Annotated[datetime, typer.Option(help="The moment, in the home's wall time.")],
    picture: Annotated[Path, typer.Option(help="Where to draw it, as SVG.")] = Path("explain.svg"),
) -> None:
    """Prints every number behind the verdict about a home at a moment, and draws it."""
    from rich.console import Console

    from core.settings import read_settings
    from yiju.explaining import explain_home
    from yiju.running import RunningSettings, database_url

    url = database_url(read_settings(RunningSettings, os.environ))
    Console().print(explain_home(url, home, at, picture))
    typer.echo(f"the picture is in {picture}", err=True)


@app.command()
def shadow(
    rules: Annotated[Path, typer.Option(help="A TOML file with [policy], [region.KEY] or [home.KEY].")],
    days: Annotated[str, typer.Option(metavar="DAYS", help="How much of the past is played, e.g. 30d.")] = "30",
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for a program.")] = False,
) -> None:
    """Plays the stored past under new rules beside those in force: which alerts would have come, gone or moved."""
    import json

    from rich.console import Console

    from core.settings import read_settings
    from yiju.commands.options import clock
    from yiju.commands.options import days as days_of
    from yiju.running import RunningSettings, database_url
    from yiju.screen import Screen
    from yiju.shadowing import figures, run_shadow, tables

    url = database_url(read_settings(RunningSettings, os.environ))
    found = run_shadow(url, rules, days_of(days, "--days").days, clock().now(), Screen())
    if as_json:
        typer.echo(json.dumps(figures(found), indent=2))
    else:
        for table in tables(found):
            Console().print(table)
