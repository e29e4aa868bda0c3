"""`yiju store ...`: the database."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yiju.commands.options import AsJson, clock, owned_database

if TYPE_CHECKING:
    from store.verify import Verdict

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command("migrate")
def store_migrate() -> None:
    """Brings the database at YIJU_DATABASE_URL to this version; safe to run at any time and by many at once."""
    from core.settings import read_settings
    from store.migrate import migrate
    from yiju.settings import StoreSettings

    edition = migrate(read_settings(StoreSettings, os.environ).database_url, clock().now(), typer.echo)
    typer.echo(f"the database is up to date, edition {edition}")


@app.command("verify")
def store_verify(
    home: Annotated[str | None, typer.Option(help="Only the home with this key.")] = None,
    days: Annotated[int | None, typer.Option(help="Only the last days, today included.", min=1)] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what differs, from the readings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Recomputes sums, states and accounts from the readings and compares; exit code 1 when something differs."""
    import msgspec

    from store.verify import verify
    from yiju.screen import Screen

    with owned_database() as connection, Screen().long_work("looking at the readings") as advance:
        verdict = verify(connection, clock().now(), home=home, days=days, repair=repair, advance=advance)
    if as_json:
        typer.echo(msgspec.json.encode({**msgspec.to_builtins(verdict), "well": verdict.well}).decode())
    else:
        _tell(verdict)
    if not verdict.well:
        raise typer.Exit(1)


@app.command("erase")
def store_erase(
    home: Annotated[str | None, typer.Option(help="The home's key, or # and its number.")] = None,
    resident: Annotated[str | None, typer.Option(help="The resident's key, or # and their number.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    record: Annotated[Path | None, typer.Option(help="Write the record into this file as well.")] = None,
) -> None:
    """Erases everything about a resident or a home, for ever; prints a record that names nobody."""
    import msgspec

    from core.errors import SettingsError
    from store.erase import erase

    key = home or resident
    if key is None or (home and resident):
        raise SettingsError("say whom to erase: --resident KEY, or --home KEY")
    now = clock().now()
    with owned_database() as connection:
        planned = erase(connection, now, home=home, resident=resident, dry_run=True)
        if planned.shared:
            typer.echo("others live there as well: what the home's sensors said stays theirs", err=True)
        for table, count in planned.removed.items():
            typer.echo(f"{table}: {count} rows", err=True)
        if dry_run:
            return
        if not yes and typer.prompt(f"this cannot be undone; to erase, type {key} again", err=True) != key:
            raise SettingsError("that is another key: nothing was erased")
        erased = erase(connection, now, home=home, resident=resident, dry_run=False)
    written = msgspec.json.format(msgspec.json.encode(erased)).decode()
    typer.echo(written)
    if record is not None:
        record.write_text(written + "\n", encoding="utf-8")


@app.command("convert")
def store_convert(
    to: Annotated[str, typer.Option(help="postgresql://... of an empty database, e.g. on a server with TimescaleDB.")],
    as_json: AsJson = False,
) -> None:
    """Copies this database into another of any edition, then verifies it; cut off, it goes on where it stopped."""
    import msgspec

    from core.settings import read_settings
    from store.convert import convert
    from yiju.running import RunningSettings, database_url
    from yiju.screen import Screen

    source = database_url(read_settings(RunningSettings, os.environ))
    with Screen().long_work("copying") as advance:
        converted = convert(source, to, clock().now(), advance)
    if as_json:
        typer.echo(msgspec.json.encode(converted).decode())
    else:
        typer.echo(
            f"edition {converted.source} -> {converted.target}: {converted.rows} rows in {converted.parts} parts"
        )
        _tell(converted.verdict)
    if not converted.verdict.well:
        raise typer.Exit(1)


def _tell(verdict: "Verdict") -> None:
    since = "the first reading" if verdict.since is None else f"{verdict.since:%Y-%m-%d}"
    typer.echo(f"{verdict.homes} homes, {verdict.days} days since {since}"
               f"{', and the ledger' if verdict.ledger else ''}")  # fmt: skip
    for example in verdict.examples:
        where = " ".join(f"{name} {value}" for name, value in (
            ("home", example.home), ("device", example.device_id), ("metric", example.metric),
            ("at", example.time)) if value is not None)  # fmt: skip
        typer.echo(f"{example.what}: {where}: {example.detail}")
    for what, count in verdict.differences.items():
        mended = verdict.mended.get(what, 0)
        typer.echo(f"{what}: {count} differ" + (f", {mended} mended" if mended else ""))
    if not verdict.differences:
        typer.echo("nothing differs")
