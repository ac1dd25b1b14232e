"""The sheet as fields: what the person changes is changed, and everything else stays as it was."""

from __future__ import annotations

from assistant.domain import Entry, Sheet
from assistant.ui import sheets

SAID = Sheet("goal", (Entry("what", "I want to lead", 1), Entry("why", "My team grows", 3), Entry("what", "Calmly", 5)))
ASKED = Sheet(
    "questions",
    (
        Entry("theme", "Career", 1),
        Entry("question", "Should I move?", 3, "closed", ("What would moving give me?",)),
        Entry("question", "What do you see in me?", 5, "open", (), 1),
        Entry("question", "Isn't it too late?", 7, "leading", ("What makes now a good time?",), 2),
    ),
)


def test_a_field_holds_one_entry_a_line() -> None:
    assert sheets.field_text(SAID, "what") == "I want to lead\nCalmly"


def test_an_untouched_line_keeps_the_turn_it_came_from_and_a_new_one_has_none() -> None:
    changed = sheets.with_field(SAID, "what", "I want to lead\n\n  With   patience ")
    assert changed.under("what") == (Entry("what", "I want to lead", 1), Entry("what", "With patience", None))
    assert changed.under("why") == SAID.under("why")


def test_an_emptied_field_is_empty() -> None:
    assert sheets.with_field(SAID, "why", "  \n").under("why") == ()


def test_writing_into_an_empty_field_adds_to_the_sheet() -> None:
    assert sheets.with_field(SAID, "support", "An hour a month").under("support") == (
        Entry("support", "An hour a month"),
    )


def test_two_equal_lines_are_both_kept() -> None:
    assert len(sheets.with_field(SAID, "why", "My team grows\nMy team grows").under("why")) == 2


def test_keeping_both_versions_adds_only_the_lines_that_are_missing() -> None:
    both = sheets.with_lines_added(SAID, "what", "Calmly\nSoon")
    assert sheets.field_text(both, "what") == "I want to lead\nCalmly\nSoon"


def test_fields_are_the_flows_elements_then_others_that_hold_something_and_no_questions() -> None:
    sheet = Sheet("questions", (Entry("other", "By the way"), *ASKED.entries))
    assert sheets.field_labels(sheet, ("theme", "question")) == ("theme", "other")


def test_a_question_in_other_words_keeps_its_rank_but_not_its_kind() -> None:
    changed = sheets.with_question(ASKED, 1, "What do you notice in me?")
    assert sheets.questions(changed)[1] == Entry("question", "What do you notice in me?", rank=1)


def test_a_question_can_be_added_by_hand() -> None:
    assert sheets.questions(sheets.with_question(ASKED, 3, " How did you decide? "))[-1].text == "How did you decide?"
    assert sheets.with_question(ASKED, 3, "  ") == ASKED


def test_an_emptied_question_goes_and_the_ranks_close_up() -> None:
    left = sheets.questions(sheets.with_question(ASKED, 1, ""))
    assert [(entry.text, entry.rank) for entry in left] == [("Should I move?", None), ("Isn't it too late?", 1)]


def test_an_open_alternative_takes_the_place_of_a_closed_question() -> None:
    changed = sheets.questions(sheets.with_alternative(ASKED, 0, "What would moving give me?"))[0]
    assert (changed.text, changed.kind, changed.alternatives) == ("What would moving give me?", "open", ())


def test_the_top_three_are_ranked_in_the_order_they_were_chosen_and_a_fourth_does_not_count() -> None:
    four = sheets.with_question(ASKED, 3, "How did you decide?")
    chosen = sheets.with_top(four, [2, 0, 3, 1])
    assert sheets.top(chosen) == (2, 0, 3)
