"""The catalogue's default encoder itself: its vectors, what lies near what, and what it refuses to load."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

import numpy as np
import pytest

from assistant.app import identity
from assistant.commands.embedding import own_texts
from assistant.dialogue.exemplars import load_teaching
from assistant.errors import ModelError, WorkerError
from assistant.inference.catalogue import Catalogue, Entry
from assistant.inference.embeddings import Encoder, LocalEmbeddings
from assistant.inference.known import load_known
from assistant.inference.worker import Channel, Worker
from assistant.library.cards import Library
from assistant.paths import PROJECT_ROOT, Paths
from assistant.settings import DEFAULT_ENCODER

pytestmark = pytest.mark.encoder

TWINS = {
    "I keep putting off difficult conversations.": "Lykkään aina vaikeita keskusteluja.",
    "Our meetings are too long and nobody speaks up.": "Kokouksemme venyvät, eikä kukaan uskalla sanoa mitään.",
    "I would like feedback on how I lead.": "Haluaisin palautetta siitä, millainen esihenkilö olen.",
    "We agreed how often we meet and what stays between us.": "Sovimme tapaamisten tahdin ja luottamuksellisuudesta.",
    "I am not sure what I want from my career.": "En oikein tiedä, mitä toivon työuraltani.",
}
SMALL_FILE = 1 << 20
LOOSELY = 5e-3  # half-precision numbers, where the processor computes with them


def config(folder: Path, entry: Entry) -> dict[str, object]:
    return {"path": str(folder), "threads": 2, "prompts": entry.prompts}


@pytest.fixture(scope="module")
def entry() -> Entry:
    return Catalogue.load(PROJECT_ROOT / "models" / "models.toml").entry(DEFAULT_ENCODER)


@pytest.fixture(scope="module")
def encoder(real_models: Path, entry: Entry) -> Iterator[Encoder]:
    made = Encoder(Worker("assistant.inference.encoder", config(entry.path(real_models), entry)), name=entry.id)
    yield made
    made.close()


@pytest.fixture
def planted(real_models: Path, entry: Entry, tmp_path: Path) -> Path:
    """A folder like the encoder's own, to plant something in."""
    source, folder = entry.folder(real_models), tmp_path / "encoder"
    for path in source.rglob("*"):
        target = folder / path.relative_to(source)
        if path.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.stat().st_size < SMALL_FILE:
            target.write_bytes(path.read_bytes())
        else:
            target.symlink_to(path.resolve())
    return folder


def test_a_row_for_every_text_of_length_one(encoder: Encoder, entry: Entry) -> None:
    texts = [*TWINS, "", "🦊"]
    rows = encoder.encode(texts, "document")
    assert rows.dtype == np.float32
    assert rows.shape == (len(texts), entry.dimension)
    assert encoder.dimension == entry.dimension
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=LOOSELY)


def test_a_finnish_paraphrase_lies_nearest_to_its_english_twin(encoder: Encoder) -> None:
    english = encoder.encode(list(TWINS), "document")
    finnish = encoder.encode(list(TWINS.values()), "query")
    assert (finnish @ english.T).argmax(axis=1).tolist() == list(range(len(TWINS)))


def test_what_looks_and_what_is_found_are_encoded_differently(encoder: Encoder) -> None:
    embeddings = LocalEmbeddings(encoder)
    text = next(iter(TWINS))
    as_query, (as_document,) = np.array(embeddings.embed_query(text)), np.array(embeddings.embed_documents([text]))
    assert 0.3 < float(as_query @ as_document) < 0.999


def test_many_texts_keep_their_order_and_tell_how_far_they_are(encoder: Encoder) -> None:
    texts = [f"Question number {number}?" for number in range(40)]
    done: list[int] = []
    rows = encoder.encode(texts, "query", progress=done.append)
    assert done == sorted(done)
    assert (len(done) > 1, done[-1]) == (True, len(texts))
    alone = encoder.encode([texts[1], texts[-1]], "query")
    assert np.allclose(np.sum(rows[[1, -1]] * alone, axis=1), 1.0, atol=1e-2)


def test_a_prompt_nobody_knows_is_an_error_and_the_encoder_comes_back(encoder: Encoder) -> None:
    with pytest.raises(WorkerError) as caught:
        encoder.encode(["text"], "no such prompt")
    assert caught.value.key == "worker_failed"
    assert encoder.encode(["text"], "query").shape[0] == 1


@pytest.mark.parametrize("name", ["pytorch_model.bin", "1_Pooling/modeling.py", "weights.pt", "2_Dense/state.PKL"])
def test_a_folder_with_a_file_that_can_run_code_is_not_loaded(planted: Path, entry: Entry, name: str) -> None:
    from assistant.inference.encoder import serve  # not above: it loads torch, which the other groups do not need

    (planted / name).write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    _, theirs = multiprocessing.Pipe()
    with pytest.raises(ModelError) as caught:
        serve(Channel(theirs, RawValue("q", 0)), config(planted, entry))
    assert (caught.value.key, caught.value.params) == ("model_unsafe_file", {"name": Path(name).name})


def test_a_folder_without_weights_is_told_as_such(planted: Path, entry: Entry) -> None:
    (planted / "model.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        Worker("assistant.inference.encoder", config(planted, entry)).start()
    assert caught.value.key == "model_refused"


def test_the_vectors_that_ship_are_those_the_encoder_makes(encoder: Encoder, entry: Entry) -> None:
    paths = Paths(PROJECT_ROOT)
    shipped = load_known(paths.known_vectors(entry.id), identity(entry).sha256)
    assert shipped is not None
    texts = own_texts(Library.load(paths.knowledge), load_teaching(paths.knowledge))
    for prompt in {prompt for prompt, _ in texts}:
        sample = [text for asked, text in texts if asked == prompt][::97]
        near = (shipped.rows(prompt, sample) * encoder.encode(sample, prompt)).sum(axis=1)
        assert len(sample) > 40
        assert near.min() > 0.995
