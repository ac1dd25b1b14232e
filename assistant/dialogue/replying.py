"""One message's way through: stored, read, noted, answered, stored again.

The actor's turn is on the disk before anything else can fail. Whatever happens to the model, the reply is finished
with curated words, and what was shown is what is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from assistant.dialogue.analysis import Analysis
from assistant.dialogue.checks import Allowance
from assistant.dialogue.composer import Composer, Draft, Situation
from assistant.dialogue.flows import Flow
from assistant.dialogue.guide import Intent, Move, Said, advance
from assistant.dialogue.noting import answer_pending, choose_open, note, with_alternatives, with_open
from assistant.dialogue.phrases import Intents, Phrases
from assistant.dialogue.sentences import split
from assistant.dialogue.state import Pending, Standing, read_standing, write_standing
from assistant.dialogue.voice import Outcome, Voice, exchanges
from assistant.domain import (
    Citation,
    Conversation,
    Entry,
    Finished,
    FlowId,
    Hit,
    Language,
    Notice,
    Reading,
    Reply,
    ReplyEvent,
    SearchResult,
    Sentence,
    Sheet,
    SheetChanged,
    Sources,
    Text,
    Timing,
    Turn,
    TurnState,
    Waiting,
)
from assistant.domain import Voice as VoiceName
from assistant.errors import Cancelled, Conflict, ModelError, WorkerError
from assistant.library.cards import Library
from assistant.library.passages import card_text
from assistant.library.search import Search
from assistant.vault.repository import Repository

_MAX_SOURCES = 3


class BoundaryAnswer(Protocol):
    """A fixed answer, and the kind of message it answers."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - fields, told above

    @property
    def text(self) -> str: ...  # noqa: D102

    @property
    def citations(self) -> tuple[Citation, ...]: ...  # noqa: D102


class Boundaries(Protocol):
    """What this module needs of the boundaries."""

    def check(
        self, text: str, language: Language, *, recent: Sequence[str] = (), answering: bool = False
    ) -> BoundaryAnswer | None:
        """The answer a message needs instead of the flow's, or None.

        `recent` are the kinds answered before, `answering` says that the message follows such an answer.
        """


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Everything a reply is made with; shared by all people, holds nothing of anybody."""

    flows: dict[FlowId, Flow]
    phrases: dict[Language, Phrases]
    intents: Intents
    analysis: Analysis
    boundaries: Boundaries
    library: Library
    search: Search
    composer: Composer
    voice: Voice | None


@dataclass(slots=True)
class _Shown:
    """What the person has seen of the reply so far."""

    text: str = ""
    voice: VoiceName = "curated"
    state: TurnState = "complete"
    first_ms: float = 0.0
    outcome: Outcome = field(default_factory=Outcome)

    def add(self, text: str, voice: VoiceName, began: float) -> Text:
        if not self.text:
            self.first_ms = (time.perf_counter() - began) * 1000
        piece = f" {text}" if self.text else text
        self.text += piece
        if voice != "curated":
            self.voice = voice
        return Text(piece, voice)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is being answered: the move and its draft, the turns before, and when the turn was handed in."""

    move: Move
    draft: Draft
    language: Language
    earlier: tuple[Turn, ...]
    actor: Turn
    block: str
    began: float


