"""`yiju bench ...`: how fast it is, measured on this machine."""

import json
from typing import Annotated

import typer

app = typer.Typer(help="Benchmarks.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print figures for a program.")]


@app.command("sweep")
def bench_sweep(as_json: AsJson = False) -> None:
    """One look at up to a million homes, beside one plain numpy pass over the same bytes."""
    from bench.sweep import measure
    from yiju.screen import Screen

    screen = Screen()
    with screen.steps(1) as begin:
        begin("sweep")
        with screen.work("sizes measured") as advance:
            found = measure(advance)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for one in found["sweeps"]:
        screen.say(
            f"{one['homes']:>9,} homes: {one['seconds']:.4f} s, {one['bytes_per_home']:.0f} bytes a home,"
            f" {one['ratio_to_numpy_pass']} x one pass over the same bytes"
        )
