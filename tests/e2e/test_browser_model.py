"""The page with the real models behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.people import Arrive

pytestmark = [pytest.mark.browser, pytest.mark.model]

LOADED_MS = 300_000


def test_the_library_answers_while_the_models_start_and_then_the_model_does_and_can_be_stopped(
    peili_with_models: str, arrive: Arrive
) -> None:
    carol = arrive(peili_with_models, "en").joins("Carol model")
    progress = carol.page.locator("#progress")
    carol.begins("goal")
    carol.writes("I want to stop postponing difficult talks in my team.")
    carol.is_answered(3)
    expect(progress).to_be_hidden(timeout=LOADED_MS)
    carol.writes("It matters because three new people join us in March and I want them to trust me.")
    expect(carol.messages).to_have_count(5, timeout=LOADED_MS)
    expect(carol.messages.last).to_contain_text(carol.says("voice.model"), timeout=LOADED_MS)
    expect(carol.send).to_be_visible(timeout=LOADED_MS)
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
