"""The sentences the analysis learns from, and the cue words: our own, in `knowledge/`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from assistant.domain import LANGUAGES, FlowId, Language
from assistant.errors import LibraryError
from assistant.library.cards import read_bytes, read_toml

LABELS: Mapping[FlowId, tuple[str, ...]] = {
    "goal": ("what", "why", "evidence", "by_when", "first_step", "support", "other"),
    "reflection": ("event", "feeling", "insight", "next_step", "other"),
    "questions": ("open", "closed", "leading", "other"),
}


class Exemplar(NamedTuple):
    """A labelled sentence. Sentences of one `family` say the same thing and stay on one side of any split."""

    family: str
    labels: frozenset[str]
    text: str
    language: Language


@dataclass(frozen=True, slots=True)
class Teaching:
    """All exemplars by flow, the cues by language, flow and label, and a digest over both."""

    exemplars: Mapping[FlowId, tuple[Exemplar, ...]]
    cues: Mapping[Language, Mapping[str, Mapping[str, tuple[re.Pattern[str], ...]]]]
    digest: str

    def sentences(self, language: Language) -> tuple[str, ...]:
        """Every exemplar sentence of one language."""
        return tuple(item.text for items in self.exemplars.values() for item in items if item.language == language)

    def cue_hits(self, flow: FlowId, language: Language, text: str) -> tuple[bool, ...]:
        """For each label of the flow, whether one of its cues stands in `text`."""
        patterns = self.cues[language][flow]
        return tuple(any(cue.search(text) for cue in patterns.get(label, ())) for label in LABELS[flow])


def load_teaching(knowledge: Path) -> Teaching:
    """Read exemplars and cues; LibraryError names the file, or the line, that cannot be used."""
    digest = hashlib.sha256()
    exemplars: dict[FlowId, tuple[Exemplar, ...]] = {}
    for flow in LABELS:
        rows: list[Exemplar] = []
        for language in LANGUAGES:
            path = knowledge / "exemplars" / flow / f"{language}.tsv"
            digest.update(read_bytes(path, f"{flow}/{path.name}"))
            rows += _exemplars(path, flow, language)
        exemplars[flow] = tuple(rows)
    cues = {}
    for language in LANGUAGES:
        path = knowledge / "cues" / f"{language}.toml"
        digest.update(read_bytes(path, path.name))
        cues[language] = {flow: _patterns(labels) for flow, labels in read_toml(path).items()}
    return Teaching(exemplars, cues, digest.hexdigest())


def _exemplars(path: Path, flow: FlowId, language: Language) -> list[Exemplar]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split("\t")
        labels = frozenset(parts[1].split("+")) if len(parts) == 3 else frozenset()
        if not labels or not labels <= set(LABELS[flow]):
            raise LibraryError("exemplar_unreadable", file=f"{flow}/{path.name}", line=number)
        rows.append(Exemplar(parts[0], labels, parts[2].strip(), language))
    return rows


def _patterns(labels: Mapping[str, list[str]]) -> Mapping[str, tuple[re.Pattern[str], ...]]:
    return {label: tuple(re.compile(cue, re.IGNORECASE) for cue in cues) for label, cues in labels.items()}
