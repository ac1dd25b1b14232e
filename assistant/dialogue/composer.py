"""What Peili says: a curated reply that always stands ready, and the model's wording of it where that is allowed.

A curated reply is a lead (what was heard, noted, found) and at most one question, which stands word for word in a card.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from assistant.dialogue.flows import Element, Flow
from assistant.dialogue.guide import Move
from assistant.dialogue.phrases import Phrases
from assistant.domain import Card, Citation, Hit, Language, Passage, SearchResult, Sentence, Sheet
from assistant.library.cards import Library

_QUOTE_WORDS = 22
_PASSAGE_WORDS = 45
_OTHER_TITLES = 2


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a reply is to be composed. `count` is the number of replies before; it chooses among phrasings."""

    conversation: str
    flow: Flow
    language: Language
    sheet: Sheet
    count: int
    found: SearchResult | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A curated reply. `hits` are the cards it rests on, shown as sources; `passage` is what a model may adapt."""

    lead: str
    question: str = ""
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    passage: str = ""

    @property
    def text(self) -> str:
        """The whole reply."""
        return " ".join(part for part in (self.lead, self.question) if part)


class Composer:
    """Drafts every reply from the phrases and the cards."""

    def __init__(self, phrases: Mapping[Language, Phrases], library: Library) -> None:
        self._phrases = phrases
        self._library = library

    def draft(self, move: Move, situation: Situation) -> Draft:
        """The curated reply for a move."""
        phrases = self._phrases[situation.language]
        if move.kind == "look_up":
            return self._look_up(move, situation)
        if move.kind in {"show", "settle"}:
            return Draft(_closing(phrases, move, situation))
        if move.kind == "confirm" and move.sentence is not None:
            first, second = (phrases.element(f"{situation.flow.id}.{label}") for label in move.sentence.labels[:2])
            quote = _quoted(move.sentence)
            return Draft(phrases.say("confirm", situation.count, quote=quote, first=first, second=second))
        if move.kind == "offer_open" and move.sentence is not None:
            quote = _quoted(move.sentence)
            return Draft("", phrases.say(f"question_{move.sentence.labels[0]}", situation.count, quote=quote))
        element = move.element or situation.flow.elements[0]
        question, citations, hits = self._question(element, move.times_asked, situation)
        return Draft(self._lead(move, situation, element), question, citations, hits)

    def opening(self, situation: Situation) -> Draft:
        """Peili's first words in a conversation; none in a flow where everything is a question to the library."""
        if situation.flow.opening is None:
            return Draft("")
        question, citations, hits = self._question(situation.flow.element(situation.flow.opening), 0, situation)
        return Draft("", question, citations, hits)

    def _question(
        self, element: Element, times_asked: int, situation: Situation
    ) -> tuple[str, tuple[Citation, ...], tuple[Hit, ...]]:
        """A card's question for an element: another one each time, and the same again for the same conversation."""
        cards = situation.flow.cards
        known = [
            (card, question.text)
            for card, question in self._library.questions_for(element.asks, situation.language)
            if card.id in cards
        ]
        known.sort(key=lambda pair: cards.index(pair[0].id))
        first = zlib.crc32(f"{situation.conversation}{element.label}".encode()) % len(known)
        card, text = known[(first + times_asked) % len(known)]
        citation = Citation(card.id, situation.language, text)
        if times_asked and len(known) == 1:
            text = self._phrases[situation.language].say("question_more", times_asked - 1)
        return text, (citation,), (_question_hit(card, citation.quote),)

    def _lead(self, move: Move, situation: Situation, element: Element) -> str:
        phrases, count = self._phrases[situation.language], situation.count
        if move.kind == "explain":
            return phrases.say("explain", count, meaning=phrases.meaning(f"{situation.flow.id}.{element.label}"))
        if move.intent == "courtesy":
            return phrases.say("courtesy", count)
        if move.intent in {"skip", "unsure", "back"}:
            return phrases.say("skip" if move.intent == "unsure" and move.kind == "ask" else move.intent, count)
        if situation.flow.id == "questions" and any(sentence.labels[:1] == ("open",) for sentence in move.noted):
            return phrases.say("question_open", count)
        return _mirror(phrases, move.noted, count)

    def _look_up(self, move: Move, situation: Situation) -> Draft:
        phrases, found = self._phrases[situation.language], situation.found
        titles = ", ".join(f"”{hit.title}”" if situation.language != "en" else f"“{hit.title}”" for hit in _near(found))
        question, _, _ = self._question(move.element, move.times_asked, situation) if move.element else ("", (), ())
        if found is None or not found.hits:
            return Draft(phrases.say("nothing_at_all"), question)
        if found.abstained:
            lead = phrases.say("nothing", titles=titles)
            return Draft(lead, _unless_asked(question, lead), hits=found.hits)
        best = found.hits[0]
        card = self._library.nearest_card(best.card_id, best.language)
        passage = _shortened(best.passage.text)
        lead = phrases.say("found", situation.count, title=best.title, passage=passage)
        question = _unless_asked(question, lead)
        if question:
            lead += " " + phrases.say("return")
        elif best.passage.section != "steps" and card.steps:
            lead += " " + phrases.say("found_step", situation.count, step=card.steps[0].text)
        citation = Citation(best.card_id, best.language, best.passage.text)
        return Draft(lead, question, (citation,), found.hits, " ".join([best.passage.text, *_steps(card)]))


