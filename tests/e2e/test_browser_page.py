"""What the page does while a reply comes, when something is in the way, and with two tabs."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from fakes.scripted_services import Part, Script
from playwright.sync_api import expect

from assistant.domain import LANGUAGES, Entry, Language, Notice
from assistant.errors import VaultError
from e2e.people import Arrive, Staged

pytestmark = pytest.mark.browser

WAIT_S = 30
BEACONS = (
    "![](http://198.51.100.7/a.png) <img src='http://198.51.100.7/b.png'> "
    "<svg><image href='http://198.51.100.7/c'/></svg> "
    "<link rel=preload href=http://198.51.100.7/d> <style>*{background:url(http://198.51.100.7/e)}</style> "
    "[x](http://198.51.100.7/f) http://198.51.100.7/g <iframe src=http://198.51.100.7/h></iframe> $\\unicode{x}$"
)


class Gate:
    """Holds a reply before each of its sentences until the test lets it go on."""

    def __init__(self, staged: Staged) -> None:
        self._go = threading.Semaphore(0)
        staged.services.stage.between = self._wait

    def _wait(self) -> None:
        assert self._go.acquire(timeout=WAIT_S)

    def let(self, sentences: int = 1) -> None:
        for _ in range(sentences):
            self._go.release()


@pytest.fixture
def gate(staged: Staged) -> Iterator[Gate]:
    held = Gate(staged)
    yield held
    held.let(100)


def scripts(staged: Staged, *all_of: Script) -> None:
    staged.services.stage.scripts.extend(all_of)


def test_a_reply_is_shown_as_it_comes_and_stop_ends_it(staged: Staged, gate: Gate, arrive: Arrive) -> None:
    aino = arrive(staged.url, "fi").joins("Aino")
    aino.begins("goal")
    scripts(staged, Script(sentences=("Ensimmäinen virke.", "Toinen virke.", "Kolmas virke."), voice="model"))
    aino.writes("Haluan oppia.")
    expect(aino.stop).to_be_visible()
    expect(aino.send).to_be_hidden()
    expect(aino.status).to_contain_text(aino.says("talk.writing"))
    gate.let()
    expect(aino.messages.last).to_contain_text("Ensimmäinen virke.")
    aino.stop.click()
    expect(aino.status).to_contain_text(aino.says("talk.stopping"))
    gate.let()
    aino.is_answered(3)
    expect(aino.messages.last).to_contain_text(aino.says("state.stopped"))
    expect(aino.messages.last).not_to_contain_text("Toinen virke.")


def test_whoever_begins_or_sends_can_go_on_typing(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    expect(aino.box).to_be_focused()
    aino.page.keyboard.type("I want to learn.")
    aino.send.click()
    aino.is_answered(3)
    expect(aino.box).to_be_focused()


def test_one_can_type_on_while_a_reply_comes(staged: Staged, gate: Gate, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    aino.writes("I want to learn.")
    expect(aino.box).to_have_value("")
    aino.box.press_sequentially("And one more thing")
    gate.let(2)
    aino.is_answered(3)
    expect(aino.box).to_have_value("And one more thing")


def test_a_text_that_could_not_be_stored_is_back_in_the_box(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    scripts(staged, Script(refused=VaultError("disk_full")))
    aino.writes("Words I do not want to type twice.")
    expect(aino.status).to_contain_text(aino.says("error.disk_full"))
    expect(aino.box).to_have_value("Words I do not want to type twice.")
    expect(aino.messages).to_have_count(1)
    aino.box.press("Enter")
    aino.is_answered(3)


def test_an_error_nobody_foresaw_is_told_and_the_next_message_works(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    scripts(staged, Script(broken=True))
    aino.writes("First.")
    expect(aino.status).to_contain_text(aino.says("page.broken"))
    expect(aino.messages.last).to_contain_text("First.")
    aino.writes("Second.")
    aino.is_answered(4)


def test_a_text_that_is_too_long_is_told_and_stays(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url, "sv").joins("Aino")
    aino.begins("goal")
    aino.writes("ö" * 9000)
    expect(aino.status).to_contain_text(aino.says("talk.too_long", size=18, limit=16))
    expect(aino.box).to_have_value("ö" * 9000)


def test_shift_and_enter_make_a_new_line(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    aino.box.press_sequentially("one")
    aino.box.press("Shift+Enter")
    aino.box.press_sequentially("two")
    expect(aino.box).to_have_value("one\ntwo")
    expect(aino.messages).to_have_count(1)


def test_the_queue_and_notices_are_told_on_the_quiet_line(staged: Staged, gate: Gate, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    scripts(staged, Script(waiting=2, cards=(), notice=Notice("error.memory_short", {"mib": "128"})))
    aino.writes("I want to learn.")
    expect(aino.status).to_contain_text(aino.says("error.memory_short", mib=128))
    gate.let(2)
    aino.is_answered(3)
    expect(aino.status).to_contain_text(aino.says("error.memory_short", mib=128))


def test_a_reply_belongs_to_the_conversation_it_was_asked_in(staged: Staged, gate: Gate, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    scripts(staged, Script(sentences=("One.", "Two.")))
    aino.writes("The first conversation.")
    expect(aino.stop).to_be_visible()
    aino.page.locator("#new-conversation").click()
    aino.begins("reflection")
    expect(aino.send).to_be_visible()
    expect(aino.messages).to_have_count(1)
    gate.let(2)
    scripts(staged, Script(sentences=("Another.",)))
    aino.writes("The second conversation.")
    gate.let()
    aino.is_answered(3)
    expect(aino.messages.last).to_contain_text("Another.")
    aino.page.locator("#conversation-list label", has_text="The first").click()
    aino.is_answered(3)
    expect(aino.messages.last).to_contain_text("One. Two.")


def test_a_sentence_peili_noted_can_be_changed_by_hand(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    aino.writes("I want to lead calmly.")
    aino.is_answered(3)
    what = aino.field("goal.what")
    expect(what).to_have_value("I want to lead calmly.")
    what.fill("I want to lead calmly. Every day.")
    expect(aino.page.locator("#sheet-saved")).to_contain_text(aino.says("sheet.saved"))
    aino.page.reload()
    expect(what).to_have_value("I want to lead calmly. Every day.")


def test_what_two_tabs_write_on_a_sheet_is_both_kept(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    aino.writes("I want to lead calmly.")
    aino.is_answered(3)
    first, second = aino.page, aino.context.new_page()
    second.goto(f"{aino.url}app")
    other = second.get_by_label(aino.says("element.goal.why"), exact=True).locator("visible=true")
    other.press_sequentially("From the second tab")
    expect(second.locator("#sheet-saved")).to_contain_text(aino.says("sheet.saved"))
    why = aino.field("goal.why")
    why.press_sequentially("From the first tab")
    conflict = first.locator("#sheet-conflict")
    expect(conflict).to_contain_text("From the second tab")
    expect(why).to_have_value("From the first tab")
    first.get_by_role("button", name=aino.says("sheet.add_mine")).click()
    expect(why).to_have_value("From the second tab\nFrom the first tab")
    expect(conflict).to_be_hidden()
    second.reload()
    expect(other).to_have_value("From the second tab\nFrom the first tab")


def test_questions_show_their_kind_and_can_be_opened_ranked_and_removed(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("questions")
    asked = (
        Entry("question", "Should I move?", None, "closed", ("What would moving give me?", "What holds me here?")),
        Entry("question", "What do you see in me?", None, "open"),
    )
    scripts(staged, Script(entries=asked))
    aino.writes("Should I move? What do you see in me?")
    aino.is_answered(3)
    page = aino.page
    expect(aino.labelled("Question 1 · closed")).to_have_value("Should I move?")
    page.get_by_role("radio", name="What would moving give me?").check()
    expect(aino.labelled("Question 1 · open")).to_have_value("What would moving give me?")
    aino.labelled(aino.says("sheet.question_new")).press_sequentially("How did you decide?")
    added = aino.labelled("Question 3")
    expect(added).to_have_value("How did you decide?")
    for question in ("How did you decide?", "What do you see in me?"):
        page.locator("#top").get_by_label(question).check()
        expect(page.locator("#sheet-saved")).to_contain_text(aino.says("sheet.saved"))
    aino.labelled("Question 1 · open").fill("")
    aino.field("questions.theme").click()
    expect(aino.labelled("Question 1 · open")).to_have_value("What do you see in me?")
    page.reload()
    expect(aino.labelled("Question 2")).to_have_value("How did you decide?")
    chosen = page.locator("#top input:checked")
    expect(chosen).to_have_count(2)


def test_deleting_asks_first_and_then_it_is_gone(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    aino.writes("Something to forget.")
    aino.is_answered(3)
    page = aino.page
    page.locator("#delete-conversation").click()
    expect(page.locator("#confirm-delete")).to_contain_text("Something to forget.")
    page.get_by_role("button", name=aino.says("conversations.delete_no")).click()
    expect(page.locator("#confirm-delete")).to_be_hidden()
    page.locator("#delete-conversation").click()
    page.get_by_role("button", name=aino.says("conversations.delete_yes"), exact=True).click()
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.get_by_text("Something to forget.")).to_have_count(0)


def test_nothing_that_is_written_becomes_a_link_a_picture_or_a_request(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url).joins("Aino")
    aino.begins("goal")
    scripts(staged, Script(sentences=(BEACONS,), voice="model", entries=(Entry("what", BEACONS),)))
    aino.writes(BEACONS)
    aino.is_answered(3)
    chat = aino.page.locator("#chat")
    for tag in ("a", "img", "svg", "iframe", "link", "style", "math", ".katex"):
        expect(chat.locator(f".message {tag}")).to_have_count(0)
    assert BEACONS in aino.messages.nth(1).inner_text()
    assert aino.strays == []


def test_the_guard_of_the_browser_sees_what_leaves(staged: Staged, arrive: Arrive) -> None:
    """The control of the test above: a deliberate request is noted (and stopped)."""
    aino = arrive(staged.url)
    aino.page.goto(aino.url)
    aino.page.evaluate("location.assign('http://198.51.100.7/')")
    aino.page.wait_for_function("() => true")
    expect(aino.page.locator("body")).to_be_visible()
    assert aino.strays == ["http://198.51.100.7/"]
    aino.strays.clear()


def test_another_language_shows_the_same_conversation(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url, "fi").joins("Aino")
    aino.begins("goal")
    aino.writes("Haluan oppia.")
    aino.is_answered(3)
    aino.page.get_by_role("link", name="Svenska").click()
    aino.language = "sv"
    expect(aino.page.locator("html")).to_have_attribute("lang", "sv")
    expect(aino.messages).to_have_count(3)
    expect(aino.field("goal.what")).to_have_value("Haluan oppia.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_the_page_is_left_in_another_language(staged: Staged, arrive: Arrive, language: Language) -> None:
    aino = arrive(staged.url, language, locale="de-DE").joins("Aino")
    aino.begins("goal")
    aino.writes("…")
    aino.is_answered(3)
    expect(aino.page.locator("#chat [role=log]")).to_have_attribute("aria-label", aino.says("talk.log"))
    names = aino.page.evaluate(
        """() => [...document.querySelectorAll('[aria-label], [title], [placeholder]')]
            .filter(one => one.checkVisibility())
            .flatMap(one => ['aria-label', 'title', 'placeholder'].map(name => one.getAttribute(name)))
            .filter(Boolean)"""
    )
    ours = {aino.says(key) for key in ("talk.log", "talk.placeholder", "sheet.placeholder", "page.languages")}
    assert set(names) <= ours | {"Suomi", "Svenska", "English"}


def test_progress_is_told_while_parts_start_and_goes_when_they_are_ready(staged: Staged, arrive: Arrive) -> None:
    staged.services.parts = (Part("encoder", "ready"), Part("index", "starting", 3, 9), Part("chat", "starting"))
    aino = arrive(staged.url).joins("Aino")
    line = aino.page.locator("#progress")
    expect(line).to_contain_text("3/9")
    staged.services.parts = (Part("encoder", "ready"), Part("index", "ready"), Part("chat", "ready"))
    expect(line).to_be_hidden()


def test_a_phone_shows_one_panel_at_a_time_and_nothing_is_cut(staged: Staged, arrive: Arrive) -> None:
    aino = arrive(staged.url, "fi", viewport={"width": 390, "height": 844}).joins("Aino")
    aino.begins("goal")
    aino.writes("Haluan oppia.")
    aino.is_answered(3)
    expect(aino.page.locator("#beside")).to_be_hidden()
    aino.page.get_by_role("button", name=aino.says("header.panel_beside")).click()
    expect(aino.field("goal.what")).to_have_value("Haluan oppia.")
    expect(aino.page.locator("#talk")).to_be_hidden()
    assert aino.page.evaluate("document.documentElement.scrollWidth") <= 390
