"""What of a card is searched: each piece of text that gets a vector of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from assistant.domain import LANGUAGES, Language
from assistant.library.cards import Library
from assistant.library.passages import passages

EntryKind = Literal["says", "name", "passage", "question"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One searched text of a card. `section` is empty for what people say and for names.

    `number` counts the card's passages (`passages.passages`) for a passage or question, else the entries of the kind.
    """

    text: str
    card_id: str
    language: Language
    kind: EntryKind
    section: str
    number: int

    @property
    def id(self) -> str:
        """The same for the same place in the library, whatever the text."""
        return f"{self.language}/{self.card_id}/{self.kind}/{self.number}"


def entries(library: Library) -> Iterator[Entry]:
    """Everything that is searched, in the order of languages and ids.

    The title and each alias stand alone: joined into one text, the nearest vector found 55 of the development set's
    first 66 questions at first place, where single ones found 58.
    """
    for language in LANGUAGES:
        for card in library.cards(language):
            for number, said in enumerate(card.says):
                yield Entry(said, card.id, language, "says", "", number)
            for number, name in enumerate((card.title, *card.aliases)):
                yield Entry(name, card.id, language, "name", "", number)
            for number, passage in enumerate(passages(card)):
                kind: EntryKind = "question" if passage.section == "questions" else "passage"
                yield Entry(passage.text, card.id, language, kind, passage.section, number)
