from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from vault_samples import OTHER_PASSPHRASE, PASSPHRASE, files_in, read_json, vaults_in, write_json

from assistant.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[dict[str, Any]], object]


def flipped(text: str) -> str:
    """The same hexadecimal text with one bit changed."""
    return text[:-1] + format(int(text[-1], 16) ^ 1, "x")


def passphrase_slot(name: str) -> Change:
    return lambda header: header["slots"][0].update({name: flipped(header["slots"][0][name])})


def recovery_slot(name: str) -> Change:
    return lambda header: header["slots"][1].update({name: flipped(header["slots"][1][name])})


def kdf(**changes: Any) -> Change:
    return lambda header: header["kdf"].update(changes)


def whole(**changes: Any) -> Change:
    return lambda header: header.update(changes)


# (a change, what the person is told if the checksum was mended after it)
BY_PASSPHRASE: list[tuple[str, Change, str]] = [
    ("another vault_id", whole(vault_id="6f1c1f0e-0000-4000-8000-000000000000"), "vault_foreign"),
    ("no vault_id", lambda header: header.pop("vault_id"), "vault_damaged"),
    ("format 2", whole(format=2), "vault_newer"),
    ("format 0", whole(format=0), "vault_damaged"),
    ("format in words", whole(format="1"), "vault_damaged"),
    ("label of 61 characters", whole(label="x" * 61), "vault_damaged"),
    ("no label", whole(label=""), "vault_damaged"),
    ("created in words", whole(created="yesterday"), "vault_damaged"),
    ("a field more", whole(escrow="00"), "vault_damaged"),
    ("another algorithm", kdf(alg="argon2d"), "vault_damaged"),
    ("less memory than the floor", kdf(m=19 * 1024 - 1), "kdf_refused"),
    ("8 KiB", kdf(m=8), "kdf_refused"),
    ("more than a gibibyte", kdf(m=1024 * 1024 + 1), "kdf_refused"),
    ("4 GiB", kdf(m=4 * 1024 * 1024), "kdf_refused"),
    ("21 passes", kdf(t=21), "kdf_refused"),
    ("a million passes", kdf(t=10**6), "kdf_refused"),
    ("no pass", kdf(t=0), "kdf_refused"),
    ("17 lanes", kdf(p=17), "kdf_refused"),
    ("no lane", kdf(p=0), "kdf_refused"),
    ("memory below nothing", kdf(m=-1), "kdf_refused"),
    ("another memory within limits", kdf(m=20 * 1024), "wrong_passphrase"),
    ("another pass", kdf(t=2), "wrong_passphrase"),
    ("another lane", kdf(p=2), "wrong_passphrase"),
    ("another salt", kdf(salt="00" * 16), "wrong_passphrase"),
    ("a short salt", kdf(salt="00" * 15), "vault_damaged"),
    ("no salt", kdf(salt=None), "vault_damaged"),
    ("salt that is no hexadecimal", kdf(salt="x" * 32), "vault_damaged"),
    ("another nonce", passphrase_slot("nonce"), "wrong_passphrase"),
    ("another wrapped key", passphrase_slot("wrapped"), "wrong_passphrase"),
    ("no slots", whole(slots=[]), "vault_damaged"),
    ("slots exchanged", lambda header: header["slots"].reverse(), "vault_damaged"),
    ("the slot twice", lambda header: header["slots"].append(header["slots"][0]), "vault_damaged"),
]
NAMES = [name for name, _, _ in BY_PASSPHRASE]


@pytest.mark.parametrize(("change", "told"), [case[1:] for case in BY_PASSPHRASE], ids=NAMES)
def test_an_altered_header_opens_nothing_and_says_why(tmp_path: Path, change: Change, told: str) -> None:
    vaults = vaults_in(tmp_path)
    vault, _ = vaults.create("Kuu", PASSPHRASE)
    vault.lock()
    path = tmp_path / vault.vault_id / "header.json"
    content = read_json(path)
    change(content)

    write_json(path, content, mend_checksum=False)
    with pytest.raises(VaultError) as damaged:
        vaults.unlock(vault.vault_id, PASSPHRASE)
    assert damaged.value.key == "vault_damaged"  # never taken for a wrong passphrase

    write_json(path, content, mend_checksum=True)
    with pytest.raises(VaultError) as altered:
        vaults.unlock(vault.vault_id, PASSPHRASE)
    assert altered.value.key == told


