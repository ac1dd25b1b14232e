"""How a conversation is written down for a model: control pieces by template name, never by a template inside a file.

Names are those of the catalogue. The empty think block of `chatml-nothink` stands in old turns too, so a prompt stays
a prefix of the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assistant.errors import ModelError


class Segment(NamedTuple):
    """A piece of a prompt. Only a `control` piece may hold control tokens; other text is plain text to the model."""

    text: str
    control: bool


class PromptTurn(NamedTuple):
    """One exchange: what the model is given, in pieces tokenised apart, and its reply if it is in the past.

    `opening` is how a reply that is still to come begins.
    """

    given: tuple[str, ...]
    reply: str | None
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """Control pieces around the parts of a conversation."""

    system_open: str
    system_close: str
    user_open: str
    user_close: str
    reply_open: str
    reply_close: str

    def fixed(self, system: str) -> list[Segment]:
        """The fixed instructions, first in every prompt."""
        return [Segment(self.system_open, True), Segment(system, False), Segment(self.system_close, True)]

    def turn(self, turn: PromptTurn, *, closed: bool = True) -> list[Segment]:
        """One exchange; with `closed` false what is handed over is left open, for more to come behind it."""
        pieces = [Segment(self.user_open, True), *(Segment(text, False) for text in turn.given)]
        if not closed:
            return pieces
        pieces += [Segment(self.user_close, True), Segment(self.reply_open, True)]
        if turn.opening:
            pieces.append(Segment(turn.opening, False))
        if turn.reply is not None:
            pieces += [Segment(turn.reply, False), Segment(self.reply_close, True)]
        return pieces


_CHATML = Template(
    "<|im_start|>system\n",
    "<|im_end|>\n",
    "<|im_start|>user\n",
    "<|im_end|>\n",
    "<|im_start|>assistant\n",
    "<|im_end|>\n",
)
_TEMPLATES = {
    "chatml": _CHATML,
    "chatml-nothink": Template(
        _CHATML.system_open,
        _CHATML.system_close,
        _CHATML.user_open,
        _CHATML.user_close,
        "<|im_start|>assistant\n<think>\n\n</think>\n\n",
        "<|im_end|>\n",
    ),
    "mistral": Template("<s>[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[INST]", "[/INST]", "", "</s>"),
    "gemma3": Template(
        "<bos><start_of_turn>user\n",
        "\n\n",
        "",
        "<end_of_turn>\n",
        "<start_of_turn>model\n",
        "<end_of_turn>\n<start_of_turn>user\n",
    ),
    "gemma4": Template(
        "<bos><|turn>system\n", "<turn|>\n", "<|turn>user\n", "<turn|>\n", "<|turn>model\n", "<turn|>\n"
    ),
}


def template(name: str) -> Template:
    """The template of that name; ModelError if Peili has none."""
    try:
        return _TEMPLATES[name]
    except KeyError:
        raise ModelError("template_unknown", template=name) from None


def segments(chosen: Template, system: str, turns: Sequence[PromptTurn], *, closed: bool) -> list[list[Segment]]:
    """A whole prompt in groups: the fixed part first, then one group a turn, the newest last and `closed` or open."""
    groups = [chosen.fixed(system)]
    for index, turn in enumerate(turns):
        newest = index == len(turns) - 1
        groups.append(chosen.turn(turn, closed=closed or not newest))
    return groups
