"""`yiju store ...`: the database."""

import os

import typer

from yiju.commands.options import clock

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command("migrate")
def store_migrate() -> None:
    """Brings the database at YIJU_DATABASE_URL to this version; safe to run at any time and by many at once."""
    from core.settings import read_settings
    from store.migrate import migrate
    from yiju.settings import StoreSettings

    edition = migrate(read_settings(StoreSettings, os.environ).database_url, clock().now(), typer.echo)
    typer.echo(f"the database is up to date, edition {edition}")
