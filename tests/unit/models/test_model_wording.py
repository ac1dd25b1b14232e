"""Every problem with a model has its sentence in each language."""

from __future__ import annotations

import re

import pytest

from assistant.domain import LANGUAGES, Language
from assistant.errors import ModelError
from assistant.paths import PROJECT_ROOT
from assistant.wording import explain

SOURCES = [
    path
    for name in ("catalogue.py", "fetching.py", "adding.py", "sources/*.py")
    for path in (PROJECT_ROOT / "assistant" / "inference").glob(name)
]
RAISED = sorted({key for path in SOURCES for key in re.findall(r'ModelError\(\s*"(\w+)"', path.read_text("utf-8"))})
PARAMS = ("model", "name", "path", "problem", "folder", "status", "part", "needed_mb", "free_mb")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", [*RAISED, "model_altered", "model_unlisted"])
def test_a_person_reads_a_sentence_and_not_a_key(language: Language, key: str) -> None:
    text = explain(language, ModelError(key, **dict.fromkeys(PARAMS, "7")))
    assert len(text.split()) > 5
    assert "{" not in text
