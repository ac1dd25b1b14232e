"""A vault of format 1 made once and kept in `format_1`: every later Peili has to open it."""

from __future__ import annotations

import shutil
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from vault_samples import OTHER_PASSPHRASE, PASSPHRASE, decrypted, read_json, vaults_in

from assistant.domain import Citation, Entry, Sheet, Turn

KEPT = Path(__file__).parent / "format_1"
VAULT_ID = "813bba91-fb93-43cb-92ae-ff3e8510acfd"
CODE = "9HW1K-WGTQY-G6B8Z-NBQMW-CNP6J-M2210"


def test_a_vault_of_format_1_still_opens_with_all_that_is_in_it(tmp_path: Path) -> None:
    shutil.copytree(KEPT, tmp_path / "vaults")
    vaults = vaults_in(tmp_path / "vaults")
    assert vaults.list() == ((VAULT_ID, "Kuu på havet"),)

    repository = vaults.unlock(VAULT_ID, PASSPHRASE).repository

    talk = repository.list()[0]
    assert (talk.flow, talk.language, talk.title) == ("goal", "fi", "Haluan oppia kuuntelemaan.")
    asked = "Miksi se on sinulle tärkeää?"
    assert repository.turns(talk.id) == (
        Turn(1, "actor", "Haluan oppia kuuntelemaan.", "fi"),
        Turn(2, "peili", asked, "fi", "complete", "curated", (Citation("ACT-10", "fi", "Miksi?"),), "kortti"),
    )
    assert repository.sheet(talk.id) == (Sheet("goal", (Entry("what", "Haluan oppia kuuntelemaan.", turn=1),)), 1)
    assert (repository.guide(talk.id), repository.setting("language")) == ('{"asked": ["goal.why"]}', "fi")


def test_a_vault_of_format_1_still_opens_with_its_recovery_code(tmp_path: Path) -> None:
    shutil.copytree(KEPT, tmp_path / "vaults")
    vaults_in(tmp_path / "vaults").unlock_with_recovery(VAULT_ID, CODE, OTHER_PASSPHRASE).lock()
    vaults_in(tmp_path / "vaults").unlock(VAULT_ID, OTHER_PASSPHRASE).lock()


def test_the_format_is_what_its_description_says() -> None:
    """The whole way from passphrase to text, written anew from the description in `header`."""
    header = read_json(KEPT / VAULT_ID / "header.json")
    kdf, slot = header["kdf"], header["slots"][0]
    salt = bytes.fromhex(kdf["salt"])
    stretched = Argon2id(salt=salt, length=32, iterations=kdf["t"], lanes=kdf["p"], memory_cost=kdf["m"])
    bound = f"{VAULT_ID}|passphrase|1|argon2id|{kdf['m']}|{kdf['t']}|{kdf['p']}|{kdf['salt']}"
    wrapping = AESGCM(stretched.derive(PASSPHRASE.encode()))
    master = wrapping.decrypt(bytes.fromhex(slot["nonce"]), bytes.fromhex(slot["wrapped"]), bound.encode())
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"db v1").derive(master)
    assert b"Haluan oppia kuuntelemaan." in decrypted(KEPT / VAULT_ID / "vault.db", key)
