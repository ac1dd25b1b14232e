"""peili bench: what is fast and what is not, measured on this machine, side by side in one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant import app as composition
from assistant.bench import retrieval as retrieval_bench
from assistant.bench.judging import read_queries
from assistant.bench.speed import measure
from assistant.commands.surroundings import surroundings
from assistant.paths import PROJECT_ROOT

_EVALUATION = PROJECT_ROOT / "tests" / "evals" / "retrieval" / "eval.tsv"

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


@bench.command("retrieval")
def retrieval(
    queries: Annotated[Path, typer.Option(help="The queries, with the card that answers each.")] = _EVALUATION,
    baselines: Annotated[bool, typer.Option(help="Measure the two baselines too; some minutes more.")] = True,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """The search on queries with a known answer, leg by leg, beside two plain dense baselines."""
    here = surroundings()
    services = composition.build(here.settings, here.paths, chat_model="none")
    try:
        services.load()
        asked = read_queries(queries)
        report = retrieval_bench.measure(
            services, asked, baselines=baselines, tell=lambda text: here.tell("cli.bench_step", step=text)
        )
    finally:
        services.close()
    typer.echo(json.dumps(report, ensure_ascii=False) if as_json else _as_text(report))


def _as_text(report: dict[str, Any]) -> str:
    lines = []
    for system, groups in report["shares"].items():
        for group, shares in groups.items():
            told = [
                f"{name} {share['value']:.3f} [{share['low']:.3f}, {share['high']:.3f}] n={share['n']}"
                for name, share in shares.items()
            ]
            lines.append(f"{system}, {group}: " + "; ".join(told))
    lines += [f"{name}: {figures} ms" for name, figures in report["milliseconds"].items()]
    return "\n".join(lines)


def _print(report: dict[str, Any]) -> None:
    typer.echo("turn  peili at once  after a pause  plain   prefilled tokens: peili at once / after a pause / plain")
    for row in report["turns"]:
        typer.echo(
            f"{row['turn']:>4}  {row['at_once_s']:>11.2f} s  {row['paused_s']:>11.2f} s  {row['plain_s']:>5.2f} s"
            f"   {row['at_once_tokens']} / {row['paused_tokens']} / {row['plain_tokens']}"
        )
    for name, value in report["figures"].items():
        typer.echo(f"{name}: {value}")
