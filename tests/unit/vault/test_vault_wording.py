from __future__ import annotations

import re
import string

from babel.messages.pofile import read_po

from assistant.domain import LANGUAGES, Language
from assistant.errors import VaultError, WrongPassphrase
from assistant.paths import Paths
from assistant.vault.keys import check_passphrase
from assistant.wording import explain

RAISED = re.compile(r'(?:VaultError|Conflict)\(\s*"(\w+)"|Error,?\), "(\w+)"\)')


def texts(language: Language) -> dict[str, str]:
    folder = Paths.from_environment().locales
    with (folder / language / "LC_MESSAGES" / "vault.po").open("rb") as source:
        return {str(message.id): str(message.string) for message in read_po(source, locale=language) if message.id}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_problem_of_a_vault_is_explained_in_every_language_with_the_same_details() -> None:
    package = Paths.from_environment().project / "assistant" / "vault"
    raised = {"wrong_passphrase", "vault_failed"}
    for path in package.glob("*.py"):
        raised |= {first or second for first, second in RAISED.findall(path.read_text(encoding="utf-8"))}
    assert {"disk_full", "vault_damaged", "sheet_changed_elsewhere", "passphrase_short"} <= raised
    english = texts("en")
    for language in LANGUAGES:
        found = texts(language)
        assert set(found) == {f"error.{key}" for key in raised}
        assert all(placeholders(found[key]) == placeholders(english[key]) for key in english)
    assert len({texts(language)["error.vault_damaged"] for language in LANGUAGES}) == len(LANGUAGES)


def test_a_person_is_told_how_long_to_wait_and_what_a_passphrase_needs() -> None:
    assert "8 s" in explain("fi", WrongPassphrase(8))
    try:
        check_passphrase("kort")
    except VaultError as error:
        assert "12 tecken" in explain("sv", error) and "5 ord" in explain("sv", error)
    else:
        raise AssertionError("a short passphrase was taken")
