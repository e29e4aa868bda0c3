"""`yiju watchdog`: watches a platform from another machine."""

import os

import typer

app = typer.Typer(help="Watches a platform from another machine and calls when it falls silent.")


@app.callback(invoke_without_command=True)
def run_watchdog(context: typer.Context) -> None:
    """Asks /health, waits for the heartbeat, and calls the operator when either fails. Runs until SIGTERM."""
    if context.invoked_subcommand is None:
        from core.settings import read_settings
        from yiju.services import prepare_logs
        from yiju.watchdog import WatchdogSettings, run

        prepare_logs("watchdog")
        run(read_settings(WatchdogSettings, os.environ))