@pytest.mark.parametrize("name", ["salt", "nonce", "wrapped"])
def test_an_altered_recovery_slot_does_not_open_and_leaves_the_passphrase_alone(tmp_path: Path, name: str) -> None:
    vaults = vaults_in(tmp_path)
    vault, code = vaults.create("Kuu", PASSPHRASE)
    vault.lock()
    path = tmp_path / vault.vault_id / "header.json"
    content = read_json(path)
    recovery_slot(name)(content)
    write_json(path, content, mend_checksum=True)
    with pytest.raises(VaultError, match="wrong_passphrase"):
        vaults.unlock_with_recovery(vault.vault_id, code, OTHER_PASSPHRASE)
    vaults.unlock(vault.vault_id, PASSPHRASE).lock()


def test_a_revoked_recovery_slot_leaves_only_the_passphrase(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path)
    vault, code = vaults.create("Kuu", PASSPHRASE)
    vault.lock()
    path = tmp_path / vault.vault_id / "header.json"
    content = read_json(path)
    write_json(path, content | {"slots": content["slots"][:1]}, mend_checksum=True)
    with pytest.raises(VaultError, match="wrong_passphrase"):
        vaults.unlock_with_recovery(vault.vault_id, code, OTHER_PASSPHRASE)
    vaults.unlock(vault.vault_id, PASSPHRASE).lock()


def test_slots_of_another_vault_do_not_open_this_one_even_with_the_same_passphrase(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path)
    (mine, _), (other, other_code) = vaults.create("Kuu", PASSPHRASE), vaults.create("Aurinko", PASSPHRASE)
    mine.lock()
    other.lock()
    path = tmp_path / mine.vault_id / "header.json"
    theirs = read_json(tmp_path / other.vault_id / "header.json")
    write_json(path, read_json(path) | {"kdf": theirs["kdf"], "slots": theirs["slots"]}, mend_checksum=True)
    with pytest.raises(VaultError, match="wrong_passphrase"):
        vaults.unlock(mine.vault_id, PASSPHRASE)
    with pytest.raises(VaultError, match="wrong_passphrase"):
        vaults.unlock_with_recovery(mine.vault_id, other_code, OTHER_PASSPHRASE)


@pytest.mark.parametrize("moved", ["header.json", "vault.db"])
def test_the_header_of_one_vault_beside_the_database_of_another_is_refused(tmp_path: Path, moved: str) -> None:
    vaults = vaults_in(tmp_path)
    (mine, _), (other, _) = vaults.create("Kuu", PASSPHRASE), vaults.create("Aurinko", PASSPHRASE)
    mine.lock()
    other.lock()
    shutil.copy(tmp_path / other.vault_id / moved, tmp_path / mine.vault_id / moved)
    before = files_in(tmp_path)
    with pytest.raises(VaultError, match="vault_foreign"):
        vaults.unlock(mine.vault_id, PASSPHRASE)
    assert files_in(tmp_path) == before
    vaults.unlock(other.vault_id, PASSPHRASE).lock()


@pytest.mark.parametrize("length", [0, 1, 100, 600, -1])
def test_a_header_cut_short_is_damaged_not_a_wrong_passphrase(tmp_path: Path, length: int) -> None:
    vaults = vaults_in(tmp_path)
    vault, code = vaults.create("Kuu", PASSPHRASE)
    vault.lock()
    path = tmp_path / vault.vault_id / "header.json"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(VaultError, match="vault_damaged"):
        vaults.unlock(vault.vault_id, PASSPHRASE)
    with pytest.raises(VaultError, match="vault_damaged"):
        vaults.unlock_with_recovery(vault.vault_id, code, OTHER_PASSPHRASE)


@pytest.mark.parametrize("content", [b"[]", b"null", b"[" * 60_000, b"\xff\xfe", b'{"label": "\\ud800"}', b"x" * 10**6])
def test_rubbish_in_place_of_a_header_is_damaged(tmp_path: Path, content: bytes) -> None:
    vaults = vaults_in(tmp_path)
    vault, _ = vaults.create("Kuu", PASSPHRASE)
    vault.lock()
    (tmp_path / vault.vault_id / "header.json").write_bytes(content)
    with pytest.raises(VaultError, match="vault_damaged"):
        vaults.unlock(vault.vault_id, PASSPHRASE)


def test_what_a_power_cut_left_of_a_new_header_is_no_hindrance(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path)
    vault, code = vaults.create("Kuu", PASSPHRASE)
    vault.lock()
    part = tmp_path / vault.vault_id / "header.json.part"
    part.write_bytes(b'{"format": 1, "vault')
    vaults.unlock(vault.vault_id, PASSPHRASE).lock()
    vaults.unlock_with_recovery(vault.vault_id, code, OTHER_PASSPHRASE).lock()
    vaults.unlock(vault.vault_id, OTHER_PASSPHRASE).lock()
    assert not part.exists()
