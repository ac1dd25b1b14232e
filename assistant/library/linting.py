"""The rules of knowledge/README.md, checked on every card.

A finding names its rule; `library.lint.<rule>` in the catalogues says what the rule asks for. `detail` is what was
found, as it stands in the card.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assistant import wording
from assistant.domain import LANGUAGES, Card, Language
from assistant.errors import LibraryError
from assistant.library.cards import card_files, read_card, read_sources

WORDS_LEAST, WORDS_MOST, WORDS_MOST_QUESTION_BANK = 180, 400, 450
SUMMARY_MOST = 160
QUESTION_WORDS_MOST = 25
ALIASES = range(4, 11)
SAYS_LEAST = 12
STEPS = range(3, 7)

ELEMENTS = frozenset(
    {f"goal.{name}" for name in ("what", "why", "evidence", "by_when", "first_step", "support")}
    | {f"questions.{name}" for name in ("theme", "context", "tried", "stuck", "ask", "question")}
    | {f"reflection.{name}" for name in ("event", "feeling", "insight", "next_step", "deeper")}
)
"""The flow elements a question may be written for."""

_NOT_PLAIN = re.compile(
    r"""https?://|www\.|\]\(|\S+@\S+\.\w           # links and addresses
    |</?[a-zA-Z][^>]*>|&\w+;                       # HTML
    |^\s*\||^\#|^\s*[*+]\s|^\s*\d+[.)]\s           # tables, headings, lists that do not begin with a hyphen
    |\*\*|__|`|!\[                                 # emphasis, code, images
    """,
    re.VERBOSE | re.MULTILINE,
)
_PHONE_NUMBER = re.compile(r"(?<![\w:.,–-])(?:\+?\d(?:[\s-]?\d){6,}|\d{5,6}|112|116[\s-]?\d{3})(?![\w:–-])")
_WRONG_QUOTES: Mapping[Language, re.Pattern[str]] = {
    "fi": re.compile('["“„«»]'),
    "sv": re.compile('["“„«»]'),
    "en": re.compile('["„«»]'),
}
_WRONG_TERMS: Mapping[Language, re.Pattern[str]] = {
    "fi": re.compile(r"\b(?:esimie|auktori|mentee)\w*", re.IGNORECASE),
    "sv": re.compile(r"\b(?:aktör|mentorering|mentee)\w*", re.IGNORECASE),
    "en": re.compile(r"\b(?:protégé|protege|adept)\w*", re.IGNORECASE),
}
_GREETING = re.compile(r"^(?:hei|moi|terve|hej|hejsan|hi|hello|dear|tack|kiitos|thanks)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a card does not keep."""

    card: str
    language: Language
    rule: str
    detail: str


def explain(finding: Finding, language: Language) -> str:
    """The finding in one sentence, in the reader's language."""
    return wording.say(language, f"library.lint.{finding.rule}", detail=finding.detail)


def lint(knowledge: Path) -> tuple[Finding, ...]:
    """Every finding in the cards under `knowledge`, sorted by card. Raises LibraryError if sources.toml is unusable."""
    cards: list[Card] = []
    findings: list[Finding] = []
    for file, language in card_files(knowledge):
        try:
            cards.append(read_card(knowledge, file, language))
        except LibraryError as error:
            findings.append(Finding(PurePosixPath(file).stem, language, "format", str(error)))
    sources = frozenset(read_sources(knowledge))
    ids = frozenset(card.id for card in cards)
    for card in cards:
        for rule, details in _RULES.items():
            findings += [Finding(card.id, card.language, rule, detail) for detail in details(card)]
        findings += [Finding(card.id, card.language, "source", key) for key in card.sources if key not in sources]
        unresolved = [other for other in card.related if other not in ids or other == card.id]
        findings += [Finding(card.id, card.language, "related", other) for other in unresolved]
    findings += _repeated_says(cards)
    findings += _unequal_languages(cards)
    return tuple(sorted(findings, key=lambda finding: (finding.card, finding.language, finding.rule, finding.detail)))


def words(card: Card) -> int:
    """The card's length: words of its body, steps and questions; a hyphen or an arrow is none."""
    texts = [*card.sections.values(), *(step.text for step in card.steps), *(item.text for item in card.questions)]
    return sum(any(letter.isalnum() for letter in word) for text in texts for word in text.split())


def _shown(card: Card) -> list[str]:
    """What a reader sees of a card; aliases and `says` are other people's words and keep their own terms."""
    steps = [step.text for step in card.steps]
    return [card.title, card.summary, *card.sections.values(), *steps, *(question.text for question in card.questions)]


def _length(card: Card) -> Iterator[str]:
    most = WORDS_MOST_QUESTION_BANK if card.type == "qbank" else WORDS_MOST
    if not WORDS_LEAST <= words(card) <= most:
        yield str(words(card))


def _summary(card: Card) -> Iterator[str]:
    if len(card.summary) > SUMMARY_MOST:
        yield str(len(card.summary))


def _aliases(card: Card) -> Iterator[str]:
    if len(card.aliases) not in ALIASES:
        yield str(len(card.aliases))


def _says(card: Card) -> Iterator[str]:
    if len(card.says) < SAYS_LEAST:
        yield str(len(card.says))


def _steps(card: Card) -> Iterator[str]:
    if len(card.steps) not in STEPS:
        yield str(len(card.steps))


def _minutes(card: Card) -> Iterator[str]:
    total = sum(step.minutes for step in card.steps)
    if total != card.minutes:
        yield f"{total} ≠ {card.minutes}"


def _element(card: Card) -> Iterator[str]:
    for question in card.questions:
        if question.element is not None and question.element not in ELEMENTS:
            yield question.element


def _flow_question(card: Card) -> Iterator[str]:
    for question in card.questions:
        if question.element is None:
            continue
        too_long = len(question.text.split()) > QUESTION_WORDS_MOST
        if (
            too_long
            or not question.text.endswith("?")
            or question.text.count("?") > 1
            or _GREETING.match(question.text)
        ):
            yield question.text


def _found_by(pattern: re.Pattern[str], card: Card) -> Iterator[str]:
    for text in _shown(card):
        yield from (found.group().strip() for found in pattern.finditer(text))


def _plain(card: Card) -> Iterator[str]:
    return _found_by(_NOT_PLAIN, card)


def _phone(card: Card) -> Iterator[str]:
    return _found_by(_PHONE_NUMBER, card)


def _term(card: Card) -> Iterator[str]:
    return _found_by(_WRONG_TERMS[card.language], card)


def _quotes(card: Card) -> Iterator[str]:
    yield from _found_by(_WRONG_QUOTES[card.language], card)
    for text in _shown(card):
        opened, closed = text.count("“"), text.count("”")
        if (card.language == "en" and opened != closed) or (card.language != "en" and closed % 2):
            yield text


_RULES: Mapping[str, Callable[[Card], Iterator[str]]] = {
    "length": _length,
    "summary": _summary,
    "aliases": _aliases,
    "says": _says,
    "steps": _steps,
    "minutes": _minutes,
    "element": _element,
    "flow_question": _flow_question,
    "plain": _plain,
    "phone": _phone,
    "term": _term,
    "quotes": _quotes,
}


def _repeated_says(cards: list[Card]) -> Iterator[Finding]:
    for language in LANGUAGES:
        own = [card for card in cards if card.language == language]
        count = Counter(_plainly(said) for card in own for said in card.says)
        for card in own:
            for said in card.says:
                if count[_plainly(said)] > 1:
                    yield Finding(card.id, language, "says_repeated", said)


def _plainly(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


_EQUAL: Mapping[str, Callable[[Card], object]] = {
    "audience": lambda card: card.audience,
    "phase": lambda card: card.phase,
    "type": lambda card: card.type,
    "minutes": lambda card: card.minutes,
    "related": lambda card: frozenset(card.related),
    "sources": lambda card: frozenset(card.sources),
    "steps": lambda card: [step.minutes for step in card.steps],
    "questions": lambda card: [question.element for question in card.questions],
}


def _unequal_languages(cards: list[Card]) -> Iterator[Finding]:
    """A card must exist in every language with the same structure; the first language there is sets the measure."""
    known = {(card.id, card.language): card for card in cards}
    for card_id in sorted({card.id for card in cards}):
        first = next(known[card_id, language] for language in LANGUAGES if (card_id, language) in known)
        for language in LANGUAGES:
            card = known.get((card_id, language))
            if card is None:
                yield Finding(card_id, language, "missing", card_id)
                continue
            for name, value in _EQUAL.items():
                if value(card) != value(first):
                    yield Finding(card_id, language, "unequal", name)
