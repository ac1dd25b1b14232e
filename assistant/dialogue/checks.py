"""What stands between a model's sentence and the person. A sentence that fails is never shown.

Each check gives the reason it failed for. Reasons are counted, texts are not kept.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.dialogue.language import LanguageGuesser
from assistant.dialogue.mirroring import ENOUGH, Mirror, read_mirror
from assistant.domain import LANGUAGES, Language
from assistant.errors import LibraryError

Reason = Literal[
    "empty",
    "language",
    "second_question",
    "too_long",
    "advice",
    "unsupported",
    "ungrounded",
    "unfaithful",
    "parroted",
    "repeated",
    "role",
    "markup",
    "quoted",
]

MAX_WORDS = 90
MAX_SENTENCE_WORDS = 40
_MARKUP = re.compile(r"https?:|www\.|<[a-z/!]|\]\(|[#*_`{}|\\]|\w+@\w+", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_QUOTED = re.compile(r"[“”„\"«»]([^“”„\"«»]+)[“”„\"«»]")
_ALWAYS_CAPITAL = re.compile(r"I(['’](m|ve|d|ll))?")
_SAME_QUESTION = 0.8  # share of trigrams in common (Jaccard)
_SURE_LANGUAGE_WORDS = 3
_GROUNDED = 0.6  # least share of the longer words that the sources hold, if need be inflected
_CONTENT_LETTERS, _STEM_LETTERS = 5, 4


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a sentence may rest on: `sources` is all text of the actor's and of the cited card, `own` all turns of the
    actor, `said` the newest of them, `asked` the earlier questions. `advice` is allowed only where the person asked for
    it (look-up); `questions` is how many may be asked. `reserved` are the words kept for the curated question, which
    follows where the model asks none.
    """

    language: Language
    sources: str
    asked: tuple[str, ...] = ()
    advice: bool = False
    questions: int = 1
    reserved: int = 0
    said: str = ""
    own: str = ""


@dataclass(frozen=True, slots=True)
class _Patterns:
    advice: tuple[re.Pattern[str], ...]
    roles: tuple[re.Pattern[str], ...]
    calendar: tuple[str, ...]
    common: frozenset[str]
    mirror: Mirror


class Checks:
    """The checks of all languages."""

    def __init__(self, patterns: Mapping[Language, _Patterns], guesser: LanguageGuesser) -> None:
        self._patterns = patterns
        self._guesser = guesser

    def reason(self, sentence: str, shown: str, allowance: Allowance) -> Reason | None:
        """Why `sentence` may not be put behind `shown`, or None if it may."""
        patterns = self._patterns[allowance.language]
        words = _WORD.findall(sentence)
        if not words:
            return "empty"
        room = MAX_WORDS - (0 if "?" in sentence else allowance.reserved)
        if len(words) > MAX_SENTENCE_WORDS or len(words) + len(_WORD.findall(shown)) > room:
            return "too_long"
        if _MARKUP.search(sentence):
            return "markup"
        if any(pattern.search(sentence) for pattern in patterns.roles):
            return "role"
        if sentence.count("?") + shown.count("?") > allowance.questions:
            return "second_question"
        if len(words) >= _SURE_LANGUAGE_WORDS and self._language_differs(sentence, allowance.language):
            return "language"
        says_back = not allowance.advice and "?" not in sentence
        kept = patterns.mirror.share(sentence, allowance.said) if says_back else 1.0
        own = says_back and kept == 1.0 and patterns.mirror.framed(sentence)  # "you say you should" advises nothing
        if not allowance.advice and not own and any(pattern.search(sentence) for pattern in patterns.advice):
            return "advice"
        content = [word for word in map(str.casefold, words) if word not in patterns.common]
        return (
            _unsupported(sentence, allowance, patterns.calendar)
            or _ungrounded(content, allowance.sources if allowance.advice or "?" in sentence else allowance.own)
            or ("unfaithful" if kept < ENOUGH else None)
            or _parroted(sentence, allowance.said)
            or _repeated(sentence, allowance.asked)
        )

    def _language_differs(self, sentence: str, language: Language) -> bool:
        return self._guesser.guess(sentence, language).language != language


def load_checks(prompts: Path, guesser: LanguageGuesser) -> Checks:
    """The checks with the patterns of `prompts/<lang>/checks.toml`; LibraryError if a file cannot be read."""
    return Checks({language: _load(prompts / language / "checks.toml") for language in LANGUAGES}, guesser)


def _load(path: Path) -> _Patterns:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise LibraryError("prompt_unreadable", file=f"{path.parent.name}/{path.name}") from error
    advice, roles = (tuple(re.compile(text, re.IGNORECASE) for text in raw[name]) for name in ("advice", "roles"))
    mirror = read_mirror(raw["mirror"]["swap"], raw["mirror"]["frames"], raw["mirror"]["empty"])
    return _Patterns(advice, roles, tuple(raw["calendar"]), frozenset(raw["common"].split()), mirror)


def _unsupported(sentence: str, allowance: Allowance, calendar: tuple[str, ...]) -> Reason | None:
    """A name, number, date or quotation that neither the actor nor the cited card contains."""
    sources = allowance.sources.casefold()
    known = set(_WORD.findall(sources))
    if not set(_NUMBER.findall(sentence)) <= set(_NUMBER.findall(sources)):
        return "unsupported"
    lower = sentence.casefold()
    if any(_stands_in(name, lower) and not _stands_in(name, sources) for name in calendar):
        return "unsupported"
    names = [word for word in _WORD.findall(sentence)[1:] if word[0].isupper() and not _ALWAYS_CAPITAL.fullmatch(word)]
    if any(not _known_name(name.casefold(), known) for name in names):
        return "unsupported"
    if any(quoted.strip(" .,!?").casefold() not in sources for quoted in _QUOTED.findall(sentence)):
        return "quoted"
    return None


def _stands_in(word: str, text: str) -> bool:
    return re.search(rf"\b{word}", text) is not None


def _known_name(name: str, known: set[str]) -> bool:
    """Whether a capitalised word is the person's, if need be inflected: they share all but a short ending."""
    return name in known or any(
        len(word) > 3 and name[: max(4, len(name) - 4)] == word[: max(4, len(name) - 4)] for word in known
    )


def _ungrounded(words: list[str], sources: str) -> Reason | None:
    """Most of what the sentence says has to come from the person or the card, not from the model."""
    content = [word for word in words if len(word) >= _CONTENT_LETTERS]
    known = {word[:_STEM_LETTERS] for word in _WORD.findall(sources.casefold())}
    held = sum(word[:_STEM_LETTERS] in known for word in content)
    return "ungrounded" if content and held / len(content) < _GROUNDED else None


def _parroted(sentence: str, said: str) -> Reason | None:
    """The person's own sentence as it stands belongs in quotation marks, not into Peili's mouth."""
    return "parroted" if said and _bare(sentence) in _bare(said) else None


def _bare(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _repeated(sentence: str, asked: tuple[str, ...]) -> Reason | None:
    if "?" not in sentence:
        return None
    mine = _trigrams(sentence)
    for question in asked:
        theirs = _trigrams(question)
        if len(mine & theirs) / max(len(mine | theirs), 1) >= _SAME_QUESTION:
            return "repeated"
    return None


def _trigrams(text: str) -> set[str]:
    bare = _bare(text)
    return {bare[index : index + 3] for index in range(len(bare) - 2)}
