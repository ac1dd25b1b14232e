"""The composition root: everything is built here, once, with plain constructors. No other module wires things."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from assistant.dialogue import classifier
from assistant.dialogue.analysis import Analysis
from assistant.dialogue.boundaries import load_boundaries
from assistant.dialogue.checks import load_checks
from assistant.dialogue.composer import Composer
from assistant.dialogue.exemplars import Teaching, load_teaching
from assistant.dialogue.flows import load_flows
from assistant.dialogue.language import LanguageGuesser
from assistant.dialogue.noting import with_alternatives
from assistant.dialogue.phrases import load_intents, load_phrases
from assistant.dialogue.replying import Toolbox
from assistant.dialogue.service import DialogueService
from assistant.dialogue.voice import Voice, load_voice_prompts
from assistant.domain import LANGUAGES, FlowId, Language, Reading
from assistant.errors import LibraryError, PeiliError
from assistant.inference.adding import added_file
from assistant.inference.catalogue import Catalogue, Entry, languages_with_voice, required
from assistant.inference.chat_model import PeiliChatModel
from assistant.inference.embeddings import Encoder, LocalEmbeddings
from assistant.inference.known import load_known
from assistant.inference.model import ChatEngine
from assistant.inference.worker import Worker
from assistant.library.cards import Library
from assistant.library.contacts import Contacts, load_contacts
from assistant.library.index import LibraryIndex, OpenIndex
from assistant.library.manifest import Encoder as EncoderIdentity
from assistant.library.search import Search
from assistant.paths import Paths, private_folder
from assistant.settings import Settings
from assistant.vault.database import Database
from assistant.vault.registry import OpenVault, Vaults
from assistant.vault.repository import Repository

NO_MODEL = "none"
_GIB = 1 << 30
_SNAPSHOT_BYTES = 768 << 20

Part = Literal["encoder", "index", "chat"]
PartState = Literal["off", "starting", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a part of the app is: `done` of `total` texts while an index is built, else 0 of 0. `problem` is the
    wording key of what went wrong.
    """

    part: Part
    state: PartState
    done: int = 0
    total: int = 0
    problem: str = ""


@dataclass(slots=True)
class _Warming:
    """What the background threads report; replaced whole, so reading needs no lock."""

    index: Progress
    encoder: Progress
    chat: Progress
    opened: OpenIndex | None = None


