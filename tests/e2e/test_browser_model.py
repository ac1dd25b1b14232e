"""The page with the real models behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.people import Arrive

pytestmark = [pytest.mark.browser, pytest.mark.model]

LOADED_MS = 300_000
SAID = (
    "I want to lead the planning talk in our team without falling silent.",
    "I have always liked showing new colleagues how things are done.",
    "I would notice that I book the talk the same week.",
    "I will write down the first talk before our next meeting.",
)


def test_the_library_answers_while_the_models_start_and_then_the_model_does_and_can_be_stopped(
    peili_with_models: str, arrive: Arrive
) -> None:
    carol = arrive(peili_with_models, "en").joins("Carol model")
    progress = carol.page.locator("#progress")
    carol.begins("goal")
    carol.writes("I want to stop postponing difficult talks in my team.")
    carol.is_answered(3)
    expect(progress).to_be_hidden(timeout=LOADED_MS)
    for count, said in enumerate(SAID, start=1):  # what the model words may fail a check, but not every time
        carol.writes(said)
        expect(carol.messages).to_have_count(3 + 2 * count, timeout=LOADED_MS)
        expect(carol.send).to_be_visible(timeout=LOADED_MS)
    voices = carol.messages.filter(has_text=carol.says("voice.model"))
    assert voices.count() > 0
    carol.page.locator("#new-conversation").click()
    carol.begins("lookup")
    before = carol.messages.count()
    carol.writes("What can I do when a mentoring meeting falls silent and we both look at the table?")
    expect(carol.status).to_contain_text(carol.says("talk.writing"))
    carol.stop.click()
    expect(carol.send).to_be_visible()
    expect(carol.messages.last).to_contain_text(carol.says("state.stopped"))
    carol.writes("And how do I end it well?")
    expect(carol.messages).to_have_count(before + 4, timeout=LOADED_MS)
    expect(carol.send).to_be_visible(timeout=LOADED_MS)
