"""Every reply Peili can make without a model: short, at most one question, and quoting what stands in the cards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import get_args

import pytest
from fakes.dialogue import PROMPTS, library, search

from assistant.dialogue.composer import Composer, Draft, Situation
from assistant.dialogue.flows import Element, Flow, load_flows
from assistant.dialogue.guide import Intent, Move, MoveKind
from assistant.dialogue.phrases import load_phrases
from assistant.domain import LANGUAGES, Entry, FlowId, Hit, Language, SearchResult, Sentence, Sheet
from assistant.library.passages import card_text, passages

FLOWS = load_flows(PROMPTS / "flows")
PHRASES = dict(load_phrases(PROMPTS))
COMPOSER = Composer(PHRASES, library())
MOST_WORDS = 90
VARIANTS = range(6)  # as many as the longest list of phrases has
LONG = "Tämä on hyvin pitkä virke " + "jossa on aina vain lisää sanoja " * 12 + "ennen kuin se loppuu."
SAID = ("Haluan johtaa.", LONG, "Voisiko mentori auttaa minua?")
TALKS: tuple[FlowId, ...] = ("goal", "questions", "reflection")


def situation(flow: Flow, language: Language, count: int = 0, conversation: str = "c1") -> Situation:
    return Situation(conversation, flow, language, Sheet(flow.id), count)


def sentence(text: str, *labels: str) -> Sentence:
    return Sentence(text, 0, len(text), labels, 0.9)


def noted() -> Iterator[tuple[Sentence, ...]]:
    """What may have been put on the sheet just before."""
    yield ()
    yield from ((sentence(text, "what"),) for text in SAID)
    yield tuple(sentence(text, "open") for text in SAID)


def asking_moves(element: Element) -> Iterator[Move]:
    """Every move that asks for an element, asked up to six times before."""
    for times, own in product(range(7), noted()):
        yield Move("ask", element, times, noted=own)
    for times in range(7):
        for intent in ("skip", "unsure", "courtesy"):
            yield Move("ask", element, times, intent=intent)
        yield Move("again", element, times, intent="unsure")
        yield Move("again", element, times, intent="back")
        yield Move("explain", element, times)


def other_moves(flow: Flow) -> Iterator[Move]:
    """Every move that asks for nothing on the sheet."""
    intents: tuple[Intent | None, ...] = (None, "skip", "unsure", "courtesy", "show")
    for own, intent in product(noted(), intents):
        yield Move("show", noted=own, intent=intent)
        yield Move("settle", noted=own, intent=intent)
    if flow.id == "questions":
        yield from (
            Move("offer_open", sentence=sentence(text, kind)) for text in SAID for kind in ("closed", "leading")
        )
        return
    for first, second in product([label for label in flow.labels if label != "deeper"], repeat=2):
        if first != second:
            yield from (Move("confirm", sentence=sentence(text, first, second)) for text in SAID)


def drafts(flow: Flow, language: Language) -> Iterator[tuple[Move, Draft]]:
    """Every curated reply of a flow in a language, in every phrasing."""
    moves = [move for element in flow.elements for move in asking_moves(element)] + list(other_moves(flow))
    sheets = (Sheet(flow.id), Sheet(flow.id, tuple(Entry(label, "x") for label in flow.labels)))
    for move, count, sheet in product(moves, VARIANTS, sheets if flow.elements else sheets[:1]):
        if sheet.entries and move.kind not in {"show", "settle"}:
            continue
        yield move, COMPOSER.draft(move, Situation("c1", flow, language, sheet, count))


def assert_short_and_asking_once(draft: Draft) -> None:
    assert draft.text.strip()
    assert len(draft.text.split()) <= MOST_WORDS, draft.text
    assert draft.text.count("?") <= 1, draft.text
    assert "$" not in draft.text
    assert "  " not in draft.text
    assert ".." not in draft.text.replace("…", "")


def assert_quoted_from_its_cards(draft: Draft) -> None:
    for citation in draft.citations:
        assert citation.quote in card_text(library().card(citation.card_id, citation.language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("flow_id", TALKS)
def test_every_curated_reply_is_short_asks_once_and_cites_what_stands_in_a_card(
    flow_id: FlowId, language: Language
) -> None:
    met: set[MoveKind] = set()
    for move, draft in drafts(FLOWS[flow_id], language):
        assert_short_and_asking_once(draft)
        assert_quoted_from_its_cards(draft)
        met.add(move.kind)
    assert met == set(get_args(MoveKind)) - {"look_up", "offer_open" if flow_id != "questions" else "confirm"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("flow_id", TALKS)
def test_a_move_that_asks_ends_with_its_question_and_one_that_closes_asks_nothing(
    flow_id: FlowId, language: Language
) -> None:
    for move, draft in drafts(FLOWS[flow_id], language):
        asks = move.kind not in {"show", "settle"}
        assert draft.text.endswith("?") == asks or move.kind == "offer_open", draft.text
        assert (draft.text.count("?") == 1) == asks, draft.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("flow_id", TALKS)
def test_a_conversation_opens_with_a_question_from_a_card_and_nothing_else(flow_id: FlowId, language: Language) -> None:
    opening = COMPOSER.opening(situation(FLOWS[flow_id], language))
    assert opening.text == opening.citations[0].quote
    assert_short_and_asking_once(opening)
    assert_quoted_from_its_cards(opening)


def test_look_up_opens_with_nothing() -> None:
    assert COMPOSER.opening(situation(FLOWS["lookup"], "fi")).text == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("flow_id", TALKS)
def test_asking_again_asks_another_way_as_long_as_the_cards_have_one(flow_id: FlowId, language: Language) -> None:
    for element in FLOWS[flow_id].elements:
        known = len(
            [card for card, _ in library().questions_for(element.asks, language) if card.id in FLOWS[flow_id].cards]
        )
        asked = [
            COMPOSER.draft(Move("again", element, times), situation(FLOWS[flow_id], language)).question
            for times in range(max(known, 3))
        ]
        assert len(set(asked)) == max(known, 3 if known == 1 else known)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_conversation_keeps_its_question_and_others_begin_elsewhere(language: Language) -> None:
    why = FLOWS["goal"].element("why")

    def asked(conversation: str) -> str:
        move = Move("ask", why)
        return COMPOSER.draft(move, situation(FLOWS["goal"], language, conversation=conversation)).question

    assert asked("one") == asked("one")
    assert len({asked(f"conversation {number}") for number in range(20)}) > 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_persons_own_words_come_back_letter_by_letter(language: Language) -> None:
    words = "Haluan $oppia {johtamaan} 100 % \\ tiimiä"
    for count in VARIANTS:
        move = Move("ask", FLOWS["goal"].element("why"), noted=(sentence(words + ".", "what"),))
        assert words in COMPOSER.draft(move, situation(FLOWS["goal"], language, count)).lead


def test_a_long_sentence_comes_back_cut_with_a_mark() -> None:
    move = Move("ask", FLOWS["goal"].element("why"), noted=(sentence(LONG, "what"),))
    lead = COMPOSER.draft(move, situation(FLOWS["goal"], "fi")).lead
    assert "Tämä on hyvin pitkä virke" in lead
    assert " …" in lead


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_sheet_is_called_whole_and_one_with_gaps_is_not(language: Language) -> None:
    goal = FLOWS["goal"]
    whole = Sheet("goal", tuple(Entry(label, "x") for label in goal.labels if label != "support"))
    gaps = Sheet("goal", whole.entries[1:])
    shown = [COMPOSER.draft(Move("show"), Situation("c", goal, language, sheet, 0)).text for sheet in (whole, gaps)]
    assert shown == [PHRASES[language].say("show"), PHRASES[language].say("show_open")]


def found(language: Language, *, abstained: bool = False) -> Iterator[SearchResult]:
    """A result for each passage of each card that a search can give, with two other cards behind it."""
    cards = library().cards(language)
    rest = tuple(Hit(card.id, language, card.title, 0.3, passages(card)[0]) for card in cards[:2])
    for card in cards:
        for passage in passages(card):
            if passage.section != "questions":
                hit = Hit(card.id, language, card.title, 0.8, passage)
                yield SearchResult(abstained, (hit, *rest))


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_looked_up_the_reply_is_short_and_quotes_the_card(language: Language) -> None:
    look_up, goal = FLOWS["lookup"], FLOWS["goal"]
    element = max(goal.elements, key=lambda item: len(PHRASES[language].meaning(f"goal.{item.label}")))
    for result, count in product(found(language), range(3)):
        alone = COMPOSER.draft(Move("look_up"), Situation("c", look_up, language, Sheet("lookup"), count, result))
        amid = COMPOSER.draft(
            Move("look_up", element, intent="question"), Situation("c", goal, language, Sheet("goal"), count, result)
        )
        for draft in (alone, amid):
            assert_quoted_from_its_cards(draft)
            assert draft.citations[0].card_id == result.hits[0].card_id
            assert len(draft.text.split()) <= MOST_WORDS, draft.text
            assert "$" not in draft.text
        assert alone.question == ""
        asked = bool(amid.question)
        assert amid.text.endswith(amid.question)
        assert amid.text.count("?") == 1 if asked else "?" in amid.lead  # a card's own question stands for ours


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nothing_fits_the_reply_says_so_and_cites_nothing(language: Language) -> None:
    flow = FLOWS["lookup"]
    for result in [*list(found(language, abstained=True))[:5], SearchResult(True, ()), None]:
        draft = COMPOSER.draft(Move("look_up"), Situation("c", flow, language, Sheet("lookup"), 0, result))
        assert "?" not in re.sub("”[^”]*”|“[^”]*”", "", draft.text)  # but for a title that is a question
        assert len(draft.text.split()) <= MOST_WORDS
        assert (draft.citations, draft.passage) == ((), "")


def test_a_card_that_is_written_in_another_language_is_shown_in_that() -> None:
    hit = search().find("pelisäännöt mentorin kanssa", language="fi").hits[0]
    flow = FLOWS["lookup"]
    result = SearchResult(False, (hit,))
    draft = COMPOSER.draft(Move("look_up"), Situation("c", flow, "en", Sheet("lookup"), 0, result))
    assert hit.title in draft.text
    assert_quoted_from_its_cards(draft)
