"""`yiju bench ...`: how fast it is, measured on this machine with servers of its own."""

import json
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

    now, sizes, screen = clock().now(), Sizes(homes=homes, rounds=rounds), Screen()
    with screen.steps(sizes.steps) as tell, bench_servers(now, "system") as servers:
        outcome = measure(servers, now, sizes, tell)
    if as_json:
        typer.echo(json.dumps(outcome.figures(), indent=2))
    else:
        for line in outcome.lines():
            screen.say(line)


@app.command("latency")
def bench_latency(
    as_json: AsJson = False,
    homes: Annotated[int, typer.Option(help="How many homes send meanwhile.", min=200)] = 3000,
    presses: Annotated[int, typer.Option(help="How often an SOS is pressed, each in another home.", min=1)] = 200,
) -> None:
    """From an SOS to its alert on the live stream, while all homes send."""
    from bench.latency import figures, measure
    from yiju.bench_servers import bench_servers
    from yiju.commands.options import clock
    from yiju.embedded.postgres import free_port
    from yiju.screen import Screen

    now, screen = clock(), Screen()
    with screen.steps(1) as step, bench_servers(now.now(), "system") as servers:
        step("an SOS and its alert")
        with screen.work("pressed") as advance:
            latency = measure(servers, now, homes, min(presses, homes), free_port(), advance)
    if as_json:
        typer.echo(json.dumps(figures(latency), indent=2))
    else:
        screen.say(
            f"{latency.presses} presses while {homes} homes send {latency.load_per_s:g} messages a second: median"
            f" {latency.p50_ms:g} ms, 99 % within {latency.p99_ms:g} ms; the broker alone"
            f" {latency.broker_round_trip_p50_ms:g} ms"
        )


@app.command("history")
def bench_history(
    as_json: AsJson = False,
    homes: Annotated[int, typer.Option(help="How many homes.", min=1)] = 1000,
    per_day: Annotated[int, typer.Option(help="Readings a day of one home.", min=12)] = 350,
) -> None:
    """The pages' and the sweep's queries over 10, 30 and 90 days of history, and bytes a reading."""
    import os

    from bench.history import SPANS, measure
    from yiju.bench_servers import history_databases
    from yiju.commands.options import clock
    from yiju.screen import Screen

    now = clock().now()
    with Screen().steps(2 * SPANS[-1]) as tell, history_databases(now, os.environ) as (url, others):
        outcome = measure(url, others, now, homes, per_day, tell)
    figures = outcome.figures()
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for name, timing in figures["queries"].items():
        typer.echo(f"{name}: " + ", ".join(f"{key} {value}" for key, value in timing.items()))
    for edition, size in figures["bytes_per_reading"].items():
        typer.echo(f"{edition}: {size} bytes a reading")
    typer.echo(f"{figures['bytes_per_rollup']} bytes a row of sums; {outcome.readings} readings of {homes} homes")


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


@app.command("alerts")
def bench_alerts(as_json: AsJson = False) -> None:
    """Ten thousand findings in one tick, a blackout: seconds, statements, and whether urgent messages go out first."""
    from bench.alerts import figures, measure
    from core.logs import configure_logs
    from yiju.bench_servers import bench_servers
    from yiju.commands.options import clock
    from yiju.screen import Screen

    now, screen = clock().now(), Screen()
    with screen.steps(1) as begin, bench_servers(now, "system") as servers:
        configure_logs("bench", as_json=True, level="WARNING")
        begin("a blackout")
        with screen.work("sizes measured") as advance:
            found = measure(servers.database_url, now, advance)
    if as_json:
        typer.echo(json.dumps(figures(found), indent=2))
        return
    for one in found:
        first = "urgent ones first" if one.urgent_first else "urgent ones NOT first"
        screen.say(
            f"{one.findings:>7,} findings: {one.seconds:.2f} s, {one.statements:,} statements, {one.opened:,} alerts,"
            f" {one.messages:,} messages, {first}"
        )
