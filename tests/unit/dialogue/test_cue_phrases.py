"""The syntax in which the cues of the boundaries are written, mark by mark."""

from __future__ import annotations

import pytest

from assistant.dialogue.cue_phrases import fold, parse_phrase


def found(phrase: str, text: str, *, sets: dict[str, tuple[str, ...]] | None = None) -> bool:
    """Whether the phrase stands anywhere in the text."""
    words, wanted = fold(text), parse_phrase(phrase, sets)
    return any(wanted.end(words, start) is not None for start in range(len(words.all)))


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("want to die", "I WANT to die!"),
        ("want to die", "i want, to - die"),
        ("itsemurh*", "mietin itsemurhaa"),
        ("suicide~", "is it sucide"),
        ("suicide~", "is it suiciide"),
        ("suicide~", "is it suicdie"),
        ("suicide~", "is it suicode"),
        ("hyppään", "hyppaan"),
        ("hyppaan", "hyppään"),
        ("dont", "I don’t"),
        ("die", "I want to dieeee"),
        ("want|wish to die|disappear", "i wish to disappear"),
        ("want _ die", "i want to just die"),
        ("want _3 die", "i want to go and die"),
        ("## <pills>", "i took 20 tablets"),
        ("^ yes", "Yes, I do"),
        ("done $", "I am done. Tomorrow I rest"),
        ("done $", "I am done and tired"),
        ("no more|$", "I say no"),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str) -> None:
    assert found(phrase, text, sets={"pills": ("pills", "tablets")})


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("die", "a new diet"),
        ("suicide~", "sidecar"),
        ("suicide~", "scide"),
        ("want _ die", "i want to go and really die"),
        ("want die", "i want to die"),
        ("## <pills>", "i took 2 tablets"),
        ("^ yes", "oh yes"),
        ("done $", "I am done writing"),
        ("die", "d i e"),
    ],
)
def test_a_phrase_is_not_found(phrase: str, text: str) -> None:
    assert not found(phrase, text, sets={"pills": ("pills", "tablets")})


def test_a_hiding_phrase_passes_over_neither_a_sign_nor_a_word_for_oneself() -> None:
    hiding = parse_phrase("he _3 die", own=("I", "me"))

    def hides(text: str) -> bool:
        return hiding.end(fold(text), 0) is not None

    assert hides("he wants to die")
    assert not hides("he left. To die")
    assert not hides("he says I die")


@pytest.mark.parametrize("phrase", ["", "^", "_ die", "die _", "$ die", "$", "die! now", "<unknown> die", "di*e"])
def test_a_phrase_that_breaks_the_rules_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError):
        parse_phrase(phrase)
