"""peili bench: what is fast and what is not, measured on this machine, side by side in one run."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from assistant.bench.speed import measure
from assistant.commands.surroundings import surroundings

bench = typer.Typer(no_args_is_help=True, help="Measure this machine.")


@bench.callback()
def benchmarks() -> None:
    """Measurements; each prints what it compares with in the same run."""


@bench.command("speed")
def speed(
    turns: Annotated[int, typer.Option(min=2, max=20, help="Turns of the conversation.")] = 20,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Peili's engine beside a plain chat with retrieved passages in the system message, on the same turns."""
    here = surroundings()
    report = measure(here.settings, here.paths, turns, lambda text: here.tell("cli.bench_step", step=text))
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    _print(report)


def _print(report: dict[str, Any]) -> None:
    typer.echo("turn  peili at once  after a pause  plain   prefilled tokens: peili at once / after a pause / plain")
    for row in report["turns"]:
        typer.echo(
            f"{row['turn']:>4}  {row['at_once_s']:>11.2f} s  {row['paused_s']:>11.2f} s  {row['plain_s']:>5.2f} s"
            f"   {row['at_once_tokens']} / {row['paused_tokens']} / {row['plain_tokens']}"
        )
    for name, value in report["figures"].items():
        typer.echo(f"{name}: {value}")
