"""The page as typed parts: NamedTuples of components. `Page` holds them all, so handlers name what they change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import gradio as gr

from assistant.domain import FlowId, Language
from assistant.library.cards import Library
from assistant.ui.guards import session_cookie
from assistant.ui.sessions import Login, Sessions
from assistant.wording import say

Updates = Mapping[Any, Any]

HIDDEN: Literal["hidden"] = "hidden"
"""How a component is told not to be seen. With False it would be taken away, and an update that meets it on its way
back can be lost. Columns know no such state, and telling a tab would tell everything in it: a column of class `part`
is seen when the `head` in it is (page.css).
"""


def seen(condition: bool) -> Literal[True, "hidden"]:
    """What `visible` has to be."""
    return True if condition else HIDDEN


class Conversations(NamedTuple):
    """The list on the left."""

    new: gr.Button
    choices: gr.Radio
    delete: gr.Button
    really: gr.Markdown
    yes: gr.Button
    no: gr.Button


class Talk(NamedTuple):
    """The chat in the middle; `welcome` heads what stands there while no conversation is open."""

    welcome: gr.Markdown
    begin: Mapping[FlowId, gr.Button]
    heading: gr.Markdown
    chat: gr.Chatbot
    status: gr.Markdown
    box: gr.Textbox
    send: gr.Button
    stop: gr.Button


class QuestionRow(NamedTuple):
    """One question of the questions flow and, where it is closed or leading, open ones to choose from."""

    text: gr.Textbox
    open_ones: gr.Radio


class SheetPanel(NamedTuple):
    """The sheet on the right."""

    empty: gr.Markdown
    fields: tuple[gr.Textbox, ...]
    questions: tuple[QuestionRow, ...]
    top: gr.CheckboxGroup
    saved: gr.Markdown
    theirs: gr.Markdown
    add_mine: gr.Button
    take_theirs: gr.Button


class SourcesPanel(NamedTuple):
    """The cards on the right."""

    choices: gr.Radio
    card: gr.Markdown


class Page(NamedTuple):
    """Everything on the page.

    `conversation` is hidden and holds the id of the conversation that the browser shows: it travels with what is typed,
    so words never end up in a conversation that was opened an instant later.
    """

    conversation: gr.Textbox
    pace: gr.Textbox
    beside: gr.Tabs
    conversations: Conversations
    talk: Talk
    sheet: SheetPanel
    sources: SourcesPanel

    @property
    def all(self) -> list[Any]:
        """Every component an event may change; a handler returns only those it does."""
        parts: list[Any] = [self.conversation, self.beside, *self.conversations, *self.sources]
        parts += [part for part in self.talk if not isinstance(part, Mapping)]
        sheet = self.sheet
        parts += [sheet.empty, *sheet.fields, sheet.top, sheet.saved, sheet.theirs]
        parts += [component for row in sheet.questions for component in row]
        return parts


class Room(NamedTuple):
    """What every handler of a page works with."""

    page: Page
    sessions: Sessions
    library: Library
    language: Language

    def login(self, request: gr.Request) -> Login:
        """Whose page this is. Raises gr.Error if the vault was locked meanwhile."""
        login = self.sessions.find(session_cookie(request.request.scope))
        if login is None:
            raise gr.Error(self.say("page.locked"), title=self.say("page.title"), print_exception=False)
        return login

    def say(self, key: str, **params: object) -> str:
        """The wording of `key` in the page's language."""
        return say(self.language, key, **params)

    def bind(
        self,
        events: list[Any],
        handler: Any,
        inputs: list[Any],
        outputs: list[Any],
        *,
        again: Literal["once", "multiple", "always_last"] = "once",
        in_turn: str | None = None,
    ) -> None:
        """Call `handler` on any of `events`. No event is offered as an API.

        `again` says what happens while it already runs for the same tab; handlers with the same `in_turn` run one by
        one. How far an event is, is shown on a component nobody sees: Gradio would tell each output, and by that now
        and then put back the value the output had before.
        """
        gr.on(
            events,
            handler,
            inputs,
            outputs,
            show_progress="hidden",
            show_progress_on=self.page.pace,
            api_visibility="private",
            trigger_mode=again,
            concurrency_limit=1 if in_turn else None,
            concurrency_id=in_turn,
        )
