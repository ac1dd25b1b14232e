"""The rules of knowledge/README.md: what keeps them passes, and each thing that does not is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_library import change, knowledge_in

from assistant.domain import LANGUAGES
from assistant.library.linting import explain, lint


def test_cards_that_keep_the_rules_pass(tmp_path: Path) -> None:
    assert lint(knowledge_in(tmp_path)) == ()


@pytest.mark.parametrize(
    ("language", "old", "new", "rule", "detail"),
    [
        ("en", "dawn dusk " * 12, "dawn ", "length", "17"),
        ("en", "dawn dusk " * 12, "dawn dusk " * 150, "length", "47"),
        ("fi", "on three lines.", "x" * 160, "summary", "186"),
        ("fi", ', "tavoitteen kirjoittaminen d"', "", "aliases", "3"),
        ("sv", '  "att formulera ett mål 3",\n', "", "says", "11"),
        ("sv", "att formulera ett mål 3", "Att formulera ett mål, 2!", "says_repeated", "att formulera ett mål 2"),
        ("en", "minutes = 3\n", "minutes = 4\n", "minutes", "7 ≠ 6"),
        ("en", "minutes = 3\n", "minutes = 4\n", "unequal", "steps"),
        ("en", 'audience = ["actor"]', 'audience = ["mentor"]', "unequal", "audience"),
        ("en", 'for = "goal.what"', 'for = "goal.whim"', "element", "goal.whim"),
        ("en", 'goal, what?"\nfor', 'goal, what."\nfor', "flow_question", "Writing a goal, what."),
        ("en", 'goal, what?"\nfor', 'goal? What?"\nfor', "flow_question", "Writing a goal? What?"),
        ("en", 'Writing a goal, what?"\nfor', 'Hi, what is it?"\nfor', "flow_question", "Hi, what is it?"),
        ("en", "a goal, what?", f"a goal {'so ' * 25}what?", "flow_question", f"Writing a goal {'so ' * 25}what?"),
        ("en", "dawn dusk", "https://a.example", "plain", "https://"),
        ("en", "dawn dusk", "me@a.example", "plain", "me@a.e"),
        ("en", "dawn dusk", "[here](a)", "plain", "]("),
        ("en", "dawn dusk", "a <b>b</b>", "plain", "<b>"),
        ("en", "Writing a goal: one.", "so **much**", "plain", "**"),
        ("en", "- b\n", "- b\n\n| a | b |\n", "plain", "|"),
        ("en", "- b\n", "- b\n\n### More\n", "plain", "#"),
        ("en", "- b\n", "- b\n\n1. one\n", "plain", "1."),
        ("en", "dawn dusk", "call 112 now", "phone", "112"),
        ("en", "dawn dusk", "on 09 2525 0111", "phone", "09 2525 0111"),
        ("en", "dawn dusk", "or 116 123", "phone", "116 123"),
        ("en", "dawn dusk", "90101", "phone", "90101"),
        ("sv", "morgon kväll", "en aktör", "term", "aktör"),
        ("fi", "aamu ilta", "esimiehesi", "term", "esimiehesi"),
        ("fi", "aamu ilta", "“aamu”", "quotes", "“"),
        ("sv", "morgon kväll", "»kväll»", "quotes", "»"),
        ("en", "dawn dusk", "'dawn\" dusk", "quotes", '"'),
        ("en", 'sources = ["W"]', 'sources = ["W", "Q"]', "source", "Q"),
        ("en", 'related = ["KIC-04"]', 'related = ["KIC-44"]', "related", "KIC-44"),
        ("en", 'related = ["KIC-04"]', 'related = ["ACT-10"]', "related", "ACT-10"),
        ("en", "## When not", "## Never", "format", "card_heading"),
        ("en", "## When not", "## Never", "missing", "ACT-10"),
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, language: str, old: str, new: str, rule: str, detail: str) -> None:
    knowledge = knowledge_in(tmp_path)
    change(knowledge / language / "ACT-10.md", old, new)
    found = [item for item in lint(knowledge) if (item.card, item.language, item.rule) == ("ACT-10", language, rule)]
    assert found
    assert any(detail in item.detail for item in found)
    for reader in LANGUAGES:
        assert explain(found[0], reader) != f"library.lint.{rule}"
        assert found[0].detail in explain(found[0], reader) or rule == "format"


def test_an_unpaired_quotation_mark_is_found(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path)
    change(knowledge / "fi" / "ACT-10.md", "aamu ilta", "”aamu")
    change(knowledge / "en" / "KIC-04.md", "dawn dusk", "“dawn")
    assert {(item.card, item.language, item.rule) for item in lint(knowledge)} == {
        ("ACT-10", "fi", "quotes"),
        ("KIC-04", "en", "quotes"),
    }


def test_the_same_saying_on_two_cards_is_found_on_both(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path)
    change(knowledge / "en" / "KIC-04.md", "shared ground rules 5", "Writing a goal 7")
    found = [item for item in lint(knowledge) if item.rule == "says_repeated"]
    assert {item.card for item in found} == {"ACT-10", "KIC-04"}


def test_what_people_say_and_search_by_keeps_its_own_words(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path)
    change(knowledge / "sv" / "ACT-10.md", "att formulera ett mål 4", "är jag en aktör eller adept")
    change(knowledge / "fi" / "ACT-10.md", '"tavoitteen kirjoittaminen a"', '"esimiehen tavoite"')
    assert lint(knowledge) == ()


def test_a_card_in_one_language_only_is_found_missing_in_the_others(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path)
    for language in ("fi", "en"):
        (knowledge / language / "KIC-04.md").unlink()
    assert [(item.card, item.language) for item in lint(knowledge) if item.rule == "missing"] == [
        ("KIC-04", "en"),
        ("KIC-04", "fi"),
    ]


def test_a_question_bank_may_be_longer(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path)
    for language, words in (("fi", "aamu ilta"), ("sv", "morgon kväll"), ("en", "dawn dusk")):
        change(knowledge / language / "ACT-10.md", '"exercise"', '"qbank"')
        change(knowledge / language / "ACT-10.md", words, " ".join([words] * 85))
    assert lint(knowledge) == ()
