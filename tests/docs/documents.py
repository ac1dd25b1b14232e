"""The documents of the project, and what they refer to."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from assistant.paths import PROJECT_ROOT

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"(?ms)^```.*?^```$")
_MADE = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "dist", "build", ".peili"}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, without what is made on the spot."""
    found = []
    for folder, inside, names in os.walk(PROJECT_ROOT):
        inside[:] = [name for name in inside if name not in _MADE and not name.endswith(".egg-info")]
        found += [Path(folder) / name for name in names if not name.endswith(".pyc")]
    return tuple(sorted(found))


def text_of(path: Path) -> str | None:
    """The text of a file, None if it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def documents() -> tuple[Path, ...]:
    """Every Markdown file but the cards and prompts, which are content."""
    content = {"knowledge", "prompts"}
    found = [path for path in project_files() if path.suffix == ".md"]
    return tuple(
        path for path in found if path.name == "README.md" or not content & set(path.relative_to(PROJECT_ROOT).parts)
    )


def links(path: Path) -> list[str]:
    """Where the links and pictures of a document lead, outside of examples."""
    return _LINK.findall(_FENCE.sub("", path.read_text(encoding="utf-8")))


def anchors(path: Path) -> set[str]:
    """What one can link to in a document: its headings, as Markdown viewers name them."""
    headings = re.findall(r"(?m)^#+ (.+)$", _FENCE.sub("", path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
