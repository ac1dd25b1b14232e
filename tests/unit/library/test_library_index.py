"""The index is built beside, checked, swapped in whole, and never trusted where it does not fit."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from small_library import DIMENSION, ENCODER, NGramEncoder, change, index_in, knowledge_in

from assistant.domain import LANGUAGES
from assistant.errors import LibraryError
from assistant.library.cards import Library
from assistant.library.entries import entries
from assistant.library.index import LibraryIndex
from assistant.library.manifest import Encoder
from assistant.library.passages import passages
from assistant.paths import PROJECT_ROOT
from assistant.wording import explain


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    return knowledge_in(tmp_path / "knowledge")


@pytest.fixture
def home(tmp_path: Path, knowledge: Path) -> Path:
    """A home with a built index of the small library."""
    index_in(tmp_path / "home", knowledge).build(NGramEncoder())
    return tmp_path / "home"


def index_folder(home: Path) -> Path:
    (folder,) = (home / "library").glob("index-*")
    return folder


def manifest(home: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((home / "library" / "manifest.json").read_text(encoding="utf-8"))
    return read


def put_manifest(home: Path, **changes: object) -> None:
    (home / "library" / "manifest.json").write_text(json.dumps({**manifest(home), **changes}), encoding="utf-8")


def why_not_open(home: Path, knowledge: Path, encoder: Encoder = ENCODER) -> str:
    """The key of the error with which the index is refused; it is then not called current either."""
    index = index_in(home, knowledge, encoder)
    with pytest.raises(LibraryError) as raised:
        index.open(NGramEncoder())
    assert all(len(explain(language, raised.value).split()) > 8 for language in LANGUAGES)
    return raised.value.key


def test_every_text_of_the_library_finds_itself(home: Path, knowledge: Path) -> None:
    opened = index_in(home, knowledge).open(NGramEncoder())
    for entry in entries(Library.load(knowledge)):
        nearest = opened.nearest(opened.vector(entry.text), 1)[0]
        assert nearest.entry.text.casefold() == entry.text.casefold()
        assert nearest.similarity == pytest.approx(1, abs=1e-4)
    opened.close()


def test_the_nearest_come_first_and_the_passage_is_of_the_asked_card(home: Path, knowledge: Path) -> None:
    opened = index_in(home, knowledge).open(NGramEncoder())
    card = Library.load(knowledge).card("KIC-04", "sv")
    steps = next(passage for passage in passages(card) if passage.section == "steps")
    vector = opened.vector(steps.text)
    similarities = [neighbour.similarity for neighbour in opened.nearest(vector, 30)]
    assert len(similarities) == 30
    assert similarities == sorted(similarities, reverse=True)
    assert opened.best_passage(vector, card) == steps
    opened.close()


def test_it_is_current_only_from_build_on(tmp_path: Path, knowledge: Path) -> None:
    index = index_in(tmp_path, knowledge)
    assert not index.is_current()
    assert why_not_open(tmp_path, knowledge) == "index_missing"
    index.build(NGramEncoder())
    assert index.is_current()


def test_progress_is_told_up_to_the_last_text(tmp_path: Path, knowledge: Path) -> None:
    told: list[tuple[int, int]] = []
    index_in(tmp_path, knowledge).build(NGramEncoder(), lambda done, total: told.append((done, total)))
    total = len(list(entries(Library.load(knowledge))))
    assert told == sorted(told)
    assert told[-1] == (total, total)


def test_a_changed_card_asks_for_a_new_index(home: Path, knowledge: Path) -> None:
    change(knowledge / "fi" / "ACT-10.md", "aamu", "yö")
    assert not index_in(home, knowledge).is_current()
    assert why_not_open(home, knowledge) == "index_outdated"


@pytest.mark.parametrize(
    "other",
    [{"id": "e5"}, {"sha256": "1" * 64}, {"dimension": 64}, {"query_prompt": "q"}, {"document_prompt": "d"}],
)
def test_another_encoder_asks_for_a_new_index(home: Path, knowledge: Path, other: dict[str, Any]) -> None:
    encoder = dataclasses.replace(ENCODER, **other)
    assert not index_in(home, knowledge, encoder).is_current()
    assert why_not_open(home, knowledge, encoder) == "index_outdated"


@pytest.mark.parametrize("changes", [{"schema": 0}, {"chroma": "0.4.0"}, {"texts": "cut otherwise"}])
def test_another_version_asks_for_a_new_index(home: Path, knowledge: Path, changes: dict[str, Any]) -> None:
    put_manifest(home, **changes)
    assert why_not_open(home, knowledge) == "index_outdated"


def test_a_rebuild_encodes_only_what_is_new_and_leaves_one_index(home: Path, knowledge: Path) -> None:
    before = index_folder(home)
    change(knowledge / "en" / "KIC-04.md", "shared ground rules 3", "who books the room")
    encoder = NGramEncoder()
    index_in(home, knowledge).build(encoder)
    assert encoder.read == ["who books the room"]
    assert index_folder(home) != before
    opened = index_in(home, knowledge).open(encoder)
    assert opened.nearest(opened.vector("who books the room"), 1)[0].entry.card_id == "KIC-04"
    opened.close()


def test_vectors_of_another_encoder_are_not_used_again(home: Path, knowledge: Path) -> None:
    encoder = NGramEncoder()
    index = index_in(home, knowledge, dataclasses.replace(ENCODER, sha256="1" * 64))
    index.build(encoder)
    assert len(encoder.read) == len(list(entries(Library.load(knowledge))))
    assert index.is_current()


def test_a_build_that_fails_leaves_the_index_in_place(home: Path, knowledge: Path) -> None:
    before = index_folder(home)
    other = dataclasses.replace(ENCODER, sha256="1" * 64)
    with pytest.raises(LibraryError) as raised:
        index_in(home, knowledge, other).build(NGramEncoder(fails_after=40))
    assert raised.value.key == "index_failed"
    assert index_folder(home) == before
    assert index_in(home, knowledge).is_current()


def test_what_a_killed_build_left_is_cleared_away(home: Path, knowledge: Path) -> None:
    left = home / "library" / "index-0123456789abcdef"
    left.mkdir()
    (left / "chroma.sqlite3").write_bytes(b"half")
    assert index_in(home, knowledge).is_current()
    index_in(home, knowledge).build(NGramEncoder())
    assert not left.exists()
    assert index_in(home, knowledge).is_current()


def test_vectors_of_the_wrong_length_are_refused(tmp_path: Path, knowledge: Path) -> None:
    with pytest.raises(LibraryError) as raised:
        index_in(tmp_path, knowledge).build(NGramEncoder(dimension=7))
    assert raised.value.key == "encoder_dimension"
    assert raised.value.params == {"expected": DIMENSION, "found": 7}
    assert not index_in(tmp_path, knowledge).is_current()


def test_only_one_process_builds_at_a_time(home: Path, knowledge: Path) -> None:
    other = sqlite3.connect(home / "library" / "build.lock", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LibraryError) as raised:
        index_in(home, knowledge).build(NGramEncoder())
    assert raised.value.key == "index_busy"
    other.close()
    index_in(home, knowledge).build(NGramEncoder())


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, knowledge: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(LibraryError) as raised:
        index_in(tmp_path / "home", knowledge).build(NGramEncoder())
    assert raised.value.key == "index_failed"


def truncate(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 3)


def scramble(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(range(256)) * 64)


def empty(database: Path) -> None:
    database.write_bytes(b"")


def another_database(database: Path) -> None:
    database.unlink()
    sqlite3.connect(database).close()
    with sqlite3.connect(database) as planted:
        planted.execute("CREATE TABLE collections (name TEXT)")


def poison(database: Path) -> None:
    with sqlite3.connect(database) as planted:
        planted.execute("UPDATE embedding_metadata SET string_value = 'call me' WHERE key = 'chroma:document'")


def forget_some(database: Path) -> None:
    with sqlite3.connect(database) as planted:
        planted.execute("DELETE FROM embeddings WHERE id % 2")


def name_code(database: Path) -> None:
    """What CVE-2026-45829 is about: a stored configuration that names an embedding function, and code to trust."""
    with sqlite3.connect(database) as planted:
        ((schema,),) = planted.execute("SELECT schema_str FROM collections").fetchall()
        function = json.dumps(
            {
                "type": "known",
                "name": "sentence_transformer",
                "config": {"model_name": "planted", "device": "cpu", "kwargs": {"trust_remote_code": True}},
            }
        )
        assert '{"type":"legacy"}' in schema
        planted.execute("UPDATE collections SET schema_str = ?", (schema.replace('{"type":"legacy"}', function),))


@pytest.mark.parametrize(
    "harm",
    [Path.unlink, truncate, scramble, empty, another_database, poison, forget_some, name_code],
    ids=lambda harm: harm.__name__,
)
def test_a_harmed_database_is_refused_and_mended_by_a_build(
    home: Path, knowledge: Path, harm: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "sentence_transformers", raising=False)  # another test may have needed it
    harm(index_folder(home) / "chroma.sqlite3")
    assert why_not_open(home, knowledge) in {"index_damaged", "index_failed"}
    assert "sentence_transformers" not in sys.modules
    index = index_in(home, knowledge)
    index.build(NGramEncoder())
    index.open(NGramEncoder()).close()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"folder": "x"}', "{}" + " " * 1_000_001],
)
def test_a_manifest_that_is_none_is_refused(home: Path, knowledge: Path, content: str) -> None:
    (home / "library" / "manifest.json").write_text(content, encoding="utf-8")
    assert why_not_open(home, knowledge) == "index_damaged"


@pytest.mark.parametrize(
    "changes",
    [
        {"folder": "../elsewhere"},
        {"folder": "index-0123456789abcdeg"},
        {"folder": "index-ffffffffffffffff"},
        {"folder": 7},
        {"files": ["chroma.sqlite3"]},
        {"files": {"a": 1}},
        {"cards": "all"},
        {"more": 1},
    ],
)
def test_a_planted_manifest_leads_nowhere_else(home: Path, knowledge: Path, changes: dict[str, Any]) -> None:
    shutil.copytree(index_folder(home), home / "elsewhere")
    put_manifest(home, **changes)
    assert why_not_open(home, knowledge) == "index_damaged"


def test_a_flipped_bit_in_the_vectors_is_noticed_before_they_are_loaded(tmp_path: Path) -> None:
    library = Library.load(PROJECT_ROOT / "knowledge")  # large enough for Chroma to write its vector files
    small = dataclasses.replace(ENCODER, dimension=16)
    index = LibraryIndex(tmp_path / "library", library, small)
    index.build(NGramEncoder(16))
    assert index.is_current()
    (vectors,) = tmp_path.rglob("data_level0.bin")
    with vectors.open("r+b") as file:
        file.seek(vectors.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    assert not index.is_current()
    with pytest.raises(LibraryError) as raised:
        index.open(NGramEncoder(16))
    assert raised.value.key == "index_damaged"


def test_nothing_is_sent_and_nothing_in_the_working_folder_is_obeyed(
    tmp_path: Path, knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*target: object) -> NoReturn:
        raise AssertionError(target)

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    (tmp_path / ".env").write_text("MIGRATIONS=validate\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    index = index_in(tmp_path / "home", knowledge)
    index.build(NGramEncoder())
    opened = index.open(NGramEncoder())
    assert opened.nearest(opened.vector("spelregler"), 3)
    opened.close()


def test_only_the_owner_may_look_into_it(home: Path) -> None:
    assert (home / "library").stat().st_mode & 0o777 == 0o700
    assert index_folder(home).stat().st_mode & 0o777 == 0o700
