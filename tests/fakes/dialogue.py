"""A dialogue over real cards, prompts and a real vault in memory, with a scripted model or none.

The model is scripted at its engine: chat model, voice and checks are the real ones. The encoder is hashed
letter n-grams. The boundaries answer only what a test tells them to.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from assistant.dialogue.analysis import Analysis
from assistant.dialogue.checks import Checks, load_checks
from assistant.dialogue.classifier import Matrix
from assistant.dialogue.composer import Composer
from assistant.dialogue.exemplars import Teaching, load_teaching
from assistant.dialogue.flows import load_flows
from assistant.dialogue.language import LanguageGuesser
from assistant.dialogue.phrases import load_intents, load_phrases
from assistant.dialogue.replying import Boundaries, Toolbox
from assistant.dialogue.service import DialogueService
from assistant.dialogue.voice import Voice, load_voice_prompts
from assistant.domain import (
    LANGUAGES,
    Citation,
    Finished,
    FlowId,
    Hit,
    Language,
    Notice,
    Reply,
    ReplyEvent,
    Sheet,
    SheetChanged,
    Sources,
    Text,
    Turn,
)
from assistant.errors import Cancelled
from assistant.inference.chat_model import PeiliChatModel
from assistant.inference.model import ChatEngine, Prefill, PromptInput, Sampling, Usage
from assistant.inference.worker import Worker, WorkerState
from assistant.library.cards import Library
from assistant.library.search import Search
from assistant.paths import PROJECT_ROOT
from assistant.vault.database import Database
from assistant.vault.repository import Repository

KNOWLEDGE, PROMPTS = PROJECT_ROOT / "knowledge", PROJECT_ROOT / "prompts"
PERSON = "aino"

Piece = str | Exception | Callable[[], None]


@cache
def library() -> Library:
    """The cards that ship with Peili."""
    return Library.load(KNOWLEDGE)


@cache
def teaching() -> Teaching:
    """The exemplars and cues that ship with Peili."""
    return load_teaching(KNOWLEDGE)


@cache
def guesser() -> LanguageGuesser:
    """The language guesser as the app makes it."""
    return LanguageGuesser({language: teaching().sentences(language) for language in LANGUAGES})


@cache
def checks() -> Checks:
    """The checks as the app makes them."""
    return load_checks(PROMPTS, guesser())


@cache
def search() -> Search:
    """The search over the real cards with its lexical leg only."""
    return Search(library())


class ScriptedEngine(ChatEngine):
    """A model that says what it is told, one script a reply: pieces of text, an error to raise, something to do.

    A script is the whole reply; what the prompt begins it with is left out, as a model does. `asked` holds the prompts
    it answered, `prepared` those it was given to read ahead, `forgotten` the sessions it was told to forget. `places`
    people are before.
    """

    def __init__(self, *scripts: Sequence[Piece], languages: Sequence[Language] = LANGUAGES, places: int = 0) -> None:
        worker = Worker("scripted", {})
        super().__init__(worker, name="scripted", template_name="chatml", languages=frozenset(languages))
        self.scripts = list(scripts)
        self.places = places
        self.asked: list[PromptInput] = []
        self.prepared: list[PromptInput] = []
        self.stopped: set[str] = set()
        self.forgotten: list[str] = []
        self.now: WorkerState = "ready"

    @property
    def state(self) -> WorkerState:
        return self.now

    def waiting(self) -> int:
        return self.places

    def stream(
        self, prompt: PromptInput, sampling: Sampling, *, on_place: Callable[[int], None] | None = None
    ) -> Generator[Prefill | str | Usage, None, None]:
        self.asked.append(prompt)
        begun = prompt.turns[-1].opening
        yield Prefill(9, 4, 1)
        for piece in self.scripts.pop(0):
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, str):
                yield piece.removeprefix(begun)
                begun = ""
            else:
                piece()
            if prompt.session in self.stopped:
                raise Cancelled
        yield Usage(9, 4, 7, 1, 2)

    def stop(self, session: str) -> None:
        self.stopped.add(session)

    def forget(self, prefix: str) -> None:
        self.forgotten.append(prefix)

    def prepare(self, prompt: PromptInput) -> None:
        self.prepared.append(prompt)

    def wait_prepared(self, timeout_s: float) -> bool:
        return True


def voice_of(engine: ChatEngine) -> Voice:
    """The voice of a model."""
    return Voice(PeiliChatModel(engine=engine), load_voice_prompts(PROMPTS), checks())


def words_of(prompt: PromptInput) -> str:
    """All text of a prompt but its fixed part."""
    return "\n".join(text for turn in prompt.turns for text in (*turn.given, turn.reply or ""))


class LetterEncoder:
    """Rows of hashed letter trigrams: sentences that share letters are near each other."""

    name = "letters"

    def __init__(self, dimension: int = 256) -> None:
        self._dimension = dimension

    def encode(self, texts: Sequence[str], prompt: str, *, progress: Callable[[int], None] | None = None) -> Matrix:
        rows = np.zeros((len(texts), self._dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            padded = f" {text.casefold()} "
            for start in range(len(padded) - 2):
                row[zlib.crc32(padded[start : start + 3].encode()) % self._dimension] += 1
            row /= np.linalg.norm(row)
        if progress is not None:
            progress(len(texts))
        return rows


@dataclass(frozen=True)
class FixedAnswer:
    """What the boundaries answer."""

    text: str
    kind: str = "crisis"
    citations: tuple[Citation, ...] = ()


@dataclass
class FixedBoundaries:
    """Answers a message in which one of these words stands; `met` holds what each message was told of earlier ones."""

    answers: Mapping[str, FixedAnswer] = field(default_factory=dict)
    met: list[tuple[str, ...]] = field(default_factory=list)

    def check(
        self, text: str, language: Language, *, recent: Sequence[str] = (), answering: bool = False
    ) -> FixedAnswer | None:
        self.met.append(tuple(recent))
        return next((answer for word, answer in self.answers.items() if word in text), None)


def toolbox(
    *, voice: Voice | None = None, boundaries: Boundaries | None = None, analysis: Analysis | None = None
) -> Toolbox:
    """Everything a reply is made with: real cards and prompts, and sentences read by their cue words."""
    phrases = dict(load_phrases(PROMPTS))
    return Toolbox(
        flows=dict(load_flows(PROMPTS / "flows")),
        phrases=phrases,
        intents=load_intents(PROMPTS),
        analysis=analysis or Analysis(teaching(), guesser()),
        boundaries=boundaries or FixedBoundaries(),
        library=library(),
        search=search(),
        composer=Composer(phrases, library()),
        voice=voice,
    )


def card_questions(element: str, language: Language) -> frozenset[str]:
    """The cards' questions for an element, as `goal.why`."""
    return frozenset(question.text for _, question in library().questions_for(element, language))


