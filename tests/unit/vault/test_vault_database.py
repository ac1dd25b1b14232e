from __future__ import annotations

import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from vault_samples import PAGE, decrypted, files_in

from assistant.errors import VaultError
from assistant.vault.database import MIGRATIONS, Database, migrate, migrations_in
from assistant.vault.repository import Repository

if TYPE_CHECKING:
    from pathlib import Path

KEY = bytes(range(32))
MARKER = "salaisuus-Ålandsbanken-4711"


def filled(path: Path, key: bytes = KEY, entries: int = 200) -> None:
    """A closed database with a conversation of `entries` long turns."""
    database = Database.create(path, key)
    repository = Repository(database)
    talk = repository.create("reflection", "fi", MARKER)
    for number in range(entries):
        repository.append_turn(talk.id, speaker="actor", text=f"{number} {MARKER} " * 20, language="fi")
    database.close()


def test_the_file_is_no_database_to_any_program_without_the_key(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    filled(path, entries=1)
    with sqlite3.connect(path) as plain, pytest.raises(sqlite3.DatabaseError, match="not a database"):
        plain.execute("SELECT * FROM sqlite_master")
    plain.close()
    assert b"SQLite format" not in path.read_bytes()


def test_the_file_is_sqlcipher_4_so_that_other_tools_can_read_it_with_the_key(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    filled(path, entries=1)
    readable = decrypted(path, KEY)
    assert b"CREATE TABLE conversation" in readable and MARKER.encode() in readable
    assert MARKER.encode() not in decrypted(path, bytes(32))


def test_only_the_right_key_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    filled(path, entries=1)
    before = path.read_bytes()
    for key in (bytes(32), os.urandom(32), KEY[::-1]):
        with pytest.raises(VaultError, match="vault_foreign"):
            Database.open(path, key)
    assert path.read_bytes() == before
    Database.open(path, KEY).close()


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_not_taken_for_a_passphrase(tmp_path: Path, length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Database.create(tmp_path / "vault.db", bytes(length))


def test_a_plain_database_in_its_place_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    plain = sqlite3.connect(path)
    plain.executescript("".join(sql for _, sql in migrations_in(MIGRATIONS)))
    plain.execute("PRAGMA application_id = 1348823404")
    plain.close()
    before = path.read_bytes()
    with pytest.raises(VaultError, match="vault_foreign"):
        Database.open(path, KEY)
    assert files_in(tmp_path) == {"vault.db": before}


def test_an_empty_file_in_its_place_is_refused_and_stays_empty(tmp_path: Path) -> None:
    (tmp_path / "vault.db").touch()
    with pytest.raises(VaultError, match="vault_foreign"):
        Database.open(tmp_path / "vault.db", KEY)
    assert files_in(tmp_path) == {"vault.db": b""}


def test_a_missing_file_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="vault_inaccessible"):
        Database.open(tmp_path / "vault.db", KEY)
    assert files_in(tmp_path) == {}


def test_a_file_that_is_there_is_not_overwritten_by_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    filled(path, entries=1)
    before = path.read_bytes()
    with pytest.raises(VaultError, match="vault_inaccessible"):
        Database.create(path, KEY)
    assert path.read_bytes() == before


@pytest.mark.parametrize("pages", [0.5, 1, 2, 30, -1])
def test_a_file_cut_short_is_refused_and_left_as_it_is(tmp_path: Path, pages: float) -> None:
    path = tmp_path / "vault.db"
    filled(path)
    path.write_bytes(path.read_bytes()[: int(pages * PAGE)])
    before = path.read_bytes()
    with pytest.raises(VaultError) as refused:
        Database.open(path, KEY)
    assert refused.value.key in {"vault_damaged", "vault_foreign"}
    assert path.read_bytes() == before


def test_one_changed_bit_in_any_page_is_damage_and_never_wrong_text(tmp_path: Path) -> None:
    original, path = tmp_path / "original.db", tmp_path / "vault.db"
    filled(original, entries=40)
    whole = original.read_bytes()
    told = set()
    for number in range(len(whole) // PAGE):
        changed = bytearray(whole)
        changed[number * PAGE + 2000] ^= 1
        path.write_bytes(changed)
        with pytest.raises(VaultError) as refused:
            _read_everything(path)
        told.add(refused.value.key)
    assert told == {"vault_foreign", "vault_damaged"}  # the first page shows as a wrong key


def _read_everything(path: Path) -> None:
    database = Database.open(path, KEY)
    try:
        repository = Repository(database)
        for talk in repository.list():
            repository.turns(talk.id)
        assert database.rows("PRAGMA integrity_check") == [("ok",)]
    finally:
        database.close()


def test_a_database_of_a_newer_peili_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    filled(path, entries=1)
    database = Database.open(path, KEY)
    database.rows("PRAGMA user_version=9999")
    database.close()
    before = files_in(tmp_path)
    with pytest.raises(VaultError, match="vault_newer"):
        Database.open(path, KEY)
    assert files_in(tmp_path) == before


def test_a_database_of_another_program_under_the_same_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    filled(path, entries=1)
    database = Database.open(path, KEY)
    database.rows("PRAGMA application_id=7")
    database.close()
    with pytest.raises(VaultError, match="vault_foreign"):
        Database.open(path, KEY)


def test_schema_changes_are_carried_out_once_and_in_order(tmp_path: Path) -> None:
    changes = tmp_path / "changes"
    shutil.copytree(MIGRATIONS, changes)
    (changes / "9001_mood.sql").write_text("CREATE TABLE mood (word TEXT) STRICT; INSERT INTO mood VALUES ('lugn');")
    (changes / "9002_mood_of_day.sql").write_text("ALTER TABLE mood ADD COLUMN day TEXT;")
    (changes / "readme.txt").write_text("no change")
    path = tmp_path / "vault.db"
    filled(path, entries=1)
    database = Database.open(path, KEY)
    for _ in range(2):
        migrate(database, changes)
        assert database.rows("SELECT word, day FROM mood") == [("lugn", None)]
        assert database.version() == 9002
    assert Repository(database).list()[0].title == MARKER
    database.close()


def test_a_schema_change_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    changes = tmp_path / "changes"
    shutil.copytree(MIGRATIONS, changes)
    (changes / "9001_half.sql").write_text("DROP TABLE setting; CREATE TABLE conversation (id TEXT);")
    path = tmp_path / "vault.db"
    filled(path, entries=1)
    database = Database.open(path, KEY)
    with pytest.raises(VaultError, match="vault_failed"):
        migrate(database, changes)
    assert database.version() < 9001
    Repository(database).set_setting("language", "fi")
    database.close()


def test_it_is_kept_as_the_threat_model_asks(tmp_path: Path) -> None:
    for opening in (Database.create, Database.open):
        database = opening(tmp_path / "vault.db", KEY)
        found = {
            name: database.rows(f"PRAGMA {name}")[0][0]
            for name in ("journal_mode", "locking_mode", "synchronous", "secure_delete", "temp_store", "foreign_keys")
        }
        found |= {
            name: database.rows(f"PRAGMA {name}")[0][0]
            for name in ("trusted_schema", "cell_size_check", "mmap_size", "busy_timeout", "application_id")
        }
        with pytest.raises(VaultError):
            database.rows("SELECT load_extension('nothing')")
        database.close()
        assert found == {
            "journal_mode": "wal",
            "locking_mode": "exclusive",
            "synchronous": 2,
            "secure_delete": 1,
            "temp_store": 2,
            "foreign_keys": 1,
            "trusted_schema": 0,
            "cell_size_check": 1,
            "mmap_size": 0,
            "busy_timeout": 5000,
            "application_id": 0x5065696C,
        }


def test_while_it_is_open_nobody_else_gets_in(tmp_path: Path) -> None:
    database = Database.create(tmp_path / "vault.db", KEY)
    with pytest.raises(VaultError, match="vault_in_use"):
        Database.open(tmp_path / "vault.db", KEY)
    database.close()
    Database.open(tmp_path / "vault.db", KEY).close()


def test_on_a_full_disk_nothing_half_is_saved_and_it_works_again_with_room(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    filled(path, entries=1)
    database = Database.open(path, KEY)
    repository = Repository(database)
    talk = repository.list()[0]
    pages = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count={pages}")
    with pytest.raises(VaultError, match="disk_full"):
        repository.append_turn(talk.id, speaker="actor", text="x" * 50_000, language="fi")
    assert [turn.sequence for turn in repository.turns(talk.id)] == [1]
    database.rows(f"PRAGMA max_page_count={pages * 100}")
    assert repository.append_turn(talk.id, speaker="actor", text="x" * 50_000, language="fi").sequence == 2
    database.close()


def test_a_transaction_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    database = Database.create(tmp_path / "vault.db", KEY)
    with pytest.raises(KeyboardInterrupt), database.transaction():
        database.rows("INSERT INTO setting VALUES ('language', 'fi')")
        raise KeyboardInterrupt
    assert database.rows("SELECT * FROM setting") == []
    with database.transaction():
        database.rows("INSERT INTO setting VALUES ('language', 'sv')")
    assert database.rows("SELECT value FROM setting") == [("sv",)]
    database.close()


def test_a_wrong_key_after_a_crash_takes_nothing_from_the_log_that_the_right_one_needs(tmp_path: Path) -> None:
    path, crashed = tmp_path / "vault.db", tmp_path / "crashed"
    filled(path, entries=3)
    database = Database.open(path, KEY)
    Repository(database).create("goal", "sv", "only in the log")
    crashed.mkdir()
    for name in ("vault.db", "vault.db-wal"):
        shutil.copy(tmp_path / name, crashed / name)
    database.close()
    assert (crashed / "vault.db-wal").stat().st_size > 0
    before = files_in(crashed)
    for _ in range(2):
        with pytest.raises(VaultError, match="vault_foreign"):
            Database.open(crashed / "vault.db", bytes(32))
    assert files_in(crashed) == before
    opened = Database.open(crashed / "vault.db", KEY)
    assert [talk.title for talk in Repository(opened).list()] == ["only in the log", MARKER]
    opened.close()


def test_a_log_of_another_database_beside_it_is_not_mixed_in(tmp_path: Path) -> None:
    mine, other = tmp_path / "vault.db", tmp_path / "other.db"
    filled(mine, entries=3)
    database = Database.create(other, os.urandom(32))
    Repository(database).create("goal", "sv", "from another vault")
    shutil.copy(tmp_path / "other.db-wal", tmp_path / "vault.db-wal")
    database.close()
    before = mine.read_bytes()
    with pytest.raises(VaultError, match="vault_foreign"):
        Database.open(mine, KEY)
    assert mine.read_bytes() == before
    (tmp_path / "vault.db-wal").unlink(missing_ok=True)
    opened = Database.open(mine, KEY)
    assert [talk.title for talk in Repository(opened).list()] == [MARKER]
    assert opened.rows("PRAGMA integrity_check") == [("ok",)]
    opened.close()


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "vault.db", tmp_path / "elsewhere.txt"
    filled(path, entries=1)
    elsewhere.write_text("somebody's notes")
    (tmp_path / "vault.db-wal").symlink_to(elsewhere)
    with pytest.raises(VaultError, match="vault_inaccessible"):
        Database.open(path, KEY)
    assert elsewhere.read_text() == "somebody's notes"


def test_a_throw_away_database_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database.in_memory()
    repository = Repository(database)
    talk = repository.create("goal", "en", MARKER)
    repository.append_turn(talk.id, speaker="actor", text="I want to listen.", language="en")
    assert [turn.text for turn in repository.turns(talk.id)] == ["I want to listen."]
    repository.delete(talk.id)
    assert repository.list() == ()
    database.close()
    database.close()
    with pytest.raises(VaultError, match="vault_locked"):
        repository.list()
    assert files_in(tmp_path) == {}


def test_text_that_has_no_utf8_form_is_refused_and_everything_else_comes_back_as_written() -> None:
    repository = Repository(Database.in_memory())
    talk = repository.create("goal", "en")
    with pytest.raises(VaultError, match="text_unusable"):
        repository.append_turn(talk.id, speaker="actor", text="half \ud83d of it", language="en")
    texts = [
        "a\x00b",
        "\x00",
        "{__class__} {{7*7}} %s ' \" ;--",
        '{"lc": 1, "type": "secret"}',
        "o\u0308 ö",
        "🌙" * 500,
        "",
    ]
    for text in texts:
        repository.append_turn(talk.id, speaker="actor", text=text, language="en")
    assert [turn.text for turn in repository.turns(talk.id)] == texts
