"""A knowledge folder of two small cards that keep every rule, and an encoder without a model, for the tests."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

from assistant.domain import LANGUAGES, Language
from assistant.library.cards import Library
from assistant.library.index import LibraryIndex
from assistant.library.manifest import Encoder
from assistant.library.parsing import HEADINGS

DIMENSION = 128
ENCODER = Encoder("n-grams", "0" * 64, DIMENSION, "query", "document")

SUBJECTS: dict[str, dict[Language, str]] = {
    "ACT-10": {"fi": "tavoitteen kirjoittaminen", "sv": "att formulera ett mål", "en": "writing a goal"},
    "KIC-04": {"fi": "yhteiset pelisäännöt", "sv": "gemensamma spelregler", "en": "shared ground rules"},
}
OTHER = {"ACT-10": "KIC-04", "KIC-04": "ACT-10"}


def card_source(card_id: str, language: Language) -> str:
    """The file of a card that keeps every rule of knowledge/README.md."""
    subject = SUBJECTS[card_id][language]
    says = ",\n".join(f'  "{subject} {number}"' for number in range(12))
    headings = list(HEADINGS[language])
    filler = " ".join(["aamu ilta" if language == "fi" else "morgon kväll" if language == "sv" else "dawn dusk"] * 13)
    body = "\n\n".join(
        f"## {heading}\n\n{subject.capitalize()} {number}.\n{filler}\n\n- {subject}\n  {number}\n- b"
        for number, heading in enumerate(headings)
    )
    return f"""+++
id = "{card_id}"
title = "{subject.capitalize()}"
audience = ["actor"]
phase = ["before"]
type = "exercise"
minutes = 6
summary = "{subject.capitalize()} on three lines."
aliases = ["{subject} a", "{subject} b", "{subject} c", "{subject} d"]
says = [
{says},
]
related = ["{OTHER[card_id]}"]
sources = ["W"]

[[steps]]
minutes = 1
text = "{subject.capitalize()}: one."

[[steps]]
minutes = 2
text = "{subject.capitalize()}: two."

[[steps]]
minutes = 3
text = "{subject.capitalize()}: three."

[[questions]]
text = "{subject.capitalize()}, what?"
for = "goal.what"

[[questions]]
text = "{subject.capitalize()}, and then."

+++

{body}
"""


def knowledge_in(folder: Path) -> Path:
    """A knowledge folder with the cards of SUBJECTS in three languages."""
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True)
        for card_id in SUBJECTS:
            (folder / language / f"{card_id}.md").write_text(card_source(card_id, language), encoding="utf-8")
    (folder / "sources.toml").write_text('[W]\ntitle = "A *workbook*"\n', encoding="utf-8")
    return folder


def change(file: Path, old: str, new: str) -> None:
    """Put `new` for the first `old` in a file; it has to be there."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


class NGramEncoder:
    """Vectors of hashed letter triples: texts with like words lie near, the same on every machine.

    `read` is every text of the library that was encoded. With `fails_after`, encoding raises once so many were.
    """

    def __init__(self, dimension: int = DIMENSION, fails_after: int | None = None) -> None:
        self.dimension = dimension
        self.fails_after = fails_after
        self.read: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.read += texts
        if self.fails_after is not None and len(self.read) > self.fails_after:
            raise OSError(28, "No space left on device")
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        padded = f"  {text.casefold()}  "
        row = [0.0] * self.dimension
        for start in range(len(padded) - 2):
            digest = hashlib.blake2b(padded[start : start + 3].encode(), digest_size=8).digest()
            row[int.from_bytes(digest, "big") % self.dimension] += 1.0
        length = math.sqrt(sum(value * value for value in row))
        return [value / length for value in row]


def index_in(home: Path, knowledge: Path, encoder: Encoder = ENCODER) -> LibraryIndex:
    """The index of this knowledge folder, as a freshly started Peili sees it."""
    return LibraryIndex(home / "library", Library.load(knowledge), encoder)
