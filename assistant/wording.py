"""Every sentence the app itself says, through gettext, in Finnish, Swedish and English.

The catalogues are `locales/<lang>/LC_MESSAGES/<area>.po`, one gettext domain an area (vault, models, ui, …); they are
read as they stand, so there is no build step. A message id is a key such as `unlock.title`; each language has every
key, with the same placeholders (`{name}`).
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from assistant.domain import Language
from assistant.errors import PeiliError

_LOCALES = Path(__file__).resolve().parent / "locales"


@cache
def _translations(language: Language) -> gettext.GNUTranslations:
    catalogue = Catalog(locale=language)
    for path in sorted((_LOCALES / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as source:
            for message in read_po(source, locale=language):
                if message.id:
                    catalogue[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def say(language: Language, key: str, **params: object) -> str:
    """The text of `key` in `language` with its placeholders filled."""
    text = _translations(language).gettext(key)
    return text.format(**params) if params else text


def explain(language: Language, error: PeiliError) -> str:
    """What happened, why, and what to do, in `language`."""
    return say(language, f"error.{error.key}", **error.params)
