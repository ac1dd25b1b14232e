"""The chat model's LangChain face.

A prompt is a SystemMessage (the fixed part), then HumanMessage and AIMessage in turn. A HumanMessage may hold several
text blocks; they are tokenised apart, so that a block which was prepared in advance can be reused as it stands. An
AIMessage at the end is how the reply begins; the model goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from assistant.inference.model import ChatEngine, Prefill, PromptInput, Sampling, Usage
from assistant.inference.templates import PromptTurn


class PeiliChatModel(BaseChatModel):
    """LangChain chat model over a `ChatEngine`.

    `stream` and `invoke` take `session` ("person/conversation"; what is evaluated for it is reused in its next turn),
    `sampling` and `on_place` (told the place in the queue) beside the messages.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: ChatEngine
    sampling: Sampling = Sampling()

    @property
    def _llm_type(self) -> str:
        return "peili"

    def prepare(self, messages: Sequence[BaseMessage], *, session: str) -> None:
        """Evaluate `messages` when nobody needs the model; the last HumanMessage is left open, to be continued."""
        self.engine.prepare(as_prompt(messages, session))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        session: str = "anyone/none",
        sampling: Sampling | None = None,
        on_place: Callable[[int], None] | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        prompt = as_prompt(messages, session)
        with closing(self.engine.stream(prompt, sampling or self.sampling, on_place=on_place)) as pieces:
            for piece in pieces:
                if isinstance(piece, Usage):
                    yield ChatGenerationChunk(message=_usage_chunk(piece))
                    continue
                if isinstance(piece, Prefill):
                    yield ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata={"prefill": piece}))
                    continue
                yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
                if run_manager is not None:
                    run_manager.on_llm_new_token(piece)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))


def _usage_chunk(usage: Usage) -> AIMessageChunk:
    total = usage.prompt_tokens + usage.generated_tokens
    metadata = UsageMetadata(input_tokens=usage.prompt_tokens, output_tokens=usage.generated_tokens, total_tokens=total)
    return AIMessageChunk(content="", usage_metadata=metadata, response_metadata={"usage": usage})


def as_prompt(messages: Sequence[BaseMessage], session: str) -> PromptInput:
    """LangChain messages as the engine's prompt."""
    system, turns = "", []
    for message in messages:
        if isinstance(message, SystemMessage):
            system = str(message.content)
        elif isinstance(message, HumanMessage):
            turns.append(PromptTurn(_blocks(message), None))
        else:
            turns[-1] = turns[-1]._replace(reply=str(message.content))
    if turns and turns[-1].reply is not None:
        turns[-1] = turns[-1]._replace(reply=None, opening=turns[-1].reply)
    return PromptInput(session, system, tuple(turns))


def _blocks(message: BaseMessage) -> tuple[str, ...]:
    content = message.content
    if isinstance(content, str):
        return (content,)
    return tuple(block if isinstance(block, str) else str(block["text"]) for block in content)
