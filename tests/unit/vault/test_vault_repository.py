from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from vault_samples import Clock, decrypted

from assistant.domain import Citation, Entry, Sheet, TurnState
from assistant.errors import Conflict, VaultError
from assistant.vault.database import Database
from assistant.vault.repository import Repository

if TYPE_CHECKING:
    from pathlib import Path

KEY = bytes(range(32))
MISSING = "nobody-knows-this-one"
CITED = (
    Citation("ACT-10", "fi", "Mikä tekisi siitä sinulle tärkeän?"),
    Citation("CON-02", "sv", 'Hon sa: "vänta" – och ö.'),
)


def in_memory(clock: Clock | None = None) -> Repository:
    return Repository(Database.in_memory(), clock or Clock())


def said(repository: Repository, conversation_id: str, text: str) -> None:
    repository.append_turn(conversation_id, speaker="actor", text=text, language="fi")


def test_a_conversation_is_kept_with_its_flow_language_and_times() -> None:
    clock = Clock()
    repository = in_memory(clock)
    started = clock.now
    talk = repository.create("questions", "sv", "Frågor till Maria")
    assert (talk.flow, talk.language, talk.title, talk.revision) == ("questions", "sv", "Frågor till Maria", 0)
    clock.now += 90
    said(repository, talk.id, "Vad skulle du göra?")
    kept = repository.get(talk.id)
    assert (kept.created, kept.changed, kept.revision) == (started, started + 90, 1)
    assert repository.list() == (kept,)


def test_the_conversation_written_in_last_stands_first_even_after_the_clock_was_set_back() -> None:
    clock = Clock()
    repository = in_memory(clock)
    first, second, third = (repository.create("goal", "fi", title) for title in ("a", "b", "c"))
    assert [talk.title for talk in repository.list()] == ["c", "b", "a"]
    clock.now -= 86_400
    said(repository, first.id, "Jatkan tästä.")
    assert [talk.title for talk in repository.list()] == ["a", "c", "b"]
    repository.delete(first.id)
    repository.rename(second.id, "uusi")
    assert [talk.id for talk in repository.list()] == [second.id, third.id]


def test_the_first_words_a_person_writes_become_the_title() -> None:
    repository = in_memory()
    talk = repository.create("goal", "fi")
    repository.append_turn(talk.id, speaker="peili", text="Mitä haluat oppia?", language="fi", voice="curated")
    assert repository.get(talk.id).title == ""
    said(repository, talk.id, "  Haluan oppia\n kuuntelemaan paremmin, koska keskeytän muita liian usein kokouksissa.")
    title = "Haluan oppia kuuntelemaan paremmin, koska keskeytän muita…"
    assert repository.get(talk.id).title == title and len(title) <= 60
    said(repository, talk.id, "Toinen viesti")
    assert repository.get(talk.id).title == title


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("x" * 59 + " y", "x" * 59 + "…"),
        ("x" * 60 + " y", "x" * 59 + "…"),
        ("ab " * 30, ("ab " * 20).strip() + "…"),
    ],
)
def test_a_title_has_at_most_sixty_characters_and_ends_with_a_whole_word_if_it_can(words: str, title: str) -> None:
    repository = in_memory()
    talk = repository.create("goal", "fi")
    said(repository, talk.id, words)
    assert repository.get(talk.id).title == title


def test_a_title_given_by_hand_stays_until_it_is_taken_away() -> None:
    repository = in_memory()
    talk = repository.create("goal", "fi")
    assert repository.rename(talk.id, "Minun tavoitteeni").title == "Minun tavoitteeni"
    said(repository, talk.id, "Haluan oppia kuuntelemaan.")
    assert repository.get(talk.id).title == "Minun tavoitteeni"
    assert repository.rename(talk.id, "  ").title == "Haluan oppia kuuntelemaan."


def test_turns_are_numbered_from_one_and_come_back_as_they_were_stored() -> None:
    repository = in_memory()
    talk, other = repository.create("goal", "fi"), repository.create("goal", "fi")
    asked = repository.append_turn(talk.id, speaker="actor", text="Miksi?", language="fi")
    answered = repository.append_turn(
        talk.id,
        speaker="peili",
        text="Kysy itseltäsi.",
        language="fi",
        state="streaming",
        voice="model",
        citations=CITED,
        prompt="<kortit>",
    )
    said(repository, other.id, "Muuta")
    assert (asked.sequence, answered.sequence) == (1, 2)
    assert repository.turns(talk.id) == (asked, answered)
    assert repository.turns(talk.id)[1].citations == CITED


