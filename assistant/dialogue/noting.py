"""From what a turn says to what goes on the sheet: the actor's own sentences, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from assistant.dialogue.exemplars import LABELS
from assistant.dialogue.flows import Flow
from assistant.dialogue.guide import GuideState, Intent, Said
from assistant.domain import Entry, QuestionKind, Reading, Sentence, Sheet

_CLEARLY_OTHER = 0.85
_SHORT_ANSWER = 6
_WORD = re.compile(r"\w+")
_ORDINALS = tuple(
    frozenset(words.split())
    for words in (
        "first former 1 ensimmäinen ensimmäisen ensimmäiseen eka ekan ekaan första förra",
        "second latter 2 toinen toisen toiseen toka tokan jälkimmäinen andra senare",
        "third last 3 kolmas kolmannen kolmanteen viimeinen viimeisen tredje sista",
    )
)
_BOTH = frozenset({"both", "molemmat", "molempia", "molempiin", "kumpaankin", "båda", "bägge", "bådadera"})
_NEITHER = frozenset({"neither", "none", "kumpikaan", "kumpaakaan", "kumpaankaan", "ingendera", "ingetdera", "varken"})
_ASKED_AS_QUESTION = "support"  # the one thing people say as a question: "could my mentor read my draft?"
_KINDS: dict[str, QuestionKind] = {"open": "open", "closed": "closed", "leading": "leading"}


def note(
    flow: Flow, state: GuideState, reading: Reading, intent: Intent | None, sheet: Sheet, turn: int
) -> tuple[Said, Sheet]:
    """What the turn amounts to for the guide, and the sheet with the turn's sentences on it.

    `turn` is the turn's sequence number. A steering message notes nothing.
    """
    if intent is not None or not flow.elements or not reading.sentences:
        return Said(intent), sheet
    if flow.id == "questions":
        return _note_questions(state, reading, sheet, turn)
    alone = len(reading.sentences) == 1
    placed = [(sentence, _places(flow, state, sentence, alone=alone)) for sentence in reading.sentences]
    entries = tuple(Entry(label, sentence.text, turn) for sentence, labels in placed for label in labels)
    noted = tuple(sentence for sentence, labels in placed if labels)
    if noted:
        return Said(noted=noted), sheet.with_entries(entries)
    if any(_is_question(sentence) for sentence in reading.sentences):
        return Said("question"), sheet
    guess = next((sentence for sentence in reading.sentences if sentence.unsure), None)
    return Said(guess=guess), sheet


def _is_question(sentence: Sentence) -> bool:
    return sentence.text.endswith("?")


def _places(flow: Flow, state: GuideState, sentence: Sentence, *, alone: bool) -> tuple[str, ...]:
    """The elements a sentence goes under: its own sure labels, else what was asked for if it may answer that."""
    labels = tuple(label for label in sentence.labels if label != "other")
    if _is_question(sentence) and (sentence.unsure or _ASKED_AS_QUESTION not in labels):
        return ()
    if state.awaiting is not None and state.awaiting not in LABELS[flow.id] and labels:
        return (state.awaiting,)  # no label speaks for it, so its answers look like something else
    if labels and not sentence.unsure:
        return labels
    if state.awaiting is None:
        return ()
    if sentence.unsure and (alone or state.awaiting in labels):
        return (state.awaiting,)
    if alone and sentence.confidence < _CLEARLY_OTHER:
        return (state.awaiting,)
    return ()


def _note_questions(state: GuideState, reading: Reading, sheet: Sheet, turn: int) -> tuple[Said, Sheet]:
    entries, noted, weak = [], [], None
    for sentence in reading.sentences:
        kind = _KINDS.get(sentence.labels[0]) if sentence.labels and not sentence.unsure else None
        if kind is not None:
            entries.append(Entry("question", sentence.text, turn, kind, sentence.alternatives))
            noted.append(sentence)
            if kind != "open" and weak is None:
                weak = sentence
        elif sentence.unsure and _is_question(sentence):  # a question, but of which kind is not clear
            entries.append(Entry("question", sentence.text, turn))
            noted.append(replace(sentence, labels=()))
        elif not _is_question(sentence) and (state.awaiting == "theme" or not sheet.under("theme")):
            entries.append(Entry("theme", sentence.text, turn))
            noted.append(replace(sentence, labels=()))
    if not noted and any(_is_question(sentence) for sentence in reading.sentences):
        return Said("question"), sheet
    return Said(noted=tuple(noted), weak_question=weak), sheet.with_entries(tuple(entries))


def with_alternatives(reading: Reading, alternatives: dict[str, tuple[str, ...]]) -> Reading:
    """The reading of a questions turn, each closed or leading question with open ones to choose from."""
    return replace(
        reading,
        sentences=tuple(
            replace(sentence, alternatives=alternatives.get(sentence.labels[0], ()) if sentence.labels else ())
            for sentence in reading.sentences
        ),
    )


def answer_pending(names: dict[str, str], text: str) -> tuple[str, ...] | None:
    """Which of the offered labels the person chose: by name, by saying first or second, both, or neither (empty).

    `names` maps the labels, in the order they were offered, to what they were called. None where a message is longer
    than such an answer or says none of this.
    """
    words = _WORD.findall(text.casefold())
    if not 0 < len(words) <= _SHORT_ANSWER:
        return None
    shared = set.intersection(*(_words(name) for name in names.values()))
    telling = {label: _words(name) - shared for label, name in names.items()}
    whole = [label for label, own in telling.items() if own and all(_said(word, words) for word in own)]
    if len(whole) == 1:
        return (whole[0],)
    if _BOTH & set(words):
        return tuple(names)
    if _NEITHER & set(words):
        return ()
    for label, ordinals in zip(names, _ORDINALS, strict=False):
        if ordinals & set(words):
            return (label,)
    partly = [label for label, own in telling.items() if all(_said(word, own) for word in words)]
    return (partly[0],) if len(partly) == 1 else None


def choose_open(alternatives: tuple[str, ...], text: str) -> str | None:
    """Which of the offered open questions the person chose, by its place or by typing it; None if neither."""
    words = _WORD.findall(text.casefold())
    if len(words) <= _SHORT_ANSWER:
        for chosen, ordinals in zip(alternatives, _ORDINALS, strict=False):
            if ordinals & set(words):
                return chosen
    return next((chosen for chosen in alternatives if _WORD.findall(chosen.casefold()) == words), None)


def with_open(sheet: Sheet, weak: str, chosen: str) -> Sheet:
    """The sheet with a closed or leading question replaced by the open one the person chose."""
    return replace(
        sheet,
        entries=tuple(
            replace(entry, text=chosen, kind="open", alternatives=()) if entry.text == weak else entry
            for entry in sheet.entries
        ),
    )


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _said(word: str, words: Iterable[str]) -> bool:
    """Whether a word is one of these, if need be inflected (`tuki` as `tukeen`): two thirds of the shorter agree."""
    ends = ((said, max(3, min(len(word), len(said)) * 2 // 3)) for said in words)
    return any(word[:end] == said[:end] for said, end in ends)