class Services:
    """What the app and the command line work with. The models load in the background, see `warm`."""

    def __init__(  # noqa: PLR0913  # the one place where everything comes together
        self,
        paths: Paths,
        settings: Settings,
        catalogue: Catalogue,
        library: Library,
        contacts: Contacts,
        teaching: Teaching,
        *,
        encoder: Encoder | None,
        chat: ChatEngine | None,
        vaults: Vaults,
    ) -> None:
        self.paths = paths
        self.settings = settings
        self.catalogue = catalogue
        self.library = library
        self.contacts = contacts
        self.teaching = teaching
        self.vaults = vaults
        self.encoder = encoder
        self.chat = chat
        reading: PartState = "off" if encoder is None else "starting"
        wording: PartState = "off" if chat is None else "starting"
        self._warming = _Warming(Progress("index", reading), Progress("encoder", reading), Progress("chat", wording))
        self.search = Search(library, dense=lambda: self._warming.opened)
        guesser = LanguageGuesser({language: teaching.sentences(language) for language in LANGUAGES})
        self.analysis = Analysis(teaching, guesser)
        prompts = paths.prompts
        phrases = dict(load_phrases(prompts))
        self.tools = Toolbox(
            flows=dict(load_flows(prompts / "flows")),
            phrases=phrases,
            intents=load_intents(prompts),
            analysis=self.analysis,
            boundaries=load_boundaries(paths.knowledge, prompts, contacts, library, settings.country),
            library=library,
            search=self.search,
            composer=Composer(phrases, library),
            voice=_voice(chat, paths, guesser),
        )

    def dialogue(self, vault: OpenVault) -> DialogueService:
        """The conversations of the person whose vault is open."""
        return DialogueService(self.tools, vault.repository, vault.vault_id)

    def throwaway_dialogue(self) -> DialogueService:
        """Conversations in memory that are gone with the process."""
        return DialogueService(self.tools, Repository(Database.in_memory()), "throwaway")

    def analyse(self, text: str, flow: FlowId, language: Language | None) -> Reading:
        """What each sentence of a text speaks to; without `language` it is recognised."""
        reading = self.analysis.read(text, flow, language or self.analysis.language(text, self.settings.language))
        if language is not None:
            reading = replace(reading, language=language)
        phrases = self.tools.phrases[reading.language]
        return with_alternatives(reading, {kind: phrases.alternatives(kind) for kind in ("closed", "leading")})

    def lock(self, vault: OpenVault) -> None:
        """Close a vault and drop what the model remembers of it."""
        vault.lock()
        if self.chat is not None:
            self.chat.forget(f"{vault.vault_id}/")

    def progress(self) -> tuple[Progress, ...]:
        """How far each part is, the one needed first first."""
        warming = self._warming
        return warming.encoder, warming.index, warming.chat

    def warm(self) -> None:
        """Load the models in the background; returns at once, see `progress`."""
        for loading in (self._warm_chat, self._load_encoder, self.search.learn):
            threading.Thread(target=loading, name="warm-up", daemon=True).start()

    def load(self) -> None:
        """Load everything and wait for it. What cannot be loaded is told by `progress`; the rest carries on."""
        self.search.learn()
        self._load_chat()
        self._load_encoder()

    def _load_chat(self) -> None:
        if self.chat is None:
            return
        self._warming.chat = _attempt("chat", self.chat.warm)

    def _warm_chat(self) -> None:
        self._load_chat()
        if self._warming.chat.state == "ready" and self.tools.voice is not None:
            self.tools.voice.read_instructions()

    def _load_encoder(self) -> None:
        if self.encoder is None:
            return
        self._warming.encoder = _attempt("encoder", self.encoder.warm)
        if self._warming.encoder.state == "ready":
            self._use_weights()
            self._open_index()
        else:
            self._warming.index = Progress("index", "off")

    def build_index(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Make the library's index anew with the encoder. Raises LibraryError, WorkerError, ModelError."""
        if self.encoder is None:
            raise LibraryError("index_needs_encoder")
        self._index().build(LocalEmbeddings(self.encoder), progress)

    def train_analysis(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Train the sentence analysis from the exemplars. Raises LibraryError, WorkerError, ModelError."""
        if self.encoder is None:
            raise LibraryError("index_needs_encoder")
        weights = classifier.train(self.teaching, self.encoder, self.paths.analysis, progress)
        self.analysis.encoder, self.analysis.weights = self.encoder, weights

    def index_is_current(self) -> bool:
        """Whether the index on disk fits the cards and the encoder."""
        return self.encoder is not None and self._index().is_current()

    def analysis_is_current(self) -> bool:
        """Whether the trained weights on disk fit the exemplars and the encoder."""
        name = self.encoder.name if self.encoder else ""
        return classifier.load(self.teaching, name, self.paths.analysis) is not None

    def close(self) -> None:
        """End the workers."""
        for part in (self.chat, self.encoder):
            if part is not None:
                part.close()
        if self._warming.opened is not None:
            self._warming.opened.close()

    def _open_index(self) -> None:
        if self.encoder is None:
            return
        embeddings = LocalEmbeddings(self.encoder)
        try:
            if not self._index().is_current():
                self._index().build(embeddings, self._tell_index)
            self._warming.opened = self._index().open(embeddings)
            self._warming.index = Progress("index", "ready")
        except PeiliError as error:
            self._warming.index = Progress("index", "failed", problem=error.key)

    def _use_weights(self) -> None:
        if self.encoder is None:
            return
        weights = classifier.load(self.teaching, self.encoder.name, self.paths.analysis)
        if weights is not None:
            self.analysis.encoder, self.analysis.weights = self.encoder, weights

    def _tell_index(self, done: int, total: int) -> None:
        self._warming.index = Progress("index", "starting", done, total)

    def _index(self) -> LibraryIndex:
        entry = self.catalogue.entry(self.settings.encoder)
        return LibraryIndex(self.paths.library_index, self.library, identity(entry))


def build(settings: Settings, paths: Paths, *, chat_model: str | None = None, with_encoder: bool = True) -> Services:
    """Everything, from what lies on disk; no model is loaded yet.

    `chat_model` overrides the setting; `none` means no chat model. A model that is not installed leaves its part off.
    Raises LibraryError or ModelError if what ships with Peili cannot be read.
    """
    private_folder(paths.home)
    catalogue = Catalogue.load(paths.catalogue, added=added_file(paths.models))
    return Services(
        paths,
        settings,
        catalogue,
        Library.load(paths.knowledge),
        load_contacts(paths.knowledge),
        load_teaching(paths.knowledge),
        encoder=_encoder(catalogue.entry(settings.encoder), paths, settings) if with_encoder else None,
        chat=_chat(chat_model or settings.chat_model, catalogue, paths, settings),
        vaults=Vaults(paths.vaults),
    )


def identity(entry: Entry) -> EncoderIdentity:
    """What an index has to have been made with; the prompts are named as the encoder's own configuration names them."""
    weights = next(file for file in entry.files if file.name == "model.safetensors")
    return EncoderIdentity(entry.id, weights.sha256, entry.dimension, "query", "document")


def _encoder(entry: Entry, paths: Paths, settings: Settings) -> Encoder | None:
    try:
        folder = required(paths.models, entry)
    except PeiliError:
        return None
    config = {
        "path": str(folder),
        "prompts": entry.prompts,
        "threads": settings.worker_threads(),
        "yields_cores": True,
    }
    known = load_known(paths.known_vectors(entry.id), identity(entry).sha256)
    return Encoder(Worker("assistant.inference.encoder", config), name=entry.id, known=known)


def _chat(model_id: str, catalogue: Catalogue, paths: Paths, settings: Settings) -> ChatEngine | None:
    if model_id == NO_MODEL:
        return None
    entry = catalogue.entry(model_id)
    try:
        path = required(paths.models, entry)
    except PeiliError:
        return None
    config = {
        "path": str(path),
        "sha256": entry.files[0].sha256,
        "context": entry.ctx_default,
        "threads": settings.worker_threads(),
        "states": str(paths.prefix_states),
        "snapshot_bytes": _SNAPSHOT_BYTES,
        "memory_limit_bytes": int((entry.est_process_gib * 2 + 2) * _GIB),
    }
    worker = Worker("assistant.inference.llm", config)
    languages = languages_with_voice(entry)
    return ChatEngine(worker, name=entry.id, template_name=entry.chat_template, languages=languages)


def _voice(chat: ChatEngine | None, paths: Paths, guesser: LanguageGuesser) -> Voice | None:
    if chat is None:
        return None
    return Voice(PeiliChatModel(engine=chat), load_voice_prompts(paths.prompts), load_checks(paths.prompts, guesser))


def _attempt(part: Part, load: Callable[[], None]) -> Progress:
    try:
        load()
    except PeiliError as error:
        return Progress(part, "failed", problem=error.key)
    return Progress(part, "ready")
