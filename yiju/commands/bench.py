"""`yiju bench ...`: how fast it is, measured on this machine with servers of its own."""

from typing import Annotated

import typer

app = typer.Typer(help="Benchmarks; each starts servers of its own.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print figures for a program.")]


@app.command("ingest")
def bench_ingest(
    as_json: AsJson = False,
    rounds: Annotated[int, typer.Option(help="How often everything is measured; medians count.", min=1)] = 3,
    homes: Annotated[int, typer.Option(help="How many homes send.", min=1)] = 200,
) -> None:
    """From the broker's queue to the table: readings a second, CPU and memory, beside raw COPY and bare paho."""
    from bench.ingest import Sizes, measure
    from yiju.bench_servers import bench_servers
    from yiju.commands.options import clock
    from yiju.screen import Screen

    now = clock().now()
    sizes = Sizes(homes=homes, rounds=rounds)
    with Screen().steps(sizes.steps) as tell, bench_servers(now, "system") as servers:
        outcome = measure(servers, now, sizes, tell)
    import json

    typer.echo(json.dumps(outcome.figures(), indent=2))
    for r in (outcome.batched, outcome.single):
        for n in ("ours", "bare", "live"):
            for d in getattr(r, n):
                print(n, d)
        print(r.raw_copy_s)