def _closing(phrases: Phrases, move: Move, situation: Situation) -> str:
    if move.kind == "settle":
        return phrases.say("settle" if move.noted else "settle_nothing", situation.count)
    if situation.flow.id == "questions" and situation.sheet.under("question"):
        return phrases.say("show_questions", situation.count)
    whole = all(situation.sheet.under(item.label) for item in situation.flow.elements if not item.optional)
    return phrases.say("show" if whole else "show_open", situation.count)


def _mirror(phrases: Phrases, noted: tuple[Sentence, ...], count: int) -> str:
    """The actor's own words back: a quotation in a frame, so that nothing of them is inflected or changed."""
    quotable = [sentence for sentence in noted if "?" not in sentence.text]
    if not quotable:
        return phrases.say("heard", count)
    quote = _quoted(quotable[0])
    if len(noted) > 1:
        return phrases.say("mirror_many", count, number=str(len(noted)), quote=quote)
    return phrases.say("mirror", count, quote=quote)


def _quoted(sentence: Sentence) -> str:
    """A sentence for a quotation frame: whole, or its first words and an ellipsis."""
    words = sentence.text.strip().split()
    if len(words) > _QUOTE_WORDS:
        return " ".join(words[:_QUOTE_WORDS]).rstrip(",;:.") + " …"
    return sentence.text.strip().rstrip(".!?… ")


def _shortened(text: str) -> str:
    """A passage cut at the end of a sentence where it is too long for a reply."""
    words = " ".join(text.replace("\n- ", " ").lstrip("- ").split()).split(" ")
    if len(words) <= _PASSAGE_WORDS:
        return " ".join(words)
    cut = " ".join(words[:_PASSAGE_WORDS])
    end = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    return cut[: end + 1] if end > 0 else f"{cut} …"


def _unless_asked(question: str, lead: str) -> str:
    """The question to come back to; none where a card's own words ask one, for a reply asks once."""
    return "" if "?" in lead else question


def _near(found: SearchResult | None) -> tuple[Hit, ...]:
    return found.hits[:_OTHER_TITLES] if found is not None else ()


def _steps(card: Card) -> list[str]:
    return [step.text for step in card.steps[:2]]


def _question_hit(card: Card, question: str) -> Hit:
    return Hit(card.id, card.language, card.title, 1.0, Passage(card.id, card.language, "questions", question))
