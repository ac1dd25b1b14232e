"""The models as LangChain sees them: messages in, chunks, usage and vectors out."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.vectorstores import InMemoryVectorStore
from scripted_encoder import DIMENSION
from scripted_model import REPLY, asked_of

from assistant.domain import Language
from assistant.inference.chat_model import PeiliChatModel, as_prompt
from assistant.inference.embeddings import Encoder, LocalEmbeddings
from assistant.inference.model import ChatEngine, Prefill, Sampling, Usage
from assistant.inference.templates import PromptTurn
from assistant.inference.worker import Worker

TALK: list[BaseMessage] = [
    SystemMessage("You help."),
    HumanMessage([{"type": "text", "text": "Ask what. "}, {"type": "text", "text": "Better meetings."}]),
    AIMessage("What would be different?"),
    HumanMessage("Shorter ones."),
]


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    made = Worker("scripted_model", {"preparing": str(Path(tmp_path_factory.mktemp("model")) / "preparing")})
    yield made
    made.stop()


@pytest.fixture
def model(worker: Worker) -> PeiliChatModel:
    languages: frozenset[Language] = frozenset({"en"})
    return PeiliChatModel(engine=ChatEngine(worker, name="script", template_name="chatml", languages=languages))


@pytest.fixture(scope="module")
def encoder() -> Iterator[Encoder]:
    made = Encoder(Worker("scripted_encoder", {}), name="script")
    yield made
    made.close()


def test_a_conversation_becomes_exchanges() -> None:
    assert as_prompt(TALK, "ann/1") == (
        "ann/1",
        "You help.",
        (
            PromptTurn(("Ask what. ", "Better meetings."), "What would be different?"),
            PromptTurn(("Shorter ones.",), None),
        ),
    )


def test_a_reply_is_streamed_and_ends_with_what_it_cost(model: PeiliChatModel) -> None:
    chunks = list(model.stream(TALK, session="ann/1"))
    assert tuple(chunk.text for chunk in chunks if chunk.text) == REPLY
    usage = [chunk.response_metadata["usage"] for chunk in chunks if "usage" in chunk.response_metadata]
    assert usage == [Usage(50, 7, 4, 20, 30)]
    assert chunks[0].response_metadata == {"prefill": Prefill(50, 7, 20)}
    whole = sum(chunks[1:], start=chunks[0])
    assert isinstance(whole, AIMessageChunk)
    assert whole.usage_metadata == {"input_tokens": 50, "output_tokens": 4, "total_tokens": 54}


def test_a_whole_reply_at_once_tells_its_cost_too(model: PeiliChatModel) -> None:
    message = model.invoke(TALK, session="ann/1", sampling=Sampling(max_tokens=9))
    assert message.text == "".join(REPLY)
    assert message.usage_metadata == {"input_tokens": 50, "output_tokens": 4, "total_tokens": 54}
    assert message.response_metadata["usage"] == Usage(50, 7, 4, 20, 30)


def test_blocks_of_a_message_reach_the_model_apart(model: PeiliChatModel, worker: Worker) -> None:
    model.invoke(TALK, session="ann/1")
    asked = asked_of(worker)[-1]
    assert asked.session == "ann/1"
    plain = [[text for text, control in group if not control] for group in asked.groups]
    assert plain == [["You help."], ["Ask what. ", "Better meetings.", "What would be different?"], ["Shorter ones."]]


def test_a_prompt_prepared_in_advance_is_the_beginning_of_the_real_one(model: PeiliChatModel, worker: Worker) -> None:
    guess = HumanMessage([{"type": "text", "text": "Ask by when. "}])
    model.prepare([*TALK[:3], guess], session="ann/1")
    assert model.engine.wait_prepared(60)
    said = HumanMessage([{"type": "text", "text": "Ask by when. "}, {"type": "text", "text": "In spring."}])
    model.invoke([*TALK[:3], said], session="ann/1")
    prepared, real = (list(itertools.chain(*asked.groups)) for asked in asked_of(worker)[-2:])
    assert prepared == real[: len(prepared)]
    assert real[len(prepared)] == ("In spring.", False)


def test_leaving_a_stream_stops_the_model(model: PeiliChatModel, worker: Worker) -> None:
    stream = model.stream([HumanMessage("slowly")], session="ann/1")
    assert next(stream).text == "Well "
    assert isinstance(stream, Generator)
    stream.close()
    assert asked_of(worker)[-1].end == "cancelled"


def test_it_works_in_a_chain(model: PeiliChatModel, worker: Worker) -> None:
    chain = ChatPromptTemplate.from_messages([("system", "You help."), ("human", "{words}")]) | model
    assert chain.invoke({"words": "{__class__} {{7*7}} <|im_end|>"}).text == "".join(REPLY)
    assert asked_of(worker)[-1].newest == ["{__class__} {{7*7}} <|im_end|>"]


def test_there_is_a_row_for_every_text(encoder: Encoder) -> None:
    done: list[int] = []
    rows = encoder.encode(["a", "bb", "ccc"], "document", progress=done.append)
    assert rows.dtype == np.float32
    assert rows.tolist() == [[1, 0, 1], [2, 0, 1], [3, 0, 1]]
    assert done == [2, 3]
    assert (encoder.dimension, encoder.state) == (DIMENSION, "ready")


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([], "query").shape == (0, DIMENSION)
    assert LocalEmbeddings(encoder).embed_documents([]) == []


def test_queries_and_documents_are_told_apart(encoder: Encoder) -> None:
    embeddings = LocalEmbeddings(encoder)
    assert embeddings.embed_documents(["aa", "b"]) == [[2, 0, 1], [1, 0, 1]]
    assert embeddings.embed_query("aa") == [2, 1, 1]


def test_a_vector_store_takes_the_embeddings(encoder: Encoder) -> None:
    store = InMemoryVectorStore(LocalEmbeddings(encoder))
    store.add_texts(["a long text about feedback", "short"])
    assert len(store.similarity_search("question", k=1)) == 1
