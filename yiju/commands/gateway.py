"""`yiju gateway ...`: what runs in the home."""

import os
from pathlib import Path
from typing import Annotated

import typer

from yiju.commands.options import clock
from yiju.services import SERVICES, run_service

app = typer.Typer(help="The gateway in the home.")
_Folder = typer.Option(envvar="YIJU_GATEWAY_FOLDER", help="The gateway's folder: outbox, settings, status.")
DEFAULT_FOLDER = Path(".yiju/gateway")


@app.callback(invoke_without_command=True)
def run_gateway(context: typer.Context) -> None:
    """Runs in the home: devices in, batches out, nothing lost in between."""
    if context.invoked_subcommand is None:
        from gateway.enrolment import read_settings_file

        folder = Path(os.environ.get("YIJU_GATEWAY_FOLDER") or DEFAULT_FOLDER)
        # What the environment says goes before what enrolment wrote.
        environment = {**read_settings_file(folder), **{name: value for name, value in os.environ.items() if value}}
        run_service(next(service for service in SERVICES if service.name == "gateway"), environment)


@app.command()
def enroll(
    url: Annotated[str, typer.Option(help="The platform's pages, e.g. https://yiju.example.org.")],
    code: Annotated[str, typer.Option(help="The one-time code that the platform shows on the home's page.")],
    folder: Annotated[Path, _Folder] = DEFAULT_FOLDER,
    ca: Annotated[
        str, typer.Option(help="File with the certificate authority of the pages; default: the system's.")
    ] = "",
    local_broker: Annotated[str, typer.Option(help="The home's own broker, mqtt://user:password@host:port.")] = "",
) -> None:
    """Gives this gateway its name and password on the platform; `yiju gateway` then runs with them."""
    from gateway.enrolment import enroll as redeem
    from gateway.enrolment import write_settings

    enrolled = redeem(url, code, ca)
    more = {"YIJU_LOCAL_BROKER_URL": local_broker} if local_broker else {}
    file = write_settings(folder, enrolled, more)
    typer.echo(f"This is gateway {enrolled.gateway} now; its settings are in {file}. Start it: yiju gateway")


@app.command()
def status(
    folder: Annotated[Path, _Folder] = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document for a program.")] = False,
) -> None:
    """Shows devices, last values, outbox, connection and configuration; it only reads."""
    import msgspec
    from rich.console import Console

    from gateway.status import as_tables, look

    found = look(folder)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        Console().print(as_tables(found, clock().now()))
