"""Peili's engine beside a plain chat on the same turns: time to first token, prefill, generation, switching, start-up.

The plain chat is what most tools do: `create_chat_completion` with the same instructions and the passages found for the
turn in the system message, then the history. Its measured turns are run with the whole history before them; the turns
between are left out, since the changed passages make it read everything behind them anew in any case.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from langchain_core.messages import BaseMessage

from assistant import app as composition
from assistant.bench.conversation import TURNS
from assistant.dialogue.voice import Exchange, Voice
from assistant.errors import ModelError
from assistant.inference.chat_model import as_prompt
from assistant.inference.model import ChatEngine, PromptInput, Sampling, Usage
from assistant.inference.worker import Worker
from assistant.paths import Paths
from assistant.settings import Settings

SHOWN_TURNS = (1, 2, 5, 10, 20)
PAUSE_S = 5.0
_REPLY_TOKENS = 40
_GENERATED_TOKENS = 96
_ROUNDS = 3
_PLAIN_PASSAGES = 3

Tell = Callable[[str], None]


class First(NamedTuple):
    """A measured reply: seconds to the first token, tokens evaluated for it, tokens/s after it, and its text."""

    seconds: float
    prefilled: int
    per_second: float
    text: str


class Bench:
    """Both engines, and the prompts of the measured conversation."""

    def __init__(self, services: composition.Services, voice: Voice, engine: ChatEngine, plain: Worker) -> None:
        self._services = services
        self._voice = voice
        self._engine = engine
        self._plain = plain
        questions = [question.text for card in services.library.cards("en") for question in card.questions]
        self._blocks = [voice.prompts("en").question_block(questions[index * 3]) for index in range(len(TURNS))]

    def peili(self, session: str, count: int, *, pause: bool) -> Iterator[tuple[int, First, list[Exchange]]]:
        """The conversation in Peili's engine, turn by turn, with the exchanges that were before it."""
        earlier: list[Exchange] = []
        for index in range(count):
            if pause:
                self._engine.prepare(self._prompt(session, earlier, index, words=False))
                self._engine.wait_prepared(PAUSE_S)
            first = self.answer(self._prompt(session, earlier, index), _REPLY_TOKENS)
            yield index + 1, first, earlier
            earlier = [*earlier, Exchange(self._blocks[index], TURNS[index], first.text)]

    def answer(self, prompt: PromptInput, tokens: int) -> First:
        """One reply of Peili's engine."""
        began = time.perf_counter()
        seconds, words, usage = 0.0, [], None
        for piece in self._engine.stream(prompt, Sampling(max_tokens=tokens)):
            if isinstance(piece, Usage):
                usage = piece
            if not isinstance(piece, str):
                continue
            seconds = seconds or time.perf_counter() - began
            words.append(piece)
        after = time.perf_counter() - began - seconds
        generated = usage.generated_tokens if usage else 0
        return First(seconds, usage.prefilled_tokens if usage else 0, (generated - 1) / after, "".join(words).strip())

    def plain(self, earlier: Sequence[Exchange], index: int, tokens: int) -> First:
        """One reply of the plain chat to the same turn after the same history."""
        found = self._services.search.find(TURNS[index], language="en", limit=_PLAIN_PASSAGES)
        cards = [self._services.library.card(hit.card_id, "en") for hit in found.hits]
        passages = "\n\n".join(f"{card.title}\n{card.sections['purpose']}\n{card.sections['when']}" for card in cards)
        system = self._voice.prompts("en").fixed["goal"]
        messages = [{"role": "system", "content": f"{system}\nPassages:\n{passages}"}]
        for exchange in earlier:
            messages += [
                {"role": "user", "content": exchange.block + exchange.words},
                {"role": "assistant", "content": exchange.reply},
            ]
        messages.append({"role": "user", "content": self._blocks[index] + TURNS[index]})
        began = time.perf_counter()
        seconds, pieces, prefilled = 0.0, [], 0
        for message in self._plain.stream("chat", {"messages": messages, "max_tokens": tokens}):
            if message.body["event"] == "piece":
                seconds = seconds or time.perf_counter() - began
                pieces.append(message.body["text"])
            else:
                prefilled = message.body["prefilled_tokens"]
        after = time.perf_counter() - began - seconds
        return First(seconds, prefilled, (len(pieces) - 1) / after, "".join(pieces))

    def generation(self, earlier: list[Exchange]) -> tuple[float, float]:
        """Tokens/s of both engines on the same prompt, medians of rounds taken in turn."""
        index = len(earlier)
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            ours.append(self.answer(self._prompt("bench/generation", earlier, index), _GENERATED_TOKENS).per_second)
            theirs.append(self.plain(earlier, index, _GENERATED_TOKENS).per_second)
        return median(ours), median(theirs)

    def switch_back(self, earlier: list[Exchange]) -> float:
        """Seconds to first token that coming back to a conversation costs beyond staying in it; median of rounds."""
        index = len(earlier)
        stay = self._prompt("bench/stay", earlier, index)
        before = self._prompt("bench/stay", earlier[:-1], index - 1)
        elsewhere = self._prompt("bench/elsewhere", earlier[:1], 1)
        extra = []
        for _ in range(_ROUNDS):
            self.answer(before, 1)
            staying = self.answer(stay, 1).seconds
            self.answer(before, 1)
            self.answer(elsewhere, 1)
            extra.append(self.answer(stay, 1).seconds - staying)
        return median(extra)

    def first_after_start(self) -> float:
        """Seconds to the first token of the first turn after the model was loaded, the fixed part being on disk."""
        self._engine.close_worker()
        self._engine.warm()
        self._engine.prepare(self._prompt("bench/fresh", [], 0, words=False))
        self._engine.wait_prepared(PAUSE_S)
        return self.answer(self._prompt("bench/fresh", [], 0), 1).seconds

    def _prompt(self, session: str, earlier: Sequence[Exchange], index: int, *, words: bool = True) -> PromptInput:
        messages: list[BaseMessage] = self._voice.messages(
            "goal", "en", earlier, self._blocks[index], TURNS[index] if words else None
        )
        return as_prompt(messages, session)


