from __future__ import annotations

import subprocess
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest
from vault_samples import OTHER_PASSPHRASE, PASSPHRASE, Clock, disguises, files_in, made, vaults_in

from assistant.errors import VaultError, WrongPassphrase

if TYPE_CHECKING:
    from pathlib import Path

    from assistant.vault.registry import Vaults

MARKER = "salaisuus-Ålandsbanken-4711"


def first_words(vaults: Vaults, vault_id: str, passphrase: str = PASSPHRASE) -> str:
    """Open, read the first turn of the only conversation, lock."""
    vault = vaults.unlock(vault_id, passphrase)
    try:
        return vault.repository.turns(vault.repository.list()[0].id)[0].text
    finally:
        vault.lock()


def test_a_person_creates_a_vault_writes_locks_and_finds_their_words_after_a_restart(tmp_path: Path) -> None:
    vault, _ = vaults_in(tmp_path).create("  Kuu ", PASSPHRASE)
    talk = vault.repository.create("goal", "fi")
    vault.repository.append_turn(talk.id, speaker="actor", text="Haluan oppia kuuntelemaan.", language="fi")
    assert (vault.is_open, vault.label) == (True, "Kuu")
    vault.lock()
    assert not vault.is_open

    again = vaults_in(tmp_path)

    assert again.list() == ((vault.vault_id, "Kuu"),)
    assert first_words(again, vault.vault_id) == "Haluan oppia kuuntelemaan."


def test_a_locked_vault_gives_nothing_away_and_can_be_locked_twice(tmp_path: Path) -> None:
    vault, _ = vaults_in(tmp_path).create("Kuu", PASSPHRASE)
    vault.lock()
    vault.lock()
    with pytest.raises(VaultError, match="vault_locked"):
        vault.repository.list()
    with pytest.raises(VaultError, match="vault_locked"):
        vault.repository.create("goal", "fi")


def test_a_wrong_passphrase_opens_nothing_and_loses_nothing(tmp_path: Path) -> None:
    clock = Clock()
    vaults = vaults_in(tmp_path, clock)
    vault, _ = vaults.create("Kuu", PASSPHRASE)
    talk = vault.repository.create("goal", "sv")
    vault.repository.append_turn(talk.id, speaker="actor", text="Jag vill lyssna.", language="sv")
    vault.lock()
    for wrong in (OTHER_PASSPHRASE, PASSPHRASE + " ", PASSPHRASE.upper(), "", "\ud800"):
        with pytest.raises(WrongPassphrase):
            vaults.unlock(vault.vault_id, wrong)
        clock.now += 60
    assert first_words(vaults, vault.vault_id) == "Jag vill lyssna."


@pytest.mark.parametrize(
    "passphrase",
    [
        "hämärän hyssy på ön",
        "ﬁnska ﬂaggan １２ ½",
        "🌙 kuu ja tähdet 🌙",
        " väli edessä on osa",
        "a b c d e",
        "ö" * 1024,
    ],
)
def test_umlauts_open_the_vault_whichever_way_the_keyboard_writes_them(tmp_path: Path, passphrase: str) -> None:
    vaults = vaults_in(tmp_path)
    vault_id, _ = made(vaults, passphrase=passphrase)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        vaults.unlock(vault_id, unicodedata.normalize(form, passphrase)).lock()


@pytest.mark.parametrize(
    ("passphrase", "problem"),
    [
        ("elva tecken", "short"),
        ("tolv tecken!", "ok"),
        (unicodedata.normalize("NFD", "ääkkösillä!"), "short"),
        ("a b c d", "short"),
        ("a b c d e", "ok"),
        ("", "short"),
        (" " * 20, "short"),
        ("x" * 1024, "ok"),
        ("x" * 1025, "long"),
    ],
)
def test_a_passphrase_has_twelve_characters_or_five_words(tmp_path: Path, passphrase: str, problem: str) -> None:
    vaults = vaults_in(tmp_path)
    if problem == "ok":
        assert vaults.list() == () and made(vaults, passphrase=passphrase)[0] == vaults.list()[0][0]
        return
    with pytest.raises(VaultError, match=f"passphrase_{problem}"):
        vaults.create("Kuu", passphrase)
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("label", ["", "   ", "x" * 61, "kaksi\nriviä", "tab\tinside", "\u202egepeilt"])
def test_a_label_is_one_readable_line_of_at_most_sixty_characters(tmp_path: Path, label: str) -> None:
    with pytest.raises(VaultError, match="label_unusable"):
        vaults_in(tmp_path).create(label, PASSPHRASE)
    assert files_in(tmp_path) == {}


def test_what_a_person_writes_stands_in_no_file_open_or_locked(tmp_path: Path) -> None:
    vault, code = vaults_in(tmp_path).create("Kuu", PASSPHRASE)
    talk = vault.repository.create("reflection", "fi", title=MARKER)
    vault.repository.append_turn(talk.id, speaker="actor", text=f"Muistan {MARKER}.", language="fi")
    vault.repository.save_guide(talk.id, f'{{"last": "{MARKER}"}}')
    while_open = files_in(tmp_path)
    vault.lock()
    for files in (while_open, files_in(tmp_path)):
        assert any(name.endswith("vault.db") for name in files)
        for secret in (MARKER, "Muistan", PASSPHRASE, code, code.replace("-", "")):
            assert [name for name, content in files.items() for form in disguises(secret) if form in content] == []