class ReplyRun:
    """The reply to one turn of one conversation. `stopped` tells whether the person wants no more of it."""

    def __init__(
        self,
        tools: Toolbox,
        repository: Repository,
        person: str,
        conversation: Conversation,
        stopped: Callable[[], bool],
    ) -> None:
        self._tools = tools
        self._repository = repository
        self._session = f"{person}/{conversation.id}"
        self._conversation = conversation
        self._stopped = stopped
        self._flow = tools.flows[conversation.flow]
        self._shown = _Shown()

    def run(self, text: str) -> Iterator[ReplyEvent]:
        """Every event of the reply, ending with Finished."""
        began = time.perf_counter()
        conversation = self._conversation
        earlier = self._repository.turns(conversation.id)
        language = self._tools.analysis.language(text, language_of(conversation, earlier))
        actor = self._repository.append_turn(conversation.id, speaker="actor", text=text, language=language)
        standing = read_standing(self._repository.guide(conversation.id), self._flow)
        answering = bool(earlier) and earlier[-1].voice == "boundary"
        answer = self._tools.boundaries.check(text, language, recent=standing.boundaries, answering=answering)
        if answer is not None:
            shown = self._shown.add(answer.text, "boundary", began)
            standing = replace(standing, boundaries=(*standing.boundaries, answer.kind))
            finished = self._finish(began, language, Draft(answer.text, citations=answer.citations), standing, "")
            yield from (shown, finished)
            return
        said, sheet, changed = self._listen(text, language, standing, actor)
        if changed:
            yield SheetChanged(sheet)
        move, guide = advance(self._flow, standing.guide, said, sheet)
        before, standing = standing.guide, replace(standing, guide=guide, pending=_pending(move, actor))
        found = self._find(text, language) if said.intent in {None, "question"} else None
        situation = Situation(conversation.id, self._flow, language, sheet, _replies(earlier), found)
        draft = self._tools.composer.draft(move, situation)
        yield Sources(_sources(draft, situation.found))
        block = self._block(move, draft, language)
        stored = self._repository.append_turn(
            conversation.id, speaker="peili", text="", language=language, state="streaming", prompt=block
        )
        try:
            yield from self._speak(_Answer(move, draft, language, earlier, actor, block, began))
        except GeneratorExit:
            self._shown.state = "stopped"  # the reader went away in mid-reply
            raise
        finally:
            if self._shown.state == "stopped" and not self._shown.outcome.asked:
                standing = replace(standing, guide=before)  # nobody saw the next question
            self._store(stored, draft, standing)
        yield self._finished(began, language, draft)

    def _listen(self, text: str, language: Language, standing: Standing, actor: Turn) -> tuple[Said, Sheet, bool]:
        tools, flow = self._tools, self._flow
        reading = tools.analysis.read(text, flow.id, language, standing.guide.awaiting)
        reading = replace(reading, language=language)
        if flow.id == "questions":
            phrases = tools.phrases[language]
            weak = {kind: phrases.alternatives(kind) for kind in ("closed", "leading")}
            reading = with_alternatives(reading, weak)
        intent = tools.intents.find(text) if flow.elements else None
        while True:
            sheet, revision = self._repository.sheet(self._conversation.id)
            said, noted = self._note(standing, reading, text, intent, sheet, actor.sequence)
            if noted == sheet:
                return said, sheet, False
            try:
                self._repository.save_sheet(self._conversation.id, noted, revision)
            except Conflict:
                continue  # the person changed the sheet by hand meanwhile: note on what stands there now
            return said, noted, True

    def _note(
        self, standing: Standing, reading: Reading, text: str, intent: Intent | None, sheet: Sheet, turn: int
    ) -> tuple[Said, Sheet]:
        pending = standing.pending
        if pending is not None and self._flow.id == "questions":
            chosen = choose_open(pending.choices, text)
            if chosen is not None:
                noted = Sentence(chosen, 0, len(chosen), ("open",), 1.0)
                return Said(noted=(noted,)), with_open(sheet, pending.text, chosen)
        elif pending is not None:
            phrases = self._tools.phrases[reading.language]
            names = {label: phrases.element(f"{self._flow.id}.{label}") for label in pending.choices}
            labels = () if intent == "skip" else answer_pending(names, text)
            if labels is not None:
                entries = tuple(Entry(label, pending.text, pending.turn) for label in labels)
                noted = Sentence(pending.text, 0, len(pending.text), labels, 1.0)
                return Said(noted=(noted,) if labels else ()), sheet.with_entries(entries)
        return note(self._flow, standing.guide, reading, intent, sheet, turn)

    def _find(self, text: str, language: Language) -> SearchResult:
        return self._tools.search.find(text, language=language, role=self._flow.role, phase=self._flow.phase)

    def _block(self, move: Move, draft: Draft, language: Language) -> str:
        """The workbook's block for the model; empty where the reply is curated throughout."""
        voice = self._tools.voice
        if voice is None or language not in voice.languages:
            return ""
        if move.kind == "ask" and move.noted and self._flow.id != "questions":
            return voice.prompts(language).question_block(draft.question)
        if move.kind == "look_up" and draft.passage:
            return voice.prompts(language).card_block(draft.passage)
        return ""

    def _speak(self, answer: _Answer) -> Iterator[ReplyEvent]:
        voice, draft = self._tools.voice, answer.draft
        if self._stopped():
            self._shown.state = "stopped"
            return
        if voice is None or not answer.block or not voice.speaks(answer.language):
            yield from self._curated(draft.lead, draft.question, answer.began)
            return
        if place := voice.waiting():
            yield Waiting(place)
        outcome = self._shown.outcome
        flow_id: FlowId = "lookup" if answer.move.kind == "look_up" else self._flow.id
        messages = voice.messages(flow_id, answer.language, exchanges(answer.earlier), answer.block, answer.actor.text)
        try:
            for sentence in voice.sentences(messages, self._session, self._allowance(answer), outcome):
                if self._stopped():
                    raise Cancelled
                yield self._shown.add(sentence, "model", answer.began)
        except Cancelled:
            self._shown.state = "stopped"
            return
        except (WorkerError, ModelError) as error:
            yield Notice(f"error.{error.key}", {name: str(value) for name, value in error.params.items()})
        lead = "" if self._shown.text else draft.lead
        if lead:
            self._shown.state = "fell_back"
        yield from self._curated(lead, "" if outcome.asked else draft.question, answer.began)

    def _curated(self, lead: str, question: str, began: float) -> Iterator[Text]:
        if lead:
            yield self._shown.add(lead, "curated", began)
        if question:
            self._shown.outcome.asked = True
            yield self._shown.add(question, "curated", began)

    def _allowance(self, answer: _Answer) -> Allowance:
        said = [span.text for turn in answer.earlier if turn.speaker == "peili" for span in split(turn.text)]
        words = [turn.text for turn in answer.earlier if turn.speaker == "actor"]
        hits = answer.draft.hits[:1]
        cards = [card_text(self._tools.library.nearest_card(hit.card_id, hit.language)) for hit in hits]
        looks_up = answer.move.kind == "look_up"
        own = "\n".join([answer.actor.text, *words])
        sources = "\n".join([own, *cards, answer.draft.question])
        return Allowance(
            answer.language,
            sources,
            asked=tuple(sentence for sentence in said if "?" in sentence),
            advice=looks_up,
            questions=0 if looks_up else 1,
            reserved=len(answer.draft.question.split()),
            said=answer.actor.text,
            own=own,
        )

    def _store(self, stored: Turn, draft: Draft, standing: Standing) -> None:
        shown = self._shown
        self._repository.update_turn(
            self._conversation.id,
            stored.sequence,
            text=shown.text,
            state=shown.state,
            voice=shown.voice,
            citations=draft.citations,
        )
        self._repository.save_guide(self._conversation.id, write_standing(standing))

    def _finish(self, began: float, language: Language, draft: Draft, standing: Standing, prompt: str) -> Finished:
        stored = self._repository.append_turn(
            self._conversation.id, speaker="peili", text="", language=language, state="streaming", prompt=prompt
        )
        self._store(stored, draft, standing)
        return self._finished(began, language, draft)

    def _finished(self, began: float, language: Language, draft: Draft) -> Finished:
        shown, usage = self._shown, self._shown.outcome.usage
        timing = Timing(
            round(shown.first_ms, 1),
            round((time.perf_counter() - began) * 1000, 1),
            usage.prompt_tokens if usage else 0,
            usage.prefilled_tokens if usage else 0,
            usage.generated_tokens if usage else 0,
        )
        return Finished(Reply(shown.text, language, shown.voice, shown.state, draft.citations, timing))


def language_of(conversation: Conversation, turns: tuple[Turn, ...]) -> Language:
    """The language a conversation is held in by now: that of the actor's latest turn."""
    return next((turn.language for turn in reversed(turns) if turn.speaker == "actor"), conversation.language)


def _pending(move: Move, actor: Turn) -> Pending | None:
    """What the person is asked to choose from, if they are."""
    if move.sentence is None:
        return None
    choices = move.sentence.labels if move.kind == "confirm" else move.sentence.alternatives
    return Pending(move.sentence.text, choices, actor.sequence)


def _replies(turns: tuple[Turn, ...]) -> int:
    return sum(1 for turn in turns if turn.speaker == "peili")


def _sources(draft: Draft, found: SearchResult | None) -> tuple[Hit, ...]:
    """The cards the reply rests on, then what the library has on the actor's own words."""
    hits = list(draft.hits)
    if found is not None and not found.abstained:
        hits += [hit for hit in found.hits if hit.card_id not in {known.card_id for known in hits}]
    return tuple(hits[:_MAX_SOURCES])
