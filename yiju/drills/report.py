"""What a drill prints."""

import msgspec
import typer


def show(outcome: msgspec.Struct, *, as_json: bool) -> None:
    """One line of JSON, or one figure a line."""
    if as_json:
        typer.echo(msgspec.json.encode(outcome))
        return
    for name, value in msgspec.structs.asdict(outcome).items():
        typer.echo(f"{name:32} {value:>12}")
