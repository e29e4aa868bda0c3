"""`yiju rejected ...`: what arrived and could not be stored."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Reason, SettingsError
from yiju.commands.options import AsJson, clock, owned_database

if TYPE_CHECKING:
    from yiju.rejected import Which

app = typer.Typer(help="What arrived and could not be stored.", no_args_is_help=True)
ByReason = Annotated[Reason | None, typer.Option(help="Only those that were rejected for this.")]
ByGateway = Annotated[str | None, typer.Option(help="Only those of the gateway with this key.")]
Since = Annotated[str | None, typer.Option(help="Only those since then: 7d, 12h, or a time with its zone.")]


@app.command("list")
def list_command(
    reason: ByReason = None,
    gateway: ByGateway = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(help="At most this many, oldest first.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Shows what is rejected, oldest first, and how much by reason."""
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from yiju.rejected import count_rejected, list_rejected

    which = _which(reason, gateway, since)
    with owned_database() as connection:
        counts, rows = count_rejected(connection, which), list_rejected(connection, which, limit)
    if as_json:
        found = {"counts": [{**row, "readings": int(row["readings"])} for row in counts], "messages": rows}
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table(box=None)
    for heading in ("id", "came", "gateway", "reason", "readings", "detail"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(str(row["id"]), f"{row['stored_at']:%Y-%m-%d %H:%M:%S}", row["topic"].split("/")[2:3][0]
                      if row["topic"].count("/") > 1 else row["topic"], row["reason"], str(row["readings"]),
                      row["detail"])  # fmt: skip
    console = Console()
    console.print(table, markup=False)
    for row in counts:
        console.print(f"{row['reason']}: {row['messages']} messages, {row['readings']} readings")
    if not counts:
        console.print("nothing is rejected")


@app.command("show")
def show_command(number: Annotated[int, typer.Argument(help="Its id, as `list` shows it.")]) -> None:
    """Shows one rejected message whole, with its bytes."""
    from yiju.rejected import show_rejected

    with owned_database() as connection:
        row = show_rejected(connection, number)
    payload = bytes(row.pop("payload"))
    for name, value in row.items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"payload ({len(payload)} of {row['size']} bytes):")
    typer.echo(payload.decode(errors="backslashreplace"))


@app.command("retry")
def retry_command(
    number: Annotated[int | None, typer.Argument(help="Only this one; default: all that the options name.")] = None,
    reason: ByReason = None,
    gateway: ByGateway = None,
    since: Since = None,
    by_present_clock: Annotated[
        bool, typer.Option("--by-present-clock", help="The platform's own clock was wrong when they came.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Stores what can be stored now that its cause is mended; safe to cut off and to run again."""
    import msgspec

    from yiju.rejected import Retried, retry, retry_all, show_rejected
    from yiju.screen import Screen

    now = clock().now()
    with owned_database() as connection:
        if number is not None:
            show_rejected(connection, number)
            outcome, readings = retry(connection, number, now, by_present_clock=by_present_clock)
            retried = Retried({outcome: 1}, readings)
        else:
            with Screen().long_work("rejected messages") as advance:
                retried = retry_all(connection, _which(reason, gateway, since), now,
                                    by_present_clock=by_present_clock, advance=advance)  # fmt: skip
    if as_json:
        typer.echo(msgspec.json.encode(retried).decode())
        return
    for name, messages in sorted(retried.messages.items()):
        typer.echo(f"{name}: {messages} messages")
    typer.echo(f"{retried.readings} readings stored")


def _which(reason: Reason | None, gateway: str | None, since: str | None) -> "Which":
    from yiju.rejected import Which

    return Which(reason, gateway, None if since is None else _moment(since))


def _moment(text: str) -> datetime:
    """`7d`, `12h`, or an ISO 8601 time with a zone."""
    span = re.fullmatch(r"([0-9]{1,5})([dh])", text)
    if span:
        return clock().now() - (timedelta(days=int(span[1])) if span[2] == "d" else timedelta(hours=int(span[1])))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingsError(f"--since {text!r}: write 7d, 12h, or a time with its zone, 2026-03-01T00:00:00+08:00")
    return moment
