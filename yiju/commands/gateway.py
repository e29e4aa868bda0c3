"""`yiju gateway ...`: what runs in the home."""

import typer

from yiju.services import SERVICES, run_service

app = typer.Typer(help="The gateway in the home.")


@app.callback(invoke_without_command=True)
def run_gateway(context: typer.Context) -> None:
    """Runs in the home: devices in, batches out, nothing lost in between."""
    if context.invoked_subcommand is None:
        run_service(next(service for service in SERVICES if service.name == "gateway"))