@dataclass(frozen=True)
class Heard:
    """What the person got for one message, in the order it came."""

    events: tuple[ReplyEvent, ...]

    @property
    def reply(self) -> Reply:
        """The finished reply."""
        (finished,) = [event for event in self.events if isinstance(event, Finished)]
        return finished.reply

    @property
    def text(self) -> str:
        """What was shown of the reply."""
        return "".join(event.text for event in self.events if isinstance(event, Text))

    def asks(self, element: str) -> bool:
        """Whether the reply ends with a card's question for this element, and asks nothing else."""
        known = card_questions(element, self.reply.language)
        return self.text.count("?") == 1 and any(self.text.endswith(question) for question in known)

    @property
    def sources(self) -> tuple[Hit, ...]:
        """The cards shown before the reply."""
        return tuple(hit for event in self.events if isinstance(event, Sources) for hit in event.hits)

    @property
    def sheet_changed(self) -> bool:
        """Whether this message's words came on the sheet."""
        return any(isinstance(event, SheetChanged) for event in self.events)

    @property
    def notices(self) -> tuple[str, ...]:
        """The keys of what was said about the app itself."""
        return tuple(event.key for event in self.events if isinstance(event, Notice))


class Talk:
    """One person's conversation, in a vault in memory."""

    def __init__(
        self,
        flow: FlowId,
        language: Language,
        tools: Toolbox | None = None,
        repository: Callable[[Database], Repository] = Repository,
    ) -> None:
        self.tools = tools or toolbox()
        self._database = Database.in_memory()
        self._repository = repository
        self.open()
        self.id = self.service.begin(flow, language).id

    def open(self) -> None:
        """Open the vault as a freshly started Peili does."""
        self.repository = self._repository(self._database)
        self.service = DialogueService(self.tools, self.repository, PERSON)

    def say(self, text: str) -> Heard:
        """Send a message and take everything that comes."""
        return Heard(tuple(self.service.reply(self.id, text)))

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The conversation as it is kept."""
        return self.service.turns(self.id)

    @property
    def sheet(self) -> Sheet:
        """The sheet as it is kept."""
        return self.service.sheet(self.id)[0]

    def under(self, element: str) -> list[str]:
        """What the sheet holds under an element."""
        return [entry.text for entry in self.sheet.under(element)]