def test_a_reply_grows_and_is_finished_in_its_place() -> None:
    repository = in_memory()
    talk = repository.create("goal", "sv")
    reply = repository.append_turn(talk.id, speaker="peili", text="", language="sv", state="streaming", prompt="kort")
    repository.update_turn(talk.id, 1, text="Vad", state="streaming", voice="model", citations=())
    finished = repository.update_turn(
        talk.id, 1, text="Vad vill du?", state="fell_back", voice="curated", citations=CITED
    )
    assert repository.turns(talk.id) == (finished,)
    assert (finished.sequence, finished.text, finished.state, finished.voice) == (
        1,
        "Vad vill du?",
        "fell_back",
        "curated",
    )
    assert (finished.citations, finished.prompt, finished.language) == (CITED, reply.prompt, "sv")


@pytest.mark.parametrize(
    ("before", "after"),
    [("streaming", "interrupted"), ("complete", "complete"), ("stopped", "stopped"), ("fell_back", "fell_back")],
)
def test_a_reply_cut_off_by_a_crash_is_marked_when_the_vault_is_opened_again(
    tmp_path: Path, before: TurnState, after: TurnState
) -> None:
    database = Database.create(tmp_path / "vault.db", KEY)
    repository = Repository(database)
    talk = repository.create("goal", "fi")
    repository.append_turn(talk.id, speaker="peili", text="Mitä sinä itse", language="fi", state=before)
    database.close()
    database = Database.open(tmp_path / "vault.db", KEY)
    turn = Repository(database).turns(talk.id)[0]
    assert (turn.text, turn.state) == ("Mitä sinä itse", after)
    database.close()


def test_a_sheet_is_kept_entry_by_entry_in_the_order_it_was_said() -> None:
    repository = in_memory()
    talk = repository.create("questions", "fi")
    assert repository.sheet(talk.id) == (Sheet("questions"), 0)
    sheet = Sheet(
        "questions",
        (
            Entry(
                "question",
                "Onko sinulla aikaa?",
                turn=1,
                kind="closed",
                alternatives=("Milloin ehdit?", "Mikä auttaa?"),
            ),
            Entry("question", "Mitä opit virheistäsi?", turn=3, kind="open", rank=1),
            Entry("theme", "Johtaminen"),
            Entry("theme", "Johtaminen"),
        ),
    )
    assert repository.save_sheet(talk.id, sheet, 0) == 1
    assert repository.sheet(talk.id) == (sheet, 1)
    shorter = Sheet("questions", sheet.entries[1:2])
    assert repository.save_sheet(talk.id, shorter, 1) == 2
    assert repository.sheet(talk.id) == (shorter, 2)


def test_of_two_tabs_that_edit_one_sheet_the_second_is_told_and_overwrites_nothing() -> None:
    repository = in_memory()
    talk = repository.create("goal", "fi")
    (_, seen_in_one_tab), (_, seen_in_the_other) = repository.sheet(talk.id), repository.sheet(talk.id)
    first = Sheet("goal", (Entry("what", "Oppia kuuntelemaan"),))
    repository.save_sheet(talk.id, first, seen_in_one_tab)
    said(repository, talk.id, "Ja vielä jotain.")  # writing on does not make the sheet another one
    before = repository.get(talk.id)
    with pytest.raises(Conflict, match="sheet_changed_elsewhere"):
        repository.save_sheet(talk.id, Sheet("goal", (Entry("what", "Jotain muuta"),)), seen_in_the_other)
    assert repository.sheet(talk.id) == (first, 1)
    assert repository.get(talk.id) == before


def test_where_the_guide_stands_is_kept_as_it_was_given() -> None:
    repository = in_memory()
    talk = repository.create("goal", "fi")
    assert repository.guide(talk.id) is None
    repository.save_guide(talk.id, '{"asked": ["goal.why"]}')
    repository.save_guide(talk.id, '{"asked": ["goal.why", "goal.what"], "ä": 1}')
    assert repository.guide(talk.id) == '{"asked": ["goal.why", "goal.what"], "ä": 1}'
    assert repository.get(talk.id).revision == 0