def measure(settings: Settings, paths: Paths, turns: int, tell: Tell) -> dict[str, Any]:
    """Everything, as plain numbers: seconds, tokens, MiB and ratios. Raises ModelError if the model is not here."""
    services = composition.build(replace(settings), paths, with_encoder=False)
    voice, engine = services.tools.voice, services.chat
    if voice is None or engine is None:
        raise ModelError("model_missing", model=settings.chat_model)
    entry = services.catalogue.entry(settings.chat_model)
    plain = Worker(
        "assistant.inference.plain_llm",
        {
            "path": str(entry.path(paths.models)),
            "context": entry.ctx_default,
            "threads": settings.worker_threads(),
        },
    )
    try:
        engine.warm()
        plain.start()
        return _report(Bench(services, voice, engine, plain), engine, plain, turns, paths, tell)
    finally:
        plain.stop()
        services.close()


def _report(  # the whole course of the measurement, read from top to bottom
    bench: Bench, engine: ChatEngine, plain: Worker, turns: int, paths: Paths, tell: Tell
) -> dict[str, Any]:
    rows: dict[int, dict[str, Any]] = {turn: {"turn": turn} for turn in SHOWN_TURNS if turn <= turns}
    histories: dict[int, list[Exchange]] = {}
    for turn, first, earlier in bench.peili("bench/at-once", turns, pause=False):
        tell(f"at once, turn {turn}: {first.seconds:.2f} s")
        histories[turn] = earlier
        _put(rows, turn, "at_once", first)
    for turn, first, _ in bench.peili("bench/paused", turns, pause=True):
        tell(f"after a pause, turn {turn}: {first.seconds:.2f} s")
        _put(rows, turn, "paused", first)
    for turn in rows:
        first = bench.plain(histories[turn], turn - 1, _REPLY_TOKENS)
        tell(f"plain, turn {turn}: {first.seconds:.2f} s")
        _put(rows, turn, "plain", first)
    about_1000_tokens = histories[min(10, max(rows))]
    ours, theirs = bench.generation(histories[min(5, max(rows))])
    figures: dict[str, float | None] = {
        "generation_tokens_per_s": round(ours, 1),
        "plain_generation_tokens_per_s": round(theirs, 1),
        "generation_ratio": round(ours / theirs, 3),
        "switch_back_extra_s": round(bench.switch_back(about_1000_tokens), 3),
        "peak_memory_mib": _peak_mib(engine.pid),
        "plain_peak_memory_mib": _peak_mib(plain.pid),
        "first_turn_after_start_s": round(bench.first_after_start(), 3),
        "start_to_page_s": round(_start_to_page(paths), 2),
    }
    figures |= _ratios(rows)
    return {"turns": list(rows.values()), "figures": figures}


def _put(rows: dict[int, dict[str, Any]], turn: int, name: str, first: First) -> None:
    if turn in rows:
        rows[turn] |= {f"{name}_s": round(first.seconds, 3), f"{name}_tokens": first.prefilled}


def _ratios(rows: dict[int, dict[str, Any]]) -> dict[str, float | None]:
    ratios: dict[str, float | None] = {}
    if 20 in rows:
        ratios["turn_20_over_turn_2"] = round(rows[20]["at_once_s"] / rows[2]["at_once_s"], 2)
    if 10 in rows:
        ratios["plain_over_peili_at_once_turn_10"] = round(rows[10]["plain_s"] / rows[10]["at_once_s"], 1)
        ratios["plain_over_peili_paused_turn_10"] = round(rows[10]["plain_s"] / rows[10]["paused_s"], 1)
    return ratios


def _peak_mib(pid: int | None) -> float | None:
    """The most memory a process held at once (VmHWM), where the system tells."""
    status = Path(f"/proc/{pid}/status")
    if pid is None or not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return round(int(line.split()[1]) / 1024)


def _start_to_page(paths: Paths) -> float:
    """Seconds from starting the app to an unlock page that answers, on a home of its own beside the real models."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "models").symlink_to(paths.models)
        command = [sys.executable, "-m", "assistant", "run", "--no-browser", "--port", "0"]
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  # our own program
            command, env={**os.environ, "PEILI_HOME": home}, stdout=subprocess.PIPE, text=True
        )
        try:
            address = _address(process)
            while True:
                try:
                    with urllib.request.urlopen(address, timeout=5):  # noqa: S310  # the loopback address just told
                        return time.perf_counter() - began
                except urllib.error.URLError:
                    time.sleep(0.02)
        finally:
            process.terminate()
            process.wait(20)


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        for word in line.split():
            if word.startswith("http://127.0.0.1:"):
                return word.rstrip(".")
    raise ModelError("app_did_not_start")
