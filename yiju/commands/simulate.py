"""`yiju simulate ...`: the simulator."""

import os
from pathlib import Path
from typing import Annotated

import typer

from yiju.commands.options import FAULT, Backfill, days
from yiju.services import SERVICES, run_service

app = typer.Typer(help="The simulator: homes, residents and incidents.")


@app.callback(invoke_without_command=True)
def run_simulator(context: typer.Context) -> None:
    """Plays homes; with a command, changes what the running simulator plays."""
    if context.invoked_subcommand is None:
        run_service(next(service for service in SERVICES if service.name == "simulate"))


@app.command()
def prepare(backfill: Annotated[str, Backfill] = "30d") -> None:
    """Registers the demo's homes and people and gives them a past; keeps the passwords in YIJU_HOME."""
    from core.clock import parse_clock
    from core.settings import read_settings
    from yiju.demo import prepare_demo
    from yiju.folder import DataFolder
    from yiju.screen import Screen
    from yiju.services import CommonSettings
    from yiju.settings import PrepareSettings

    read = read_settings(PrepareSettings, os.environ)
    clock = parse_clock(read_settings(CommonSettings, os.environ).clock)
    demo = prepare_demo(DataFolder(Path(read.home)), read.database_url, clock, Screen(), days(backfill, "--backfill"))
    typer.echo(" · ".join(f"{login.role} {login.name} / {login.password}" for login in demo.logins))


@app.command()
def incident(
    kind: Annotated[str, typer.Argument(help="fall, sos, collapse, wander, stove, meter-dead, gateway-off, or end.")],
    home: Annotated[int, typer.Option(help="Which home: 1, 2, 3 ...", min=1)],
) -> None:
    """Lets something happen in a home of the running demo (YIJU_HOME names its data folder)."""
    from core.settings import read_settings
    from simulator.control import ask
    from yiju.settings import IncidentSettings

    read = read_settings(IncidentSettings, os.environ)
    answer = ask(Path(read.simulator_folder or Path(read.home) / "simulator"), kind, home)
    typer.echo(answer.sentence, err=not answer.ok)
    if not answer.ok:
        raise typer.Exit(FAULT)
