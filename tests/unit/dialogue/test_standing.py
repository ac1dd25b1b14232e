"""Where a conversation stands survives being kept, and what an older or newer Peili wrote does no harm."""

from __future__ import annotations

import json

from fakes.dialogue import PROMPTS

from assistant.dialogue.flows import load_flows
from assistant.dialogue.guide import GuideState
from assistant.dialogue.state import Pending, Standing, read_standing, write_standing

GOAL = load_flows(PROMPTS / "flows")["goal"]


def test_a_new_conversation_stands_at_its_opening_question() -> None:
    assert read_standing(None, GOAL) == Standing(GuideState(asked=("what",), awaiting="what"))


def test_a_standing_comes_back_as_it_was_kept() -> None:
    standing = Standing(
        GuideState(("what", "why", "why"), frozenset({"evidence", "support"}), True, "why"),
        ("distress", "crisis"),
        Pending("Budjetti.", ("what", "support"), 5),
    )
    assert read_standing(write_standing(standing), GOAL) == standing


def test_the_same_standing_is_always_kept_in_the_same_words() -> None:
    first, second = (
        Standing(GuideState(skipped=frozenset(order)))
        for order in (("why", "what", "support"), ("support", "why", "what"))
    )
    assert write_standing(first) == write_standing(second)


def test_elements_that_the_flow_no_longer_has_are_forgotten() -> None:
    stored = json.dumps({"asked": ["what", "motto", "why"], "awaiting": "motto", "shown": True, "later": 1})
    assert read_standing(stored, GOAL) == Standing(GuideState(("what", "why"), shown=True))
