"""`yiju drill ...`: the real parts made to fail on purpose, and what was lost."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Drills: everything fails on purpose, and an independent witness counts.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print figures for a program.")]
LOST = 1  # the exit code of a drill that found something lost or doubled


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

    with _place("the gateways take readings") as (folder, advance):
        drill = GatewayDrill(folder, gateways=gateways, readings=readings, seed=seed, advance=advance)
        outcome = drill.run(clock().now())
    show(outcome, as_json=as_json)
    if outcome.lost or outcome.doubled:
        raise typer.Exit(LOST)


@app.command("backlog")
def drill_backlog(
    as_json: AsJson = False,
    readings: Annotated[
        int, typer.Option(help="How many wait; a week of a busy home by default.", min=1_000)
    ] = 600_000,
) -> None:
    """A week of readings waits when the line comes back: how fast it goes, in what memory, how soon an SOS is in."""
    from yiju.commands.options import clock
    from yiju.drills.backlog import BacklogDrill
    from yiju.drills.report import show

    with _place("a week goes up") as (folder, advance):
        outcome = BacklogDrill(folder, readings=readings, advance=advance).run(clock().now())
    show(outcome, as_json=as_json)
    if outcome.lost or outcome.doubled:
        raise typer.Exit(LOST)


@app.command("alerts")
def drill_alerts(
    as_json: AsJson = False,
    homes: Annotated[int, typer.Option(help="How many homes.", min=10)] = 500,
    minutes: Annotated[float, typer.Option(help="Minutes of trouble, on the platform's clock.", min=1)] = 10.0,
    factor: Annotated[float, typer.Option(help="How many times as fast as real time.", min=1, max=30)] = 4.0,
    workers: Annotated[int, typer.Option(help="How many alert workers.", min=1)] = 2,
    seed: Annotated[int, typer.Option(help="Another number, other trouble.", min=0)] = 1,
) -> None:
    """Trouble in many homes while every process is killed and messages fail: what is missed, what is doubled."""
    from yiju.commands.options import clock
    from yiju.drills.alerts import AlertDrill, Size
    from yiju.drills.report import show

    size = Size(homes=homes, minutes=minutes, factor=factor, workers=workers)
    with _place("trouble in the homes") as (folder, advance):
        outcome = AlertDrill(folder, size, seed=seed, advance=advance).run(clock().now())
    show(outcome, as_json=as_json)
    if outcome.missed or outcome.doubled or outcome.deliveries_missing or outcome.raised_though_muted:
        raise typer.Exit(LOST)


@contextmanager
def _place(what: str) -> Iterator[tuple[Path, Callable[[float, float], None]]]:
    """A folder that vanishes, and a bar on standard error for `what`."""
    from yiju.screen import Screen

    screen = Screen()
    with tempfile.TemporaryDirectory(prefix="yiju-drill-") as folder, screen.steps(1), screen.work(what) as advance:
        yield Path(folder), advance