def test_a_person_has_settings_of_their_own() -> None:
    repository = in_memory()
    assert repository.setting("language") is None
    repository.set_setting("language", "fi")
    repository.set_setting("language", "sv")
    repository.set_setting("country", "")
    assert (repository.setting("language"), repository.setting("country")) == ("sv", "")


def test_of_a_deleted_conversation_no_byte_is_left_even_for_one_who_has_the_key(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    database = Database.create(path, KEY)
    repository = Repository(database)
    kept, gone = repository.create("goal", "fi", "kept-marker"), repository.create("reflection", "fi", "gone-title")
    for number in range(60):
        said(repository, gone.id, f"gone-turn {number} " * 60)
        said(repository, kept.id, f"kept-turn {number}")
    repository.append_turn(gone.id, speaker="peili", text="x", language="fi", prompt="gone-prompt", citations=CITED)
    repository.save_sheet(gone.id, Sheet("reflection", (Entry("event", "gone-entry"),)), 0)
    repository.save_guide(gone.id, "gone-guide")
    secrets = [b"gone-title", b"gone-turn", b"gone-prompt", b"gone-entry", b"gone-guide", b"ACT-10"]
    before = decrypted(path, KEY)
    assert all(secret in before for secret in secrets)
    database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size

    repository.delete(gone.id)

    assert path.stat().st_size < size  # the pages are given back, not only emptied

    for state in ("open", "closed"):
        after = decrypted(path, KEY)
        assert [secret for secret in secrets if secret in after] == [], state
        assert b"kept-turn" in after
        database.close()
    again = Database.open(path, KEY)
    assert [talk.title for talk in Repository(again).list()] == ["kept-marker"]
    assert len(Repository(again).turns(kept.id)) == 60
    again.close()


def test_what_was_deleted_elsewhere_is_missing_and_nothing_is_written_for_it() -> None:
    repository = in_memory()
    talk = repository.create("goal", "fi")
    said(repository, talk.id, "Haluan oppia.")
    for gone in (MISSING, ""):
        for attempt in (repository.get, repository.turns, repository.sheet, repository.guide, repository.delete):
            with pytest.raises(VaultError, match="conversation_missing"):
                attempt(gone)
        with pytest.raises(VaultError, match="conversation_missing"):
            said(repository, gone, "x")
        with pytest.raises(VaultError, match="conversation_missing"):
            repository.rename(gone, "x")
        with pytest.raises(VaultError, match="conversation_missing"):
            repository.save_sheet(gone, Sheet("goal"), 0)
        with pytest.raises(VaultError, match="conversation_missing"):
            repository.save_guide(gone, "{}")
        with pytest.raises(VaultError, match="conversation_missing"):
            repository.update_turn(gone, 1, text="x", state="complete", voice=None, citations=())
    before = repository.get(talk.id)
    with pytest.raises(VaultError, match="conversation_missing"):
        repository.update_turn(talk.id, 2, text="x", state="complete", voice=None, citations=())
    assert repository.get(talk.id) == before


def test_several_threads_may_write_at_once_and_no_turn_is_lost_or_numbered_twice(tmp_path: Path) -> None:
    database = Database.create(tmp_path / "vault.db", KEY)
    repository = Repository(database)
    talk = repository.create("goal", "fi")
    problems: list[BaseException] = []

    def write(person: int) -> None:
        try:
            for number in range(10):
                said(repository, talk.id, f"{person}/{number}")
                repository.list()
                sheet, revision = repository.sheet(talk.id)
                try:
                    repository.save_sheet(talk.id, sheet.with_entries((Entry("what", f"{person}/{number}"),)), revision)
                except Conflict:
                    continue
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=write, args=(person,)) for person in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    turns = repository.turns(talk.id)
    assert [turn.sequence for turn in turns] == list(range(1, 41))
    assert {turn.text for turn in turns} == {f"{person}/{number}" for person in range(4) for number in range(10)}
    sheet, revision = repository.sheet(talk.id)
    assert len(sheet.entries) == revision > 0  # each save that was not refused is still there
    database.close()
