"""The `peili` command. The only place, with `commands`, that prints or exits.

Exit codes: 0 done, 1 a named problem (one line on standard error: what, why, what to do), 2 usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from assistant import isolation, settings, wording
from assistant.commands import bench, library, models, talk, upkeep
from assistant.domain import Language
from assistant.errors import PeiliError
from assistant.paths import Paths

_FETCHING = frozenset({"setup", "fetch"})  # the words that ask for a download: the only ones that may go online

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(upkeep.run)
app.command()(upkeep.setup)
app.command()(talk.chat)
app.command()(talk.analyse)
app.add_typer(models.models, name="models")
app.add_typer(library.library, name="library")
app.add_typer(bench.bench, name="bench")


@app.callback()
def peili() -> None:
    """Peili: a private, offline reflection companion for mentoring."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    online = any(word in _FETCHING for word in words[:2])
    isolation.scrub_environment(keep_proxies=online)
    isolation.forbid_core_dumps()
    if not online:
        isolation.NetworkGuard().arm()
    try:
        app(args=words, standalone_mode=True)
    except PeiliError as error:
        typer.echo(f"peili: {wording.explain(_language(), error)}", err=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _language() -> Language:
    try:
        return settings.load(Paths.from_environment().settings_file)[0].language
    except PeiliError:
        return settings.Settings().language
