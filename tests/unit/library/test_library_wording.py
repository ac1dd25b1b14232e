"""Every problem and every finding of the library has its sentence in each language."""

from __future__ import annotations

import re

import pytest

from assistant.domain import LANGUAGES, Language
from assistant.errors import LibraryError
from assistant.library.linting import Finding
from assistant.library.linting import explain as explain_finding
from assistant.paths import PROJECT_ROOT
from assistant.wording import explain

SOURCES = [path.read_text("utf-8") for path in sorted((PROJECT_ROOT / "assistant" / "library").glob("*.py"))]
RAISED = sorted({key for text in SOURCES for key in re.findall(r'LibraryError\(\s*"(\w+)"', text)})
RULES = sorted(
    {rule for text in SOURCES for rule in re.findall(r'Finding\([^"\n]*"(\w+)"|^    "(\w+)": _', text, re.M)}
)
PARAMS = ("card", "detail", "expected", "field", "file", "folder", "found", "heading", "lang", "line")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", RAISED)
def test_a_person_reads_what_happened_and_what_to_do(language: Language, key: str) -> None:
    text = explain(language, LibraryError(key, **dict.fromkeys(PARAMS, "7")))
    assert len(text.split()) > 8
    assert "{" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", [one or other for one, other in RULES])
def test_a_finding_is_explained(language: Language, rule: str) -> None:
    text = explain_finding(Finding("ACT-10", "fi", rule, "xyz"), language)
    assert "xyz" in text
    assert len(text.split()) > 3


def test_all_problems_and_rules_were_looked_at() -> None:
    assert len(RAISED) >= 17
    assert len(RULES) >= 18
