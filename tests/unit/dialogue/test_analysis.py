"""What a message says, with trained weights and with cue words alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from fakes.dialogue import LetterEncoder, guesser, teaching

from assistant.dialogue.analysis import Analysis
from assistant.dialogue.classifier import Matrix, Weights
from assistant.dialogue.exemplars import LABELS
from assistant.domain import FlowId, Language
from assistant.errors import WorkerError

CUES_ALONE = Analysis(teaching(), guesser())


class StoppedEncoder(LetterEncoder):
    """An encoder whose process has died."""

    def encode(self, texts: Sequence[str], prompt: str, *, progress: Callable[[int], None] | None = None) -> Matrix:
        raise WorkerError("worker_stopped")


def always(flow: FlowId, **logits: float) -> dict[FlowId, Weights]:
    """Weights that give every sentence the same probabilities: those of these logits, very little for other labels."""
    count = len(LABELS[flow])
    coefficients = np.zeros((count, 256 + count + 1), np.float32)
    return {flow: Weights(coefficients, np.array([logits.get(label, -6.0) for label in LABELS[flow]], np.float32))}


def trained(flow: FlowId, **logits: float) -> Analysis:
    return Analysis(teaching(), guesser(), LetterEncoder(), always(flow, **logits))


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("fi", "Haluan oppia johtamaan kokouksia", "what"),
        ("fi", "koska tiimi odottaa sitä", "why"),
        ("fi", "kesään mennessä", "by_when"),
        ("sv", "Jag vill lära mig att leda möten", "what"),
        ("sv", "senast i juni", "by_when"),
        ("en", "I want to learn to run meetings", "what"),
        ("en", "My mentor could listen to me", "support"),
    ],
)
def test_without_an_encoder_cue_words_tell_what_a_sentence_says(language: Language, text: str, label: str) -> None:
    (sentence,) = CUES_ALONE.read(text, "goal", language).sentences
    assert label in sentence.labels
    assert not sentence.unsure


def test_without_a_cue_the_answer_is_taken_for_what_was_asked_but_not_for_sure() -> None:
    (sentence,) = CUES_ALONE.read("rohkeampi ääni", "goal", "fi", awaited="evidence").sentences
    assert (sentence.labels[0], sentence.unsure) == ("evidence", True)


def test_each_sentence_is_read_on_its_own_and_keeps_its_place() -> None:
    text = "Haluan oppia johtamaan. Kesään mennessä."
    reading = CUES_ALONE.read(text, "goal", "fi")
    assert [text[sentence.start : sentence.end] for sentence in reading.sentences] == [
        "Haluan oppia johtamaan.",
        "Kesään mennessä.",
    ]
    assert [sentence.labels[0] for sentence in reading.sentences] == ["what", "by_when"]


def test_a_sentence_that_says_two_things_has_both_labels_the_surer_first() -> None:
    (sentence,) = trained("goal", why=2.0, what=3.0).read("Jotain.", "goal", "fi").sentences
    assert sentence.labels == ("what", "why")
    assert sentence.confidence == pytest.approx(0.953, abs=0.001)


def test_a_question_has_one_kind_only() -> None:
    (sentence,) = trained("questions", open=2.0, closed=1.5).read("Miten?", "questions", "fi").sentences
    assert sentence.labels == ("open",)


def test_small_talk_is_nothing_else_beside() -> None:
    (sentence,) = trained("goal", other=3.0, what=2.0).read("Kaunis päivä.", "goal", "fi").sentences
    assert sentence.labels == ("other",)


def test_what_is_not_sure_is_told_with_the_two_best_guesses() -> None:
    (sentence,) = trained("goal", other=-0.5, support=-1.0, what=-2.0).read("Jotain.", "goal", "fi").sentences
    assert (sentence.labels, sentence.unsure) == (("support", "what"), True)


def test_an_answer_right_after_a_question_is_likelier_to_be_what_was_asked_for() -> None:
    analysis = trained("goal", why=-0.9, what=-0.8)
    (unasked,) = analysis.read("Jotain.", "goal", "fi").sentences
    (asked,) = analysis.read("Jotain.", "goal", "fi", awaited="why").sentences
    assert unasked.unsure
    assert (asked.labels[0], asked.unsure) == ("why", False)


def test_when_the_encoder_stops_the_cue_words_carry_on() -> None:
    analysis = Analysis(teaching(), guesser(), StoppedEncoder(), always("goal", other=5.0))
    text = "Haluan oppia johtamaan kokouksia"
    assert analysis.read(text, "goal", "fi") == CUES_ALONE.read(text, "goal", "fi")


@pytest.mark.parametrize("text", ["", "   ", "👍", "..."])
def test_what_holds_no_sentence_says_nothing(text: str) -> None:
    assert CUES_ALONE.read(text, "goal", "fi").sentences == ()


def test_in_look_up_sentences_have_no_labels() -> None:
    (sentence,) = CUES_ALONE.read("Miten sovimme pelisäännöt?", "lookup", "fi").sentences
    assert (sentence.labels, sentence.unsure) == ((), False)
