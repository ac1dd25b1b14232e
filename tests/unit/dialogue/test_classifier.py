"""The sentence analysis learns from exemplars; its weights are kept, and not used when anything about them is off."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from fakes.dialogue import KNOWLEDGE, LetterEncoder

from assistant.dialogue.classifier import Matrix, Weights, features, load, train
from assistant.dialogue.exemplars import LABELS, Exemplar, Teaching, load_teaching
from assistant.domain import LANGUAGES, FlowId
from assistant.errors import LibraryError

SAYINGS = {
    "goal": {
        "what": "I want to learn to lead meetings",
        "why": "because it is important for our team",
        "evidence": "others will notice that I speak up",
        "by_when": "by the end of August",
        "first_step": "tomorrow I will book a room",
        "support": "my mentor could listen to me",
        "other": "nice weather outside",
    },
    "reflection": {
        "event": "we talked about the budget",
        "feeling": "I felt nervous and small",
        "insight": "I realised that silence helps",
        "next_step": "next time I will ask first",
        "other": "what is this for?",
    },
    "questions": {
        "open": "how did you learn to delegate?",
        "closed": "do you like your work?",
        "leading": "isn't it obvious that I should leave?",
        "other": "I have been here for a year",
    },
}


def small_teaching(folder: Path, *, changed: bool = False) -> Teaching:
    """A knowledge folder with a few sentences a label, all in English words, and no cues."""
    for flow, labels in SAYINGS.items():
        (folder / "exemplars" / flow).mkdir(parents=True, exist_ok=True)
        lines = [
            f"f{number}\t{label}\t{text}{' today' * number}\n" for label, text in labels.items() for number in range(3)
        ]
        for language in LANGUAGES:
            path = folder / "exemplars" / flow / f"{language}.tsv"
            path.write_text("# small\n\n" + "".join(lines) + ("x\tother\tmore\n" * changed), encoding="utf-8")
    (folder / "cues").mkdir(exist_ok=True)
    for language in LANGUAGES:
        (folder / "cues" / f"{language}.toml").write_text("[goal]\n[reflection]\n[questions]\n", encoding="utf-8")
    return load_teaching(folder)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Teaching:
    return small_teaching(tmp_path_factory.mktemp("knowledge"))


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory, taught: Teaching) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train(taught, LetterEncoder(), folder, lambda done, total: None)
    return folder


@pytest.fixture
def kept(tmp_path: Path, trained_once: Path) -> Path:
    """The folder with the weights that were trained, for one test to damage."""
    return shutil.copytree(trained_once, tmp_path / "analysis")


def rows(teaching: Teaching, flow: FlowId, texts: list[str]) -> Matrix:
    vectors = LetterEncoder().encode(texts, "Classification")
    return features(teaching, flow, [("en", text) for text in texts], vectors)


@pytest.mark.parametrize("flow", list(LABELS))
def test_what_was_learnt_is_recognised_in_other_words(taught: Teaching, kept: Path, flow: FlowId) -> None:
    weights = load(taught, "letters", kept)
    assert weights is not None
    labels, texts = zip(*SAYINGS[flow].items(), strict=True)
    probabilities = weights[flow].probabilities(rows(taught, flow, [f"{text} perhaps" for text in texts]))
    assert [LABELS[flow][best] for best in probabilities.argmax(axis=1)] == list(labels)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_weights_come_back_as_they_were_kept(tmp_path: Path, taught: Teaching) -> None:
    trained = train(taught, LetterEncoder(), tmp_path / "weights", lambda done, total: None)
    again = load(taught, "letters", tmp_path / "weights")
    assert again is not None
    for flow in LABELS:
        assert np.array_equal(trained[flow].coefficients, again[flow].coefficients)
        assert np.array_equal(trained[flow].intercepts, again[flow].intercepts)


def test_training_tells_how_far_it_is_and_ends_at_the_whole(tmp_path: Path, taught: Teaching) -> None:
    told: list[tuple[int, int]] = []
    train(taught, LetterEncoder(), tmp_path / "weights", lambda done, total: told.append((done, total)))
    sentences = sum(len(items) for items in taught.exemplars.values())
    assert told == sorted(told)
    assert told[-1] == (sentences, sentences)


def test_the_weights_folder_is_its_owners_alone(kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o700


def test_without_weights_there_are_none(tmp_path: Path, taught: Teaching) -> None:
    assert load(taught, "letters", tmp_path / "nowhere") is None


def test_weights_of_other_exemplars_are_stale(tmp_path: Path, kept: Path) -> None:
    assert load(small_teaching(tmp_path / "knowledge", changed=True), "letters", kept) is None


def test_weights_of_another_encoder_are_not_used(taught: Teaching, kept: Path) -> None:
    assert load(taught, "another-encoder", kept) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 1}', "null"])
def test_a_manifest_that_says_something_else_makes_the_weights_stale(
    taught: Teaching, kept: Path, content: str
) -> None:
    (kept / "manifest.json").write_text(content, encoding="utf-8")
    assert load(taught, "letters", kept) is None


def test_weights_that_were_cut_short_at_any_place_are_not_used(taught: Teaching, kept: Path) -> None:
    whole = (kept / "weights.npz").read_bytes()
    for length in [0, 1, 3, 30, len(whole) // 2, len(whole) - 1]:
        (kept / "weights.npz").write_bytes(whole[:length])
        assert load(taught, "letters", kept) is None, length
    (kept / "weights.npz").write_bytes(whole)
    assert load(taught, "letters", kept) is not None


def test_weights_in_which_a_byte_was_changed_are_not_used(taught: Teaching, kept: Path) -> None:
    whole = bytearray((kept / "weights.npz").read_bytes())
    whole[len(whole) // 3] ^= 0xFF
    (kept / "weights.npz").write_bytes(whole)
    assert load(taught, "letters", kept) is None


def test_weights_that_were_swapped_for_something_else_are_never_unpickled(taught: Teaching, kept: Path) -> None:
    np.savez(kept / "weights.npz", goal_coefficients=np.array([{"a": 1}], dtype=object))
    assert load(taught, "letters", kept) is None
    (kept / "weights.npz").write_bytes(b"cposix\nsystem\n")
    assert load(taught, "letters", kept) is None


def test_a_sentence_may_say_several_things() -> None:
    weights = Weights(np.eye(3, dtype=np.float32) * 8, np.full(3, -4, np.float32))
    probabilities = weights.probabilities(np.array([[1, 1, 0]], np.float32))
    assert (probabilities > 0.5).tolist() == [[True, True, False]]


def test_features_are_the_vector_the_cues_and_the_length() -> None:
    teaching = load_teaching(KNOWLEDGE)
    texts = ["koska se on tärkeää", "jotain"]
    vectors = LetterEncoder(8).encode(texts, "Classification")
    made = features(teaching, "goal", [("fi", text) for text in texts], vectors)
    assert made.shape == (2, 8 + len(LABELS["goal"]) + 1)
    assert np.array_equal(made[:, :8], vectors)
    cues = made[:, 8:-1] > 0
    assert [LABELS["goal"][place] for place in np.flatnonzero(cues[0])] == ["why"]
    assert not cues[1].any()
    assert made[:, -1].tolist() == pytest.approx([4 / 40, 1 / 40])


@pytest.mark.parametrize(
    "line", ["family\twhat", "family\tnothing\tA sentence.", "family what A sentence.", "f\twhat+nothing\tA sentence."]
)
def test_a_line_that_teaches_nothing_is_named(tmp_path: Path, line: str) -> None:
    small_teaching(tmp_path)
    path = tmp_path / "exemplars" / "goal" / "sv.tsv"
    path.write_text("f\twhat\tFine.\n" + line + "\n", encoding="utf-8")
    with pytest.raises(LibraryError, match=r"exemplar_unreadable \(file=goal/sv.tsv, line=2\)"):
        load_teaching(tmp_path)


@pytest.mark.parametrize("missing", ["exemplars/goal/fi.tsv", "cues/en.toml"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    small_teaching(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(LibraryError, match=Path(missing).name):
        load_teaching(tmp_path)


@pytest.mark.parametrize("flow", list(LABELS))
def test_the_project_teaches_every_label_in_every_language_with_at_least_eighty_sentences(flow: FlowId) -> None:
    exemplars: tuple[Exemplar, ...] = load_teaching(KNOWLEDGE).exemplars[flow]
    for language in LANGUAGES:
        texts = [item.text for item in exemplars if item.language == language]
        assert len(set(texts)) == len(texts)
        for label in LABELS[flow]:
            assert sum(label in item.labels for item in exemplars if item.language == language) >= 80, (language, label)
