"""A model of one's own: taken in, recorded, used like the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import CHAT_BYTES

from assistant.errors import ModelError
from assistant.inference.adding import add, added_file
from assistant.inference.catalogue import Catalogue, installed, languages_with_voice, required
from assistant.paths import PROJECT_ROOT

SHIPPED = PROJECT_ROOT / "models" / "models.toml"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "My Model v2.gguf"
    path.write_bytes(CHAT_BYTES)
    return path


def test_an_added_model_is_there_at_the_next_start_with_the_voices_it_was_given(tmp_path: Path, own: Path) -> None:
    models = tmp_path / "m"
    add(own, models, Catalogue.load(SHIPPED), chat_template="mistral", voice=["sv", "en"])
    entry = Catalogue.load(SHIPPED, added=added_file(models)).entry("my-model-v2")
    assert installed(models, entry)
    assert required(models, entry).read_bytes() == CHAT_BYTES
    assert (entry.name, entry.chat_template, entry.added) == ("My Model v2", "mistral", True)
    assert languages_with_voice(entry) == {"sv", "en"}


def test_without_being_told_so_it_speaks_no_language(tmp_path: Path, own: Path) -> None:
    entry = add(own, tmp_path / "m", Catalogue.load(SHIPPED), chat_template="chatml")
    assert languages_with_voice(entry) == frozenset()


def test_a_name_with_quotes_and_letters_of_all_sorts_is_kept(tmp_path: Path, own: Path) -> None:
    name = 'Äly "3" \\ 🦊'
    add(own, tmp_path / "m", Catalogue.load(SHIPPED), chat_template="chatml", name=name)
    catalogue = Catalogue.load(SHIPPED, added=added_file(tmp_path / "m"))
    assert catalogue.entry("ly-3").name == name


def test_two_models_can_be_added_one_after_the_other(tmp_path: Path, own: Path) -> None:
    for name in ("first", "second"):
        catalogue = Catalogue.load(SHIPPED, added=added_file(tmp_path / "m"))
        add(own, tmp_path / "m", catalogue, chat_template="chatml", name=name)
    catalogue = Catalogue.load(SHIPPED, added=added_file(tmp_path / "m"))
    assert installed(tmp_path / "m", catalogue.entry("first"))
    assert installed(tmp_path / "m", catalogue.entry("second"))


def test_a_changed_file_of_ones_own_is_noticed_too(tmp_path: Path, own: Path) -> None:
    entry = add(own, tmp_path / "m", Catalogue.load(SHIPPED), chat_template="chatml")
    required(tmp_path / "m", entry).write_bytes(CHAT_BYTES + b"more")
    assert not installed(tmp_path / "m", entry)


@pytest.mark.parametrize(
    ("content", "name", "template", "key"),
    [
        (b"PK\x03\x04 a zip", "", "chatml", "model_not_gguf"),
        (b"", "", "chatml", "model_not_gguf"),
        (CHAT_BYTES, "Qwen3.5-2B-Q4KM", "chatml", "model_id_taken"),
        (CHAT_BYTES, "…", "chatml", "model_name"),
        (CHAT_BYTES, "two\nlines", "chatml", "model_name"),
        (CHAT_BYTES, "", "no-such-template", "template_unknown"),
    ],
)
def test_what_cannot_be_added_is_told_and_leaves_no_trace(
    tmp_path: Path, own: Path, content: bytes, name: str, template: str, key: str
) -> None:
    own.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        add(own, tmp_path / "m", Catalogue.load(SHIPPED), chat_template=template, name=name)
    assert caught.value.key == key
    assert not (tmp_path / "m").exists()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model_not_read"):
        add(tmp_path / "gone.gguf", tmp_path / "m", Catalogue.load(SHIPPED), chat_template="chatml")