def test_the_files_are_for_the_owner_alone_and_an_opened_folder_is_closed_again(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path / "vaults")
    vault, _ = vaults.create("Kuu", PASSPHRASE)
    folder = tmp_path / "vaults" / vault.vault_id
    vault.repository.create("goal", "fi")
    assert {path.stat().st_mode & 0o777 for path in (folder, folder.parent)} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    vault.lock()
    folder.chmod(0o777)
    vaults.unlock(vault.vault_id, PASSPHRASE).lock()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["header.json", "vault.db", "lock", ""])
def test_a_link_planted_in_place_of_a_file_is_not_followed(tmp_path: Path, name: str) -> None:
    vaults = vaults_in(tmp_path / "vaults")
    vault_id, _ = made(vaults)
    planted, elsewhere = tmp_path / "vaults" / vault_id / name, tmp_path / "elsewhere"
    planted.rename(elsewhere)
    planted.symlink_to(elsewhere)
    before = files_in(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes()
    with pytest.raises(VaultError, match="vault_inaccessible"):
        vaults.unlock(vault_id, PASSPHRASE)
    assert before == (files_in(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes())


@pytest.mark.parametrize(
    "vault_id", ["", ".", "..", "../vaults", "not-a-vault", "6f1c1f0e-0000-4000-8000-000000000000", "\x00"]
)
def test_an_id_from_outside_reaches_nothing(tmp_path: Path, vault_id: str) -> None:
    vaults = vaults_in(tmp_path / "vaults")
    made(vaults)
    before = files_in(tmp_path)
    with pytest.raises(VaultError, match="vault_missing"):
        vaults.unlock(vault_id, PASSPHRASE)
    with pytest.raises(VaultError, match="vault_missing"):
        vaults.erase(vault_id)
    assert files_in(tmp_path) == before


def test_the_unlock_page_lists_aliases_by_name_and_keeps_a_damaged_vault_in_sight(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path)
    assert vaults.list() == ()
    ids = {label: made(vaults, label)[0] for label in ("ö på havet", "Kuu", "aurinko")}
    (tmp_path / "notes.txt").write_text("no vault")
    (tmp_path / "6f1c1f0e-0000-4000-8000-000000000000").mkdir()
    assert [label for _, label in vaults.list()] == ["aurinko", "Kuu", "ö på havet"]
    (tmp_path / ids["Kuu"] / "header.json").write_bytes(b"\x00" * 100)
    assert vaults.list() == ((ids["Kuu"], ""), (ids["aurinko"], "aurinko"), (ids["ö på havet"], "ö på havet"))


def test_an_open_vault_cannot_be_opened_or_erased_by_anyone_else_until_it_is_locked(tmp_path: Path) -> None:
    vault, _ = vaults_in(tmp_path).create("Kuu", PASSPHRASE)
    another_program = (
        "import sys, pathlib\n"
        "from assistant.vault.registry import Vaults\n"
        "from assistant.errors import VaultError\n"
        "try:\n"
        "    Vaults(pathlib.Path(sys.argv[1])).unlock(sys.argv[2], sys.argv[3]).lock()\n"
        "    sys.exit('opened')\n"
        "except VaultError as error:\n"
        "    sys.exit(error.key)\n"
    )

    def elsewhere() -> str:
        command = [sys.executable, "-c", another_program, str(tmp_path), vault.vault_id, PASSPHRASE]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()

    assert elsewhere() == "vault_in_use"
    with pytest.raises(VaultError, match="vault_in_use"):
        vaults_in(tmp_path).unlock(vault.vault_id, PASSPHRASE)
    with pytest.raises(VaultError, match="vault_in_use"):
        vaults_in(tmp_path).erase(vault.vault_id)
    vault.repository.create("goal", "fi")
    vault.lock()
    assert elsewhere() == "opened"


def test_an_erased_vault_opens_with_nothing_and_takes_no_other_with_it(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path / "vaults")
    (erased, code), (kept, _) = made(vaults, "Kuu"), made(vaults, "Aurinko")
    header = tmp_path / "vaults" / erased / "header.json"
    wrapped_keys, same_file = header.read_bytes(), tmp_path / "same-file-by-another-name"
    same_file.hardlink_to(header)
    copied_database = (header.parent / "vault.db").read_bytes()

    vaults.erase(erased)

    assert vaults.list() == ((kept, "Aurinko"),) and not header.parent.exists()
    with pytest.raises(VaultError, match="vault_missing"):
        vaults.unlock(erased, PASSPHRASE)
    with pytest.raises(VaultError, match="vault_missing"):
        vaults.unlock_with_recovery(erased, code, OTHER_PASSPHRASE)
    noise = same_file.read_bytes()  # the header was overwritten on the disk, not only unlinked
    assert len(noise) == len(wrapped_keys) and b"wrapped" not in noise
    header.parent.mkdir()
    (header.parent / "vault.db").write_bytes(copied_database)
    header.write_bytes(noise)
    with pytest.raises(VaultError, match="vault_damaged"):
        vaults.unlock(erased, PASSPHRASE)
    vaults.unlock(kept, PASSPHRASE).lock()


def test_erasing_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path)
    vault_id, _ = made(vaults)
    (tmp_path / vault_id / "header.json").unlink()
    vaults.erase(vault_id)
    assert list(tmp_path.iterdir()) == []
