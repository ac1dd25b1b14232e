"""The values everyone shares: plain, frozen, and free of any library.

Nothing here reads a file or knows a widget. Text is always the text a person sees or typed; ids are short strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

Language = Literal["fi", "sv", "en"]
Role = Literal["actor", "mentor", "coordinator"]
Phase = Literal["before", "kick-off", "during", "midpoint", "closing", "after", "any"]
CardType = Literal["concept", "tool", "exercise", "qbank", "checklist", "template"]
Section = Literal["purpose", "when", "when_not", "steps", "questions", "example", "pitfalls"]
FlowId = Literal["goal", "questions", "reflection", "lookup"]
Voice = Literal["curated", "model", "boundary"]
QuestionKind = Literal["open", "closed", "leading"]
TurnState = Literal["complete", "streaming", "stopped", "interrupted", "fell_back"]
Speaker = Literal["actor", "peili"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
ROLES: tuple[Role, ...] = get_args(Role)
PHASES: tuple[Phase, ...] = get_args(Phase)
CARD_TYPES: tuple[CardType, ...] = get_args(CardType)
FLOWS: tuple[FlowId, ...] = get_args(FlowId)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a card; `minutes` is 0 where a step takes no time of its own."""

    text: str
    minutes: int


@dataclass(frozen=True, slots=True)
class CardQuestion:
    """A question of a card; `element` is the flow element it asks for, as `goal.why`, or None."""

    text: str
    element: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One library card in one language. `sections` holds purpose, when, when_not, example and pitfalls."""

    id: str
    language: Language
    title: str
    audience: tuple[Role, ...]
    phase: tuple[Phase, ...]
    type: CardType
    minutes: int
    summary: str
    aliases: tuple[str, ...]
    says: tuple[str, ...]
    steps: tuple[Step, ...]
    questions: tuple[CardQuestion, ...]
    related: tuple[str, ...]
    sources: tuple[str, ...]
    sections: Mapping[Section, str]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a card that can be shown and cited; `text` stands verbatim in the card."""

    card_id: str
    language: Language
    section: Section
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A card found for a query: its best passage and a score in 0..1 (higher is nearer)."""

    card_id: str
    language: Language
    title: str
    score: float
    passage: Passage


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What the library answers. `abstained` means nothing fits; `hits` then holds what came closest."""

    abstained: bool
    hits: tuple[Hit, ...]
    legs: tuple[Literal["dense", "lexical"], ...] = ("dense", "lexical")


@dataclass(frozen=True, slots=True)
class Citation:
    """A card that a reply rests on; `quote` stands verbatim in the card of that language."""

    card_id: str
    language: Language
    quote: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a sheet: the actor's own sentence (or one they accepted or wrote by hand) under an element.

    `turn` is the sequence number of the turn it came from, None if typed on the sheet. For the questions flow `kind`
    says what sort of question it is, `alternatives` holds open ones to choose from and `rank` is 1..3 in the top three.
    """

    element: str
    text: str
    turn: int | None = None
    kind: QuestionKind | None = None
    alternatives: tuple[str, ...] = ()
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the person keeps of a conversation, in the order it was said."""

    flow: FlowId
    entries: tuple[Entry, ...] = ()

    def under(self, element: str) -> tuple[Entry, ...]:
        """The entries of one element, oldest first."""
        return tuple(entry for entry in self.entries if entry.element == element)

    def filled(self) -> frozenset[str]:
        """The elements that hold at least one entry."""
        return frozenset(entry.element for entry in self.entries)

    def with_entries(self, entries: tuple[Entry, ...]) -> Sheet:
        """The same sheet with `entries` added at the end; an entry that already stands there is not repeated."""
        known = {(entry.element, entry.text) for entry in self.entries}
        new = tuple(entry for entry in entries if (entry.element, entry.text) not in known)
        return replace(self, entries=self.entries + new)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence the actor typed, at `start`..`end` of the turn's text, and what it says.

    `labels` are flow elements, empty if nothing was recognised; `confidence` is in 0..1. Below the analysis'
    threshold `unsure` is set and `labels` are only the best guesses.
    """

    text: str
    start: int
    end: int
    labels: tuple[str, ...] = ()
    confidence: float = 0.0
    unsure: bool = False
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the analysis made of one turn."""

    language: Language
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation as stored in the vault; `sequence` counts from 1 within the conversation."""

    sequence: int
    speaker: Speaker
    text: str
    language: Language
    state: TurnState = "complete"
    voice: Voice | None = None
    citations: tuple[Citation, ...] = ()
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation's head; `created` and `changed` are UTC seconds since the epoch, `revision` counts changes."""

    id: str
    flow: FlowId
    language: Language
    title: str
    created: float
    changed: float
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """What one reply cost: milliseconds since the turn was handed in, and token counts (0 without a model)."""

    first_text_ms: float = 0.0
    total_ms: float = 0.0
    prompt_tokens: int = 0
    prefilled_tokens: int = 0
    generated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished reply."""

    text: str
    language: Language
    voice: Voice
    state: TurnState = "complete"
    citations: tuple[Citation, ...] = ()
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True, slots=True)
class Sources:
    """Cards found for this turn, shown before the reply has a word."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A further piece of the reply, already checked, to be put behind what was shown before."""

    text: str
    voice: Voice


@dataclass(frozen=True, slots=True)
class SheetChanged:
    """The sheet after this turn's own words were put on it."""

    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Waiting:
    """The reply waits for the model: `place` people are before this one (0 when it is its turn)."""

    place: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence about the app itself (a model that stopped, say) by its wording key; no part of the reply."""

    key: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finished:
    """The reply is complete and stored."""

    reply: Reply


ReplyEvent = Sources | Text | SheetChanged | Waiting | Notice | Finished
