"""`yiju drill ...`: the real parts made to fail on purpose, and what was lost."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Drills: everything fails on purpose, and an independent witness counts.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print figures for a program.")]


@app.command("gateway")
def drill_gateway(
    as_json: AsJson = False,
    gateways: Annotated[int, typer.Option(help="How many gateways, each a process of its own.", min=1)] = 20,
    readings: Annotated[int, typer.Option(help="How many readings each takes.", min=200)] = 10_000,
    seed: Annotated[int, typer.Option(help="Another number, other moments of failure.", min=0)] = 1,
) -> None:
    """Outages, kill -9, lost brokers, platform restarts, duplicates, reordering: what is lost, what is doubled."""
    from yiju.commands.options import clock
    from yiju.drills.gateway import GatewayDrill
    from yiju.drills.report import show
    from yiju.screen import Screen

    screen = Screen()
    with (
        tempfile.TemporaryDirectory(prefix="yiju-drill-") as folder,
        screen.steps(1) as _,
        screen.work("the gateways take readings") as advance,
    ):
        drill = GatewayDrill(Path(folder), gateways=gateways, readings=readings, seed=seed, advance=advance)
        outcome = drill.run(clock().now())
    show(outcome, as_json=as_json)
    if outcome.lost or outcome.doubled:
        raise typer.Exit(1)
