"""The shipped cards keep every rule, in every language."""

from __future__ import annotations

import pytest

from assistant.domain import LANGUAGES, Language
from assistant.library.cards import Library
from assistant.library.linting import ELEMENTS, lint
from assistant.paths import PROJECT_ROOT

KNOWLEDGE = PROJECT_ROOT / "knowledge"


def test_no_card_breaks_a_rule() -> None:
    assert lint(KNOWLEDGE) == ()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("element", sorted(ELEMENTS))
def test_every_element_of_every_conversation_has_a_question_to_ask(element: str, language: Language) -> None:
    assert Library.load(KNOWLEDGE).questions_for(element, language)
