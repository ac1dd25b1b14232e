"""Whole ways through the app as a person starts it: a goal, a reflection, a look-up, and coming back to them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from e2e.people import Arrive

pytestmark = pytest.mark.browser


def test_a_goal_is_put_into_words_in_finnish(peili: str, arrive: Arrive) -> None:
    aino = arrive(peili, "fi").joins("Aino tavoite")
    expect(aino.page.locator("html")).to_have_attribute("lang", "fi")
    aino.begins("goal")
    expect(aino.messages).to_have_count(1)
    aino.writes("Haluan oppia pitämään vaikeita keskusteluja ajoissa. Se on tärkeää, koska tiimi kasvaa maaliskuussa.")
    aino.is_answered(3)
    expect(aino.field("goal.what")).to_have_value(re.compile("Haluan oppia pitämään vaikeita keskusteluja ajoissa"))
    expect(aino.field("goal.why")).to_have_value(re.compile("koska tiimi kasvaa maaliskuussa"))
    expect(aino.messages.last).to_contain_text(aino.says("voice.curated"))
    card = aino.opens_card()
    expect(card).to_contain_text("Tarkoitus")


def test_a_reflection_is_written_in_swedish_and_corrected_by_hand(peili: str, arrive: Arrive) -> None:
    bjorn = arrive(peili, "sv").joins("Björn reflektion")
    bjorn.begins("reflection")
    bjorn.writes("Vi pratade om hur jag leder mötet och jag kände mig osäker.")
    bjorn.is_answered(3)
    insight = bjorn.field("reflection.insight")
    insight.fill("Jag insåg att tystnad också är ett svar")
    expect(bjorn.page.locator("#sheet-saved")).to_contain_text(bjorn.says("sheet.saved"))
    bjorn.page.reload()
    expect(insight).to_have_value("Jag insåg att tystnad också är ett svar")


def test_something_is_looked_up_in_english_and_the_passage_is_marked(peili: str, arrive: Arrive) -> None:
    carol = arrive(peili, "en").joins("Carol look-up")
    carol.begins("lookup")
    carol.writes("How do I turn a vague wish into a goal?")
    carol.is_answered(3 if carol.messages.count() > 1 else carol.messages.count())
    card = carol.opens_card()
    expect(card.locator("mark").first).to_be_in_viewport()


def test_a_wrong_passphrase_is_told_and_the_right_one_brings_everything_back(peili: str, arrive: Arrive) -> None:
    aino = arrive(peili, "fi").joins("Aino paluu")
    aino.begins("goal")
    aino.writes("Haluan oppia kuuntelemaan ennen kuin vastaan.")
    aino.is_answered(3)
    said = aino.messages.all_inner_texts()
    aino.locks()
    aino.page.go_back()
    expect(aino.page.get_by_text("kuuntelemaan")).to_have_count(0)
    aino.unlocks("Aino paluu", "aivan väärä tunnuslause tässä")
    expect(aino.page.get_by_role("alert")).to_contain_text("Tunnuslause tai palautuskoodi ei avaa")
    aino.unlocks("Aino paluu")
    aino.is_inside()
    aino.page.locator("#conversation-list label").first.click()
    expect(aino.messages).to_have_count(3)
    assert aino.messages.all_inner_texts() == said


def test_two_people_do_not_see_each_other(peili: str, arrive: Arrive) -> None:
    aino = arrive(peili, "en").joins("Aino apart")
    bjorn = arrive(peili, "en").joins("Björn apart")
    aino.begins("goal")
    aino.writes("I want to learn to sail to Åland alone.")
    aino.is_answered(3)
    bjorn.page.reload()
    bjorn.is_inside()
    expect(bjorn.page.get_by_text(bjorn.says("conversations.none"))).to_be_visible()
    assert "Åland" not in bjorn.page.content()
    expect(bjorn.page.locator(".person-name")).to_contain_text("Björn apart")


def test_the_browser_keeps_no_word_of_a_conversation(peili: str, arrive: Arrive) -> None:
    aino = arrive(peili, "en").joins("Aino traces")
    aino.begins("goal")
    aino.writes("A marker sentence with quokka in it.")
    aino.is_answered(3)
    kept = aino.kept_in_browser()
    assert "quokka" not in kept
    assert kept == '[[],[],[],[],""]'
    cookies = aino.context.cookies()
    assert [(re.sub(r"\d+", "N", one["name"]), one["httpOnly"], one["sameSite"]) for one in cookies] == [
        ("peili-N", True, "Strict")
    ]
