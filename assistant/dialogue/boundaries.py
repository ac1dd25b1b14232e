"""What is answered with fixed, human-written words before anything else looks at the message.

The cues (boundary_cues.py) decide, without a model; the words stand in boundary_texts.py's files. Threats to life come
first, a message gets one answer, and the same words never stand twice running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.dialogue.boundary_cues import BOUNDARY_KINDS, BoundaryKind, Cues, load_cues
from assistant.dialogue.boundary_texts import FixedAnswer, load_answers
from assistant.domain import LANGUAGES, Citation, Language
from assistant.library.cards import Library
from assistant.library.contacts import Contacts


@dataclass(frozen=True, slots=True)
class BoundaryReply:
    """A fixed answer, and the card it rests on."""

    kind: BoundaryKind
    text: str
    citations: tuple[Citation, ...]


class Boundaries:
    """Looks at every message before the flow does. Holds nothing of any conversation."""

    def __init__(self, cues: Cues, answers: Mapping[Language, Mapping[BoundaryKind, FixedAnswer]]) -> None:
        self._cues = cues
        self._answers = answers

    def check(
        self, text: str, language: Language, *, recent: Sequence[str] = (), answering: bool = False
    ) -> BoundaryReply | None:
        """The fixed answer to `text` in `language`, or None if the flow may go on.

        The cues of all languages are tried, whatever `language` is. `recent` are the kinds that were answered in this
        conversation, oldest first; `answering` says that Peili's last message was such an answer, so that a bare "yes"
        is understood.
        """
        earlier = [kind for kind in BOUNDARY_KINDS if kind in recent]
        last = next((kind for kind in BOUNDARY_KINDS if answering and recent and kind == recent[-1]), None)
        found = self._cues.kinds(text, earlier, last)
        kind = next((kind for kind in BOUNDARY_KINDS if kind in found), None)
        if kind is None:
            return None
        answer = self._answers[language][kind]
        words = answer.texts[list(recent).count(kind) % len(answer.texts)]
        return BoundaryReply(kind, words, (answer.citation,))


def load_boundaries(knowledge: Path, prompts: Path, contacts: Contacts, library: Library, country: str) -> Boundaries:
    """The boundaries in every language, with the contacts of `country` (FI or SE).

    Raises LibraryError naming a file that cannot be used, a card that is missing, or a country without an emergency
    number.
    """
    answers = {language: load_answers(prompts, language, contacts, library, country) for language in LANGUAGES}
    return Boundaries(load_cues(knowledge), answers)
