"""What the catalogue promises, and what is refused before anything is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tiny_models import CHAT_BYTES, ENCODER_FILES, chat_entry, encoder_entry

from assistant.errors import ModelError
from assistant.inference.catalogue import Catalogue, Entry, installed, languages_with_voice, required, verify
from assistant.inference.templates import template
from assistant.inference.weights import WeightFile
from assistant.paths import PROJECT_ROOT
from assistant.settings import DEFAULT_CHAT_MODEL, DEFAULT_ENCODER

SHIPPED = PROJECT_ROOT / "models" / "models.toml"
MINIMAL = """
schema = 1
[[model]]
id = "a"
name = "A"
role = "chat"
licence = "MIT"
min_ram_gib = 1.0
est_process_gib = 1.0
ctx_default = 100
chat_template = "chatml"
[[model.files]]
name = "a.gguf"
size = 4
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
"""


def put_encoder(models: Path) -> Path:
    folder = models / "tiny-encoder"
    for name, content in ENCODER_FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def catalogue_of(folder: Path, text: str) -> Catalogue:
    path = folder / "models.toml"
    path.write_text(text, encoding="utf-8")
    return Catalogue.load(path)


def test_the_shipped_catalogue_holds_the_default_models() -> None:
    catalogue = Catalogue.load(SHIPPED)
    assert catalogue.entry(DEFAULT_CHAT_MODEL).role == "chat"
    assert catalogue.entry(DEFAULT_ENCODER).role == "encoder"


def test_every_shipped_chat_model_has_a_template_that_peili_knows() -> None:
    for entry in Catalogue.load(SHIPPED).entries:
        if entry.role == "chat":
            assert template(entry.chat_template).reply_close


def test_the_pieces_of_a_shipped_model_make_up_its_file() -> None:
    for entry in Catalogue.load(SHIPPED).entries:
        if entry.parts is not None and entry.parts.join == "file":
            assert sum(piece.size for piece in entry.parts.pieces) == entry.size


def test_a_model_with_a_free_licence_has_no_terms_and_gemma_3_has_them() -> None:
    terms = {entry.id: entry.terms for entry in Catalogue.load(SHIPPED).entries}
    assert terms["embeddinggemma-300m"] == terms["gemma-3-12b-q4km"] == "gemma"
    assert terms["gemma-4-e4b-qat-udq4kxl"] == ""


def test_a_model_speaks_only_the_languages_it_is_usable_in() -> None:
    catalogue = Catalogue.load(SHIPPED)
    assert languages_with_voice(catalogue.entry(DEFAULT_CHAT_MODEL)) == {"en"}
    assert languages_with_voice(catalogue.entry("gemma-4-e4b-qat-udq4kxl")) == {"fi", "sv", "en"}
    assert languages_with_voice(catalogue.entry(DEFAULT_ENCODER)) == frozenset()


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(ModelError) as caught:
        Catalogue.load(SHIPPED).entry("gpt-9")
    assert (caught.value.key, caught.value.params) == ("model_unknown", {"model": "gpt-9"})


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (MINIMAL.replace("a.gguf", "pytorch_model.bin"), "pickle"),
        (MINIMAL.replace("a.gguf", "../a.gguf"), "below"),
        (MINIMAL.replace("a.gguf", "/etc/a.gguf"), "below"),
        (MINIMAL.replace('id = "a"', 'id = "../a"'), "id"),
        (MINIMAL.replace('"MIT"', '"MIT"\ncolour = "red"'), "0.colour"),
        (MINIMAL.replace('"chat"\n', '"oracle"\n'), "0.role"),
        (MINIMAL.replace("size = 4", "size = 0"), "size"),
        (MINIMAL.replace("schema = 1", "schema = 2"), "schema"),
        (MINIMAL.replace("schema = 1", "schema = "), "Invalid"),
        (MINIMAL + MINIMAL.replace("\nschema = 1\n", ""), "twice"),
    ],
)
def test_a_catalogue_that_is_not_in_order_is_refused_with_the_place(tmp_path: Path, wrong: str, place: str) -> None:
    with pytest.raises(ModelError) as caught:
        catalogue_of(tmp_path, wrong)
    assert caught.value.key == "model_catalogue"
    assert place in str(caught.value.params["problem"])


def test_the_same_catalogue_in_order_is_read(tmp_path: Path) -> None:
    assert catalogue_of(tmp_path, MINIMAL).entry("a").files[0].name == "a.gguf"


def test_a_model_with_all_its_files_is_installed_and_its_folder_is_handed_to_the_loader(tmp_path: Path) -> None:
    folder = put_encoder(tmp_path)
    assert installed(tmp_path, encoder_entry())
    assert required(tmp_path, encoder_entry()) == folder


def test_a_chat_model_is_handed_over_as_its_file(tmp_path: Path) -> None:
    (tmp_path / "tiny-chat").mkdir()
    (tmp_path / "tiny-chat" / "tiny.gguf").write_bytes(CHAT_BYTES)
    assert required(tmp_path, chat_entry()) == tmp_path / "tiny-chat" / "tiny.gguf"


def test_a_missing_model_is_not_installed(tmp_path: Path) -> None:
    assert not installed(tmp_path, encoder_entry())
    with pytest.raises(ModelError, match="model_missing"):
        required(tmp_path, encoder_entry())


def test_a_flipped_byte_is_found_although_the_size_is_the_same(tmp_path: Path) -> None:
    path = put_encoder(tmp_path) / "model.safetensors"
    assert installed(tmp_path, encoder_entry())
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))
    with pytest.raises(ModelError, match="model_altered") as caught:
        required(tmp_path, encoder_entry())
    assert caught.value.params["name"] == "model.safetensors"


def test_an_unchanged_file_is_not_hashed_twice_but_verify_always_hashes(tmp_path: Path) -> None:
    path = put_encoder(tmp_path) / "model.safetensors"
    assert installed(tmp_path, encoder_entry())
    before = path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    os.utime(path, ns=(before, before))
    assert installed(tmp_path, encoder_entry())
    assert verify(tmp_path, encoder_entry())["model.safetensors"] == "altered"
    assert not installed(tmp_path, encoder_entry())


def test_a_damaged_stamp_only_costs_a_second_look(tmp_path: Path) -> None:
    folder = put_encoder(tmp_path)
    assert installed(tmp_path, encoder_entry())
    (folder / ".verified.json").write_text('{"model.safetensors": 3}', encoding="utf-8")
    assert installed(tmp_path, encoder_entry())


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "weights.PT", "deep/down.pkl", "modeling.py", "other.safetensors"]
)
def test_a_file_that_a_loader_could_take_is_refused_if_it_is_not_listed(tmp_path: Path, name: str) -> None:
    path = put_encoder(tmp_path) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="model_unlisted") as caught:
        required(tmp_path, encoder_entry())
    assert caught.value.params["name"] == name


def test_a_read_me_beside_the_weights_does_no_harm(tmp_path: Path) -> None:
    (put_encoder(tmp_path) / "README.md").write_text("hello", encoding="utf-8")
    assert installed(tmp_path, encoder_entry())


@pytest.mark.parametrize("name", ["a.bin", "a.ckpt", "A.PKL", "a.pt", "x/../../a.gguf", "C:a.gguf", "..\\a.gguf", ""])
def test_no_such_file_can_be_listed_at_all(name: str) -> None:
    with pytest.raises(ValueError, match=r"pickle|folder"):
        WeightFile(name, 1, "0" * 64)


def test_a_chat_model_without_a_template_cannot_be_listed() -> None:
    with pytest.raises(ValueError, match="chat template"):
        Entry("a", "A", "chat", "MIT", 1.0, 1.0, 100, (WeightFile("a.gguf", 1, "0" * 64),))
