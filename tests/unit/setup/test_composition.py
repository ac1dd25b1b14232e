"""What the app says of its parts before it has loaded any of them."""

from __future__ import annotations

from pathlib import Path

from assistant import app
from assistant.app import Services
from assistant.inference.embeddings import Encoder
from assistant.inference.worker import Worker
from assistant.paths import Paths
from assistant.settings import Settings


def states(services: Services) -> dict[str, str]:
    return {part.part: part.state for part in services.progress()}


def with_encoder(home: Path, module: str) -> Services:
    bare = app.build(Settings(), Paths(home))
    return Services(
        bare.paths,
        bare.settings,
        bare.catalogue,
        bare.library,
        bare.contacts,
        bare.teaching,
        encoder=Encoder(Worker(module, {}), name="harrier-270m"),
        chat=None,
        vaults=bare.vaults,
    )


def test_models_that_are_not_here_are_not_in_use(tmp_path: Path) -> None:
    services = app.build(Settings(), Paths(tmp_path))
    assert states(services) == {"encoder": "off", "index": "off", "chat": "off"}
    services.load()
    assert states(services) == {"encoder": "off", "index": "off", "chat": "off"}


def test_what_is_here_counts_as_starting_before_its_turn_comes(tmp_path: Path) -> None:
    services = with_encoder(tmp_path, "scripted_encoder")
    assert states(services) == {"encoder": "starting", "index": "starting", "chat": "off"}


def test_an_encoder_that_cannot_start_leaves_no_index_that_starts_for_ever(tmp_path: Path) -> None:
    services = with_encoder(tmp_path, "no_such_encoder")
    services.load()
    assert states(services) == {"encoder": "failed", "index": "off", "chat": "off"}
    services.close()
