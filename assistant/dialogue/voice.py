"""The model's voice: what it is given, and its sentences one by one behind the checks.

The fixed part names only the flow; it holds no private word, so its state is kept on disk. What is given with a turn
is short, goes behind everything before it, and comes in two blocks: the workbook's (which can be guessed while the
person still types) and the person's own words.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import NamedTuple

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage

from assistant.dialogue.checks import Allowance, Checks
from assistant.dialogue.sentences import split
from assistant.domain import LANGUAGES, FlowId, Language, Turn
from assistant.errors import LibraryError
from assistant.inference.chat_model import PeiliChatModel
from assistant.inference.model import Prefill, Usage

_MAX_PASSAGE_WORDS = 80  # about 120 tokens in English
_MAX_SENTENCES = 3
_READING_S = 120.0


class Exchange(NamedTuple):
    """An earlier exchange as the model saw it: the workbook's block, the person's words, the reply that was shown."""

    block: str
    words: str
    reply: str


@dataclass(slots=True)
class Outcome:
    """How a model reply went; filled while it is streamed. `rejected` is set when a sentence failed a check.

    Where the reply was ended early, `usage` counts the pieces that came as its generated tokens.
    """

    usage: Usage | None = None
    rejected: bool = False
    asked: bool = False

    def take(self, chunk: AIMessageChunk) -> None:
        """Note what a chunk tells of the cost."""
        told = chunk.response_metadata
        prefill: Prefill | None = told.get("prefill")
        if prefill is not None:
            self.usage = Usage(prefill.prompt_tokens, prefill.prefilled_tokens, 0, prefill.prefill_ms, 0)
        self.usage = told.get("usage", self.usage)
        if chunk.content and self.usage is not None:
            self.usage = self.usage._replace(generated_tokens=self.usage.generated_tokens + 1)


@dataclass(frozen=True, slots=True)
class VoicePrompts:
    """The prompt texts of one language."""

    fixed: Mapping[FlowId, str]
    blocks: Mapping[str, str]

    def question_block(self, question: str) -> str:
        """The workbook's block for a question to lead to."""
        return Template(self.blocks["question"]).substitute(question=question)

    def card_block(self, passage: str) -> str:
        """The workbook's block for a passage to adapt, cut to what a turn may cost."""
        words = passage.split()
        short = " ".join(words[:_MAX_PASSAGE_WORDS])
        return Template(self.blocks["card"]).substitute(passage=short)

    def message(self, words: str) -> str:
        """The person's own words as the second block."""
        return Template(self.blocks["message"]).substitute(words=words)


