"""peili run and peili setup."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant import app as composition
from assistant.commands.models import fetch_entries
from assistant.commands.surroundings import surroundings
from assistant.wording import say


def setup() -> None:
    """Fetch and verify the models, build the search index and train the sentence analysis; skips what is done."""
    here = surroundings()
    fetch_entries(here, [here.settings.encoder, here.settings.chat_model], None)
    services = composition.build(here.settings, here.paths)
    try:
        if not services.index_is_current():
            services.build_index(here.counter("cli.indexing"))
        if not services.analysis_is_current():
            services.train_analysis(here.counter("cli.training"))
    finally:
        services.close()
    here.tell("cli.set_up", folder=str(here.paths.home))


def run(
    port: Annotated[int, typer.Option(help="The port to try first.", min=0, max=65535)] = 7861,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
) -> None:
    """Start the app on this machine's loopback address and open it in the browser."""
    from assistant.ui.serving import Served, running, serve

    here = surroundings()

    def announce(served: Served) -> None:
        if served.already:
            typer.echo(say(here.language, "cli.already_running", url=served.url))
        else:
            typer.echo(say(here.language, "cli.running", url=served.url))

    there = running(here.paths)
    if there is not None:
        announce(there)
        if not no_browser:
            typer.launch(there.url)
        return
    services = composition.build(here.settings, here.paths)
    try:
        serve(services, port, open_browser=not no_browser, announce=announce)
    finally:
        services.close()
