"""The vectors of Peili's own texts, made once by those who write the cards and the exemplars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from assistant.app import Services, identity
from assistant.dialogue.classifier import PROMPT
from assistant.dialogue.exemplars import Teaching
from assistant.errors import LibraryError
from assistant.inference.known import save_known
from assistant.library.cards import Library
from assistant.library.entries import entries

_BATCH = 256


def own_texts(library: Library, teaching: Teaching) -> tuple[tuple[str, str], ...]:
    """Every text whose vector the app needs on a new machine, with the prompt it is encoded with; each pair once."""

    def pairs() -> Iterator[tuple[str, str]]:
        yield from (("document", entry.text) for entry in entries(library))
        yield from ((PROMPT, item.text) for items in teaching.exemplars.values() for item in items)

    return tuple(dict.fromkeys(pairs()))


def keep_vectors(services: Services, progress: Callable[[int, int], None]) -> Path:
    """Write them beside the cards; the file. Vectors that the file already holds are kept.

    Raises LibraryError without an encoder, else as `Encoder.encode`.
    """
    if services.encoder is None:
        raise LibraryError("index_needs_encoder")
    wanted = own_texts(services.library, services.teaching)
    rows, done = [], 0
    for prompt, pairs in groupby(wanted, key=lambda pair: pair[0]):
        texts = [text for _, text in pairs]
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            rows.append(services.encoder.encode(batch, prompt))
            done += len(batch)
            progress(done, len(wanted))
    entry = services.catalogue.entry(services.settings.encoder)
    path = services.paths.known_vectors(entry.id)
    save_known(path, identity(entry).sha256, wanted, np.vstack(rows))
    return path
