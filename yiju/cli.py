"""The `yiju` command. Everything heavy is imported by the command that needs it."""

import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from core.clock import Clock, parse_clock
from core.errors import SettingsError, YijuError
from yiju.services import SERVICES, Service, run_service

FAULT = 2  # the exit code of an error that the person can mend

app = typer.Typer(
    name="yiju",
    help="Yiju (颐居) watches over people who live alone in a family eldercare bed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
store = typer.Typer(help="The database.", no_args_is_help=True)
simulate = typer.Typer(help="The simulator: homes, residents and incidents.")
app.add_typer(store, name="store")
app.add_typer(simulate, name="simulate")


Backfill = typer.Option(metavar="DAYS", help="How much past the demo's homes get when they are made, e.g. 30d.")


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
    run_up(read_settings(UpSettings, os.environ), demo=_days(backfill) if demo else None, speed=speed, screen=Screen())


def _add_service(service: Service) -> None:
    def command() -> None:
        run_service(service)

    app.command(service.name, help=service.what)(command)


for _service in SERVICES:
    if _service.name != "simulate":
        _add_service(_service)


@simulate.callback(invoke_without_command=True)
def run_simulator(context: typer.Context) -> None:
    """Plays homes; with a command, changes what the running simulator plays."""
    if context.invoked_subcommand is None:
        run_service(next(service for service in SERVICES if service.name == "simulate"))


@simulate.command()
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
    demo = prepare_demo(DataFolder(Path(read.home)), read.database_url, clock, Screen(), _days(backfill))
    typer.echo(" · ".join(f"{login.role} {login.name} / {login.password}" for login in demo.logins))


@simulate.command()
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


@app.command("import")
def import_register(
    file: Annotated[Path, typer.Argument(help="A register file; docs/register.md shows one.")],
) -> None:
    """Brings regions, homes, devices and people in, from a TOML file; the same file twice changes nothing."""
    from rich.console import Console

    from core.settings import read_settings
    from yiju.importing import import_file, report_table
    from yiju.running import RunningSettings, database_url

    url = database_url(read_settings(RunningSettings, os.environ))
    Console().print(report_table(import_file(url, file, _clock().now())))


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


@store.command("migrate")
def store_migrate() -> None:
    """Brings the database at YIJU_DATABASE_URL to this version; safe to run at any time and by many at once."""
    from core.settings import read_settings
    from store.migrate import migrate
    from yiju.settings import StoreSettings

    edition = migrate(read_settings(StoreSettings, os.environ).database_url, _clock().now(), typer.echo)
    typer.echo(f"the database is up to date, edition {edition}")


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
    follow_register(read.database_url, file, read.broker_password, lambda: bool(asked))


def _clock() -> Clock:
    """The clock of this process, from YIJU_CLOCK."""
    from core.settings import read_settings
    from yiju.services import CommonSettings

    return parse_clock(read_settings(CommonSettings, os.environ).clock)


def _days(text: str) -> timedelta:
    """`30d` -> 30 days."""
    number = text.removesuffix("d")
    if not number.isdigit() or not 1 <= int(number) <= 3650:
        raise SettingsError(f"--backfill {text!r}: write a number of days from 1d to 3650d, such as 30d")
    return timedelta(days=int(number))
