"""Vectors that ship with Peili are used as they are; whatever else is asked for, the encoder makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.app import identity
from assistant.commands.embedding import own_texts
from assistant.dialogue.exemplars import load_teaching
from assistant.inference.catalogue import Catalogue
from assistant.inference.embeddings import Encoder
from assistant.inference.known import KnownVectors, Vectors, load_known, save_known
from assistant.inference.worker import Worker
from assistant.library.cards import Library
from assistant.paths import Paths
from assistant.settings import DEFAULT_ENCODER

WEIGHTS = "a" * 64
TEXTS = [("document", "Ask for one thing."), ("document", "Listen."), ("Classification", "Listen.")]


def drawn(rows: int, dimension: int = 768) -> Vectors:
    made = np.random.default_rng(1).normal(size=(rows, dimension)).astype(np.float32)
    unit: Vectors = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vectors" / "encoder.npz"
    save_known(path, WEIGHTS, TEXTS, drawn(3))
    return path


@pytest.fixture
def known(file: Path) -> KnownVectors:
    loaded = load_known(file, WEIGHTS)
    assert loaded is not None
    return loaded


def test_a_kept_vector_points_the_same_way_as_the_encoders(known: KnownVectors) -> None:
    wanted = drawn(3)
    found = np.vstack([known.rows(prompt, [text]) for prompt, text in TEXTS])
    assert (known.dimension, len(known)) == (768, 3)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert ((found * wanted).sum(axis=1) > 0.9999).all()


def test_a_text_is_known_for_the_prompt_it_was_encoded_with(known: KnownVectors) -> None:
    assert known.has("document", "Listen.")
    assert not known.has("query", "Listen.")
    assert not known.has("Classification", "Ask for one thing.")
    with pytest.raises(KeyError):
        known.rows("query", ["Listen."])


def test_keeping_kept_vectors_again_changes_nothing(file: Path, known: KnownVectors, tmp_path: Path) -> None:
    again = tmp_path / "again.npz"
    save_known(again, WEIGHTS, TEXTS, np.vstack([known.rows(prompt, [text]) for prompt, text in TEXTS]))
    with np.load(file) as first, np.load(again) as second:
        assert (first["codes"] == second["codes"]).all()
        assert (first["keys"] == second["keys"]).all()


def test_vectors_of_other_weights_or_a_harmed_file_count_for_nothing(file: Path, tmp_path: Path) -> None:
    assert load_known(file, "b" * 64) is None
    assert load_known(tmp_path / "none.npz", WEIGHTS) is None
    whole = file.read_bytes()
    for harmed in (b"", whole[:100], b"no archive" * 50):
        file.write_bytes(harmed)
        assert load_known(file, WEIGHTS) is None
    with file.open("wb") as target:
        np.savez(target, weights=np.array(WEIGHTS), keys=np.zeros((2, 12), np.uint8), codes=np.zeros((1, 4), np.int8))
    assert load_known(file, WEIGHTS) is None
    with file.open("wb") as target:
        np.savez(target, weights=np.array(WEIGHTS), keys=np.array([{}], dtype=object), codes=np.zeros((1, 4), np.int8))
    assert load_known(file, WEIGHTS) is None


@pytest.fixture
def encoder(tmp_path: Path) -> Iterator[Encoder]:
    """A scripted encoder of three numbers a row that knows one text already."""
    path = tmp_path / "encoder.npz"
    save_known(path, WEIGHTS, [("document", "known")], np.eye(3, dtype=np.float32)[:1])
    made = Encoder(Worker("scripted_encoder", {}), name="script", known=load_known(path, WEIGHTS))
    yield made
    made.close()


def test_what_is_known_starts_no_encoder(encoder: Encoder) -> None:
    told: list[int] = []
    rows = encoder.encode(["known", "known"], "document", progress=told.append)
    assert (rows == np.eye(3, dtype=np.float32)[[0, 0]]).all()
    assert encoder.state == "off"
    assert told == [2]


def test_known_and_new_texts_come_in_the_order_they_were_asked_for(encoder: Encoder) -> None:
    plain = Encoder(Worker("scripted_encoder", {}), name="script")
    told: list[int] = []
    try:
        rows = encoder.encode(["new", "known", "newer"], "document", progress=told.append)
        made = plain.encode(["new", "newer"], "document")
    finally:
        plain.close()
    assert (rows[1] == np.eye(3, dtype=np.float32)[0]).all()
    assert (rows[[0, 2]] == made).all()
    assert told == sorted(told)
    assert told[-1] == 3


def test_what_ships_holds_the_vector_of_every_text_a_new_machine_needs() -> None:
    paths = Paths(Path("/nowhere"))
    entry = Catalogue.load(paths.catalogue).entry(DEFAULT_ENCODER)
    shipped = load_known(paths.known_vectors(entry.id), identity(entry).sha256)
    assert shipped is not None
    texts = own_texts(Library.load(paths.knowledge), load_teaching(paths.knowledge))
    assert [text for prompt, text in texts if not shipped.has(prompt, text)] == [], "run: peili library embed"
    assert len(shipped) == len(texts)