class Voice:
    """Words replies with the model, sentence by sentence; what fails a check ends the model's part."""

    def __init__(self, model: PeiliChatModel, prompts: Mapping[Language, VoicePrompts], checks: Checks) -> None:
        self._model = model
        self._prompts = prompts
        self._checks = checks
        self.rejections: Counter[str] = Counter()

    @property
    def languages(self) -> frozenset[Language]:
        """The languages the model may word replies in."""
        return self._model.engine.languages

    def speaks(self, language: Language) -> bool:
        """Whether the model may word replies in this language, and is ready to."""
        engine = self._model.engine
        return language in engine.languages and engine.state == "ready"

    def waiting(self) -> int:
        """How many requests are before a new one."""
        return self._model.engine.waiting()

    def prompts(self, language: Language) -> VoicePrompts:
        """The prompt texts of a language."""
        return self._prompts[language]

    def sentences(
        self, messages: list[BaseMessage], session: str, allowance: Allowance, outcome: Outcome
    ) -> Iterator[str]:
        """Checked sentences as they come, at most three, ending after a question. Errors as `ChatEngine.stream`."""
        shown = ""
        with closing(self._raw_sentences(messages, session, outcome)) as raw:
            for count, sentence in enumerate(raw, start=1):
                reason = self._checks.reason(sentence, shown, allowance)
                if reason is not None:
                    self.rejections[reason] += 1
                    outcome.rejected = True
                    return
                shown = f"{shown} {sentence}".strip()
                outcome.asked = "?" in sentence
                yield sentence
                if outcome.asked or count == _MAX_SENTENCES:
                    return

    def messages(
        self, flow: FlowId, language: Language, earlier: Sequence[Exchange], block: str, words: str | None
    ) -> list[BaseMessage]:
        """The whole prompt. Without `words` the newest turn is left open behind its block, to be continued."""
        prompts = self._prompts[language]
        messages: list[BaseMessage] = [SystemMessage(prompts.fixed[flow])]
        for exchange in earlier:
            messages.append(_human(exchange.block, prompts.message(exchange.words)))
            messages.append(AIMessage(exchange.reply))
        messages.append(_human(block, prompts.message(words) if words is not None else ""))
        if words is not None and flow != "lookup" and prompts.blocks["opening"]:
            messages.append(AIMessage(prompts.blocks["opening"]))
        return messages

    def prepare(self, messages: list[BaseMessage], session: str) -> None:
        """Evaluate a prompt while nobody needs the model."""
        self._model.prepare(messages, session=session)

    def read_instructions(self) -> None:
        """Let the model read the fixed part of every flow it may speak in, so that nobody's first turn waits for it.

        What was read before lies on disk and is only loaded. Ends early when somebody needs the model.
        """
        engine = self._model.engine
        for language in sorted(engine.languages):
            for flow, text in self._prompts[language].fixed.items():
                if engine.waiting():
                    return
                self._model.prepare([SystemMessage(text)], session=f"instructions/{language}-{flow}")
                engine.wait_prepared(_READING_S)

    def stop(self, session: str) -> None:
        """Stop the reply of a session."""
        self._model.engine.stop(session)

    def forget(self, session: str) -> None:
        """Let the model forget what it has read of a session."""
        self._model.engine.forget(session)

    def _raw_sentences(self, messages: list[BaseMessage], session: str, outcome: Outcome) -> Generator[str, None, None]:
        opening = str(messages[-1].content) if isinstance(messages[-1], AIMessage) else ""
        rest = opening
        for chunk in self._model.stream(messages, session=session):
            outcome.take(chunk)
            rest += str(chunk.content)
            spans = split(rest)
            if len(spans) > 1:  # what follows has begun, so what is before it is whole
                yield from (span.text for span in spans[:-1])
                rest = rest[spans[-1].start :]
        if rest != opening:
            yield from (span.text for span in split(rest))


def exchanges(turns: Sequence[Turn]) -> tuple[Exchange, ...]:
    """The conversation as the model saw it. What a boundary answered stays out of every prompt."""
    pairs, words = [], None
    for turn in turns:
        if turn.speaker == "actor":
            words = turn.text
        elif words is not None:
            if turn.voice != "boundary":
                pairs.append(Exchange(turn.prompt, words, turn.text))
            words = None
    return tuple(pairs)


def load_voice_prompts(prompts: Path) -> Mapping[Language, VoicePrompts]:
    """The prompts of every language; LibraryError if one is missing or names something unknown."""
    return {language: _load(prompts / language) for language in LANGUAGES}


def _load(folder: Path) -> VoicePrompts:
    try:
        blocks = tomllib.loads((folder / "blocks.toml").read_text(encoding="utf-8"))
        talk = Template((folder / "voice.md").read_text(encoding="utf-8"))
        look_up = (folder / "voice_lookup.md").read_text(encoding="utf-8")
        talks: tuple[FlowId, ...] = ("goal", "questions", "reflection")
        fixed: dict[FlowId, str] = {flow: talk.substitute(subject=blocks[f"subject_{flow}"]) for flow in talks}
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        raise LibraryError("prompt_unreadable", file=folder.name) from error
    return VoicePrompts({**fixed, "lookup": look_up}, blocks)


def _human(*blocks: str) -> HumanMessage:
    return HumanMessage(content=[{"type": "text", "text": block} for block in blocks if block])
