"""Who is logged in, for how long, and whose page is whose."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from fakes.scripted_services import ScriptedDialogue, ScriptedServices

from assistant.errors import VaultError
from assistant.ui.sessions import Login, Sessions

IDLE_S = 600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class House:
    """Sessions over real vaults, with a clock that a test moves."""

    def __init__(self, home: Path) -> None:
        self.services = ScriptedServices(home)
        self.clock = Clock()
        self.sessions = Sessions(self.clock, IDLE_S, self.services.lock)

    def enter(self, label: str) -> tuple[str, Login]:
        vault, _ = self.services.vaults.create(label, "five words are long enough")
        return self.sessions.open(vault, self.services.dialogue(vault), "fi")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_cookie_finds_its_own_login_only(house: House) -> None:
    cookie, login = house.enter("Aino")
    other, _ = house.enter("Björn")
    assert house.sessions.find(cookie) is login
    assert house.sessions.find(other) is not login
    assert house.sessions.find(cookie + "x") is None
    assert house.sessions.find(None) is None


def test_locking_closes_the_vault_and_the_cookie_is_worth_nothing(house: House) -> None:
    cookie, login = house.enter("Aino")
    house.sessions.end(login)
    assert not login.vault.is_open
    assert house.sessions.find(cookie) is None
    with pytest.raises(VaultError):
        login.dialogue.conversations()


def test_an_idle_vault_locks_at_the_minute_and_an_active_one_does_not(house: House) -> None:
    _, login = house.enter("Aino")
    house.clock.now += IDLE_S - 1
    house.sessions.end_idle()
    assert login.vault.is_open
    login.seen = house.clock.now
    house.clock.now += IDLE_S - 1
    house.sessions.end_idle()
    assert login.vault.is_open
    house.clock.now += 1
    house.sessions.end_idle()
    assert not login.vault.is_open


def test_a_request_after_the_idle_time_finds_the_vault_locked_even_before_the_sweep(house: House) -> None:
    cookie, login = house.enter("Aino")
    house.clock.now += IDLE_S
    assert house.sessions.find(cookie) is None
    assert not login.vault.is_open


def test_a_minute_after_the_last_tab_is_closed_the_vault_locks(house: House) -> None:
    _, login = house.enter("Aino")
    with login.tab(house.clock), login.tab(house.clock):
        house.clock.now += 70
        house.sessions.end_idle()
        assert login.vault.is_open
    house.clock.now += 59
    house.sessions.end_idle()
    assert login.vault.is_open
    house.clock.now += 1
    house.sessions.end_idle()
    assert not login.vault.is_open


def test_reloading_the_page_does_not_lock(house: House) -> None:
    _, login = house.enter("Aino")
    with login.tab(house.clock):
        pass
    house.clock.now += 2
    with login.tab(house.clock):
        house.clock.now += 300
        house.sessions.end_idle()
        assert login.vault.is_open


def test_a_page_belongs_to_the_login_that_used_it_first_for_good(house: House) -> None:
    _, aino = house.enter("Aino")
    _, bjorn = house.enter("Björn")
    assert house.sessions.claim_page("page1", aino)
    assert not house.sessions.claim_page("page1", bjorn)
    assert house.sessions.claim_page("page1", aino)
    house.sessions.end(aino)
    assert not house.sessions.claim_page("page1", bjorn)


def test_what_gradio_remembers_of_a_page_is_dropped_with_the_login(house: House) -> None:
    forgotten: list[str] = []
    house.sessions.on_end(forgotten.append)
    _, aino = house.enter("Aino")
    _, bjorn = house.enter("Björn")
    house.sessions.claim_page("hers", aino)
    house.sessions.claim_page("his", bjorn)
    house.sessions.end(aino)
    assert forgotten == ["hers"]


def test_locking_stops_a_reply_before_the_vault_is_closed(house: House) -> None:
    _, login = house.enter("Aino")
    conversation = login.dialogue.begin("goal", "en")
    writing, went_on = threading.Event(), threading.Event()

    def between() -> None:
        writing.set()
        went_on.wait(10)

    house.services.stage.between = between
    shown: list[object] = []

    def reply() -> None:
        with login.replying(conversation.id):
            shown.extend(login.dialogue.reply(conversation.id, "I want to learn"))

    thread = threading.Thread(target=reply)
    thread.start()
    assert writing.wait(10)
    locking = threading.Thread(target=house.sessions.end, args=(login,))
    locking.start()
    assert isinstance(login.dialogue, ScriptedDialogue)
    assert login.dialogue.stopped.wait(10)
    went_on.set()
    thread.join(10)
    locking.join(10)
    assert not login.vault.is_open
    assert not login.is_replying(conversation.id)
    assert not any(getattr(event, "text", "") for event in shown)


def test_a_form_of_another_browser_is_not_ours(house: House) -> None:
    token = house.sessions.csrf_token("cookie")
    assert house.sessions.csrf_right("cookie", token)
    assert not house.sessions.csrf_right("other", token)
    assert not house.sessions.csrf_right("cookie", "")
    assert not house.sessions.csrf_right(None, token)
