"""The `yiju` command: its groups are in yiju/commands/. Everything heavy is imported by the command that needs it."""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from core.errors import YijuError
from yiju.commands import bench, detect, drill, gateway, rejected, simulate, store, watchdog
from yiju.commands.evaluate import evaluate
from yiju.commands.options import FAULT, Backfill, clock, days
from yiju.services import SERVICES, Service, run_service

app = typer.Typer(
    name="yiju",
    help="Yiju (颐居) watches over people who live alone in a family eldercare bed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(store.app, name="store")
app.add_typer(rejected.app, name="rejected")
app.add_typer(gateway.app, name="gateway")
app.add_typer(simulate.app, name="simulate")
app.add_typer(bench.app, name="bench")
app.add_typer(detect.app, name="detect")
app.add_typer(drill.app, name="drill")
app.add_typer(watchdog.app, name="watchdog")
app.command("evaluate")(evaluate)


def main() -> None:
    """The console script: an error on purpose is one sentence and exit code 2, never a traceback."""
    try:
        app(prog_name="yiju")
    except YijuError as error:
        print(f"yiju: {error}", file=sys.stderr)
        sys.exit(FAULT)


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="With 24 simulated homes, people and a past.")] = False,
    speed: Annotated[float | None, typer.Option(help="Live this many times as fast as real time.", min=0.01)] = None,
    backfill: Annotated[str, Backfill] = "30d",
    with_parent: Annotated[bool, typer.Option("--with-parent", help="End when the caller ends.")] = False,
) -> None:
    """Runs the whole platform on this machine until Ctrl-C."""
    from core.settings import read_settings
    from yiju.embedded.child import end_with_parent
    from yiju.screen import Screen
    from yiju.up import UpSettings
    from yiju.up import up as run_up

    if with_parent:
        end_with_parent()
    run_up(
        read_settings(UpSettings, os.environ),
        demo=days(backfill, "--backfill") if demo else None,
        speed=speed,
        screen=Screen(),
    )


def _add_service(service: Service) -> None:
    def command() -> None:
        run_service(service)

    app.command(service.name, help=service.what)(command)


for _service in SERVICES:
    if _service.name not in ("simulate", "gateway", "ingest", "alerts"):  # groups of commands, and two with options
        _add_service(_service)


@app.command()
def ingest(
    workers: Annotated[int, typer.Option(help="How many processes share the load; not with amqtt.", min=1)] = 1,
) -> None:
    """Stores what gateways send."""
    if workers == 1:
        run_service(next(service for service in SERVICES if service.name == "ingest"))
        return
    from yiju.screen import Screen
    from yiju.workers import run_workers

    run_workers("ingest", workers, Screen().tell)


@app.command()
def alerts(
    workers: Annotated[int, typer.Option(help="How many processes share the homes.", min=1, max=32)] = 1,
) -> None:
    """Looks at every home and calls a human."""
    if workers == 1:
        run_service(next(service for service in SERVICES if service.name == "alerts"))
        return
    import socket

    from yiju.screen import Screen
    from yiju.workers import run_workers

    run_workers("alerts", workers, Screen().tell, socket.gethostname())


@app.command("import")
def import_register(
    file: Annotated[Path, typer.Argument(help="A register file; docs/register.md shows one.")],
) -> None:
    """Brings regions, homes, devices and people in, from a TOML file; the same file twice changes nothing."""
    from rich.console import Console

    from core.settings import read_settings
    from yiju.importing import import_file, remarks, report_table
    from yiju.running import RunningSettings, database_url

    url = database_url(read_settings(RunningSettings, os.environ))
    report = import_file(url, file, clock().now())
    Console().print(report_table(report))
    for remark in remarks(report):
        typer.echo(remark)


@app.command("gateway-password")
def gateway_password(key: Annotated[str, typer.Argument(help="The gateway's key in the register.")]) -> None:
    """Gives a registered gateway a new password and prints its settings, this once; the old one ends."""
    from core.settings import read_settings
    from yiju.importing import renew_gateway_password
    from yiju.running import RunningSettings, database_url, gateway_settings

    read = read_settings(RunningSettings, os.environ)
    password = renew_gateway_password(database_url(read), key)
    for variable, value in gateway_settings(read, key, password).items():
        typer.echo(f"{variable}={value}")


@app.command()
def replay(
    recording: Annotated[Path, typer.Argument(help="A recording, NAME.csv.gz.")],
    homes: Annotated[Path | None, typer.Option(help="What its sensors are; default: homes.toml beside it.")] = None,
    cut: Annotated[
        datetime | None, typer.Option(help="Local wall time from which on the person is not seen any more.")
    ] = None,
    speed: Annotated[str, typer.Option(help="How many times as fast as real time, or max.")] = "max",
    zone: Annotated[str, typer.Option(help="The home's time zone, in which the recording's times are read.")] = (
        "Asia/Shanghai"
    ),
    folder: Annotated[Path | None, typer.Option(help="Keep its database here; default: it vanishes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for a program.")] = False,
) -> None:
    """Plays a recording through a gateway and the whole path, on its own dates, and prints the alerts it raised."""
    from yiju.replay_report import run_replay

    run_replay(recording, homes, cut, speed, zone, folder, as_json)


@app.command()
def settings() -> None:
    """Lists every setting of every service."""
    from rich.console import Console

    from yiju.settings import settings_table

    Console().print(settings_table())


@app.command()
def doctor() -> None:
    """Looks at this machine and says what is missing and how to get it."""
    from rich.console import Console

    from core.settings import read_settings
    from yiju.doctor import DoctorSettings, examine, findings_table, with_running_stack

    findings = examine(with_running_stack(read_settings(DoctorSettings, os.environ)))
    Console().print(findings_table(findings))
    if any(not finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command("broker-accounts")
def broker_accounts(file: Annotated[Path, typer.Option(help="The accounts file that the broker reads.")]) -> None:
    """Keeps a broker's accounts file in step with the registered gateways until SIGTERM."""
    from core.settings import read_settings
    from yiju.accounts import follow_register
    from yiju.settings import AccountsSettings

    read = read_settings(AccountsSettings, os.environ)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: asked.append(number))
    follow_register(read.database_url, file, read.broker_password, lambda: bool(asked), read.alerts_password)
