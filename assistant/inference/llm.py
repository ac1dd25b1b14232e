"""llama.cpp over its C interface, in the worker process. Beside it only the yardstick `plain_llm` knows `llama_cpp`.

The high-level Python class is not used: its sampling loop is slower, a stop waits for the end of the prefill, and its
saved states copy 300 MB of logits. Here a prompt is evaluated in small pieces with a look at the cancel flag between.
"""

from __future__ import annotations

import codecs
import ctypes
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import llama_cpp

from assistant.errors import Cancelled, ModelError
from assistant.inference.sessions import CHUNK, Prompt, Sessions
from assistant.inference.worker import Channel

_SEQUENCE = 0
_PIECE_BYTES = 256


class Engine:
    """One model with one live sequence of at most `context` tokens.

    Token lists are plain ints. Positions count tokens from the start of the sequence.
    """

    def __init__(self, path: Path, *, context: int, threads: int) -> None:
        self._silence = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self._silence, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        model_params = llama_cpp.llama_model_default_params()
        model_params.n_gpu_layers = 0
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), model_params)
        if not self._model:
            raise ModelError("model_refused", name=path.name)
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = params.n_ubatch = CHUNK
        params.n_threads = params.n_threads_batch = threads
        # Measured with 64 tokens at once: 0.66 s after 300 tokens and 0.94 s after 2,000; with it 1.0 s and 1.3 s, and
        # generation 15 % slower. On a processor the plain attention has the faster kernels.
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        if not self._context:
            raise ModelError("model_memory", name=path.name)
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(CHUNK, 0, 1)
        self.context = int(llama_cpp.llama_n_ctx(self._context))

    def tokens(self, text: str, *, control: bool) -> list[int]:
        """The tokens of `text`; control tokens are recognised only in a control piece."""
        raw = text.encode()
        room = (llama_cpp.llama_token * (len(raw) + 8))()
        count = llama_cpp.llama_tokenize(self._vocabulary, raw, len(raw), room, len(room), False, control)
        return list(room[:count])

    def evaluate(self, tokens: Sequence[int], position: int) -> None:
        """Put at most CHUNK tokens behind `position`; the logits of the last one are kept."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = position + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = _SEQUENCE
            batch.logits[index] = index == len(tokens) - 1
        code = llama_cpp.llama_decode(self._context, batch)
        if code != 0:
            raise ModelError("model_failed", code=code)

    def roll_back(self, position: int) -> bool:
        """Forget everything from `position` on; False if this model cannot (then everything is forgotten)."""
        if llama_cpp.llama_memory_seq_rm(self._memory, _SEQUENCE, position, -1):
            return True
        llama_cpp.llama_memory_clear(self._memory, True)
        return False

    def snapshot(self) -> bytearray:
        """The live sequence's state; it holds the conversation and stays in memory. Empty if it cannot be had."""
        size = llama_cpp.llama_state_seq_get_size(self._context, _SEQUENCE)
        state = bytearray(size)  # some 28 KB a token: it is handed on as it is, every copy would be felt
        written = llama_cpp.llama_state_seq_get_data(self._context, _bytes_of(state), size, _SEQUENCE)
        return state if written == size else bytearray()

    def restore(self, state: bytearray) -> bool:
        """Make `state` the live sequence; False if it does not fit this model."""
        llama_cpp.llama_memory_clear(self._memory, True)
        return bool(llama_cpp.llama_state_seq_set_data(self._context, _bytes_of(state), len(state), _SEQUENCE))

    def save(self, path: Path, tokens: Sequence[int]) -> None:
        """Keep the live sequence, which must be exactly `tokens`, in a file (atomically)."""
        part = path.with_suffix(".part")
        room = (llama_cpp.llama_token * len(tokens))(*tokens)
        saved = llama_cpp.llama_state_seq_save_file(self._context, str(part).encode(), _SEQUENCE, room, len(tokens))
        if saved:
            part.replace(path)

    def load(self, path: Path, tokens: Sequence[int]) -> bool:
        """Make the state in `path` the live sequence; False if it is not the state after exactly `tokens`."""
        llama_cpp.llama_memory_clear(self._memory, True)
        room = (llama_cpp.llama_token * (len(tokens) + 1))()
        count = ctypes.c_size_t(0)
        read = llama_cpp.llama_state_seq_load_file(
            self._context, str(path).encode(), _SEQUENCE, room, len(room), ctypes.byref(count)
        )
        if read and list(room[: count.value]) == list(tokens):
            return True
        llama_cpp.llama_memory_clear(self._memory, True)
        return False

    def sample(self, sampling: Mapping[str, Any], position: int) -> Iterator[int]:
        """Tokens one after another from the live sequence, which ends at `position`; ends at the model's end token.

        A token is in the sequence when the next one is asked for, so the caller may stop at any time.
        """
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for stage in (
            llama_cpp.llama_sampler_init_top_k(40),
            llama_cpp.llama_sampler_init_top_p(sampling["top_p"], 1),
            llama_cpp.llama_sampler_init_temp(sampling["temperature"]),
            llama_cpp.llama_sampler_init_dist(sampling["seed"]),
        ):
            llama_cpp.llama_sampler_chain_add(chain, stage)
        try:
            while position < self.context:
                token = llama_cpp.llama_sampler_sample(chain, self._context, -1)
                if llama_cpp.llama_vocab_is_eog(self._vocabulary, token):
                    return
                yield token
                self.evaluate([token], position)
                position += 1
        finally:
            llama_cpp.llama_sampler_free(chain)

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; they may end in the middle of a character."""
        room = ctypes.create_string_buffer(_PIECE_BYTES)
        size = llama_cpp.llama_token_to_piece(self._vocabulary, token, room, _PIECE_BYTES, 0, False)
        return room.raw[: max(size, 0)]


def _bytes_of(state: bytearray) -> Any:
    return (ctypes.c_uint8 * len(state)).from_buffer(state)


def library_version() -> str:
    """The version a saved state belongs to: that of the Python package, which carries its llama.cpp."""
    return str(llama_cpp.__version__)


def serve(channel: Channel, config: Mapping[str, Any]) -> None:
    """Load the model and answer requests: `generate`, `prepare` (prefill only), `forget`."""
    engine = Engine(Path(config["path"]), context=config["context"], threads=config["threads"])
    sessions = Sessions(
        engine,
        states=Path(config["states"]),
        key=f"{config['sha256']}-{library_version()}-{engine.context}",
        snapshot_bytes=config["snapshot_bytes"],
    )
    channel.send("ready", context=engine.context)
    while (request := channel.receive()) is not None:
        try:
            if request["op"] == "forget":
                sessions.forget(request["prefix"])
                channel.send("done")
            else:
                _answer(engine, sessions, channel, request)
        except Cancelled:
            channel.send("cancelled")
        except ModelError as error:
            channel.send("refused", key=error.key, params=error.params)


def _answer(engine: Engine, sessions: Sessions, channel: Channel, request: Mapping[str, Any]) -> None:
    began = time.perf_counter()
    sampling = request.get("sampling")
    prompt = Prompt.from_request(request)
    room = sampling["max_tokens"] if sampling else 0
    cost = sessions.bring_up(prompt, room, channel.is_cancelled)
    counts: dict[str, Any] = {"prompt_tokens": cost.prompt, "prefilled_tokens": cost.prefilled}
    counts["prefill_ms"] = round((time.perf_counter() - began) * 1000)
    if not sampling:
        channel.send("done", **counts)
        return
    channel.send("read", **counts)
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    generated: list[int] = []
    evaluated = 0
    words = []
    began = time.perf_counter()
    for token in engine.sample(sampling, cost.prompt):
        evaluated = len(generated)
        generated.append(token)
        text = decoder.decode(engine.piece(token))
        if text:
            words.append(text)
            channel.send("piece", text=text)
        if channel.is_cancelled() or len(generated) >= sampling["max_tokens"]:
            break
    else:
        evaluated = len(generated)
    sessions.spoke(prompt.session, generated, evaluated, "".join(words))
    elapsed = round((time.perf_counter() - began) * 1000)
    event = "cancelled" if channel.is_cancelled() else "done"
    channel.send(event, generated_tokens=len(generated), generate_ms=elapsed, **counts)
