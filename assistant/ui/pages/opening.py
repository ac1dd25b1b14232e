"""What the whole page shows when a conversation is opened or closed."""

from __future__ import annotations

from datetime import datetime

import gradio as gr

from assistant.domain import Citation, Conversation, Language, Turn
from assistant.errors import PeiliError
from assistant.ui import view
from assistant.ui.pages.parts import HIDDEN, Room, Updates, seen
from assistant.ui.pages.sheet import sheet_cleared, sheet_shown
from assistant.ui.pages.sources import sources_shown
from assistant.ui.sessions import Login
from assistant.wording import say


def opened(room: Room, login: Login, conversation_id: str, page_id: str) -> Updates:
    """The page with this conversation; without one, and a word why, if it cannot be opened."""
    try:
        conversation = login.dialogue.conversation(conversation_id)
        turns = login.dialogue.turns(conversation_id)
        sheet, revision = login.dialogue.sheet(conversation_id)
    except PeiliError as error:
        return closed(room, login, page_id, view.notice(room.language, error))
    login.show(page_id, conversation_id, revision)
    sources = login.sources.setdefault(conversation_id, _cited_last(turns))
    page, talk = room.page, room.page.talk
    return {
        page.conversation: conversation_id,
        page.beside: gr.update(selected="sources" if conversation.flow == "lookup" else "sheet"),
        talk.welcome: gr.update(visible=HIDDEN),
        talk.heading: gr.update(visible=True, value=heading(room, conversation)),
        talk.chat: view.messages(room.language, turns),
        talk.status: "",
        **writing(room, login.is_replying(conversation_id)),
        **listed(room, login, conversation_id),
        **sheet_shown(room, login, sheet),
        **sources_shown(room, sources),
    }


def closed(room: Room, login: Login, page_id: str, problem: str = "") -> Updates:
    """The page with no conversation: what one can begin, and what was in the way of something else."""
    login.opened = None
    login.leave(page_id)
    page, talk = room.page, room.page.talk
    return {
        page.conversation: "",
        talk.welcome: gr.update(visible=True, value=welcome(room.language, problem)),
        talk.heading: gr.update(visible=HIDDEN, value=""),
        talk.chat: [],
        talk.status: "",
        **listed(room, login, None),
        **sheet_cleared(room),
        **sources_shown(room, ()),
    }


def listed(room: Room, login: Login, conversation_id: str | None) -> Updates:
    """The list of conversations with one of them chosen."""
    parts = room.page.conversations
    try:
        conversations = login.dialogue.conversations()
    except PeiliError as error:
        return {room.page.talk.status: view.notice(room.language, error)}
    choices = view.conversation_choices(room.language, conversations, datetime.now().astimezone())
    return {
        parts.choices: gr.update(choices=choices, value=conversation_id),
        parts.delete: gr.update(visible=seen(conversation_id is not None)),
        parts.really: gr.update(visible=HIDDEN, value=""),
    }


def welcome(language: Language, problem: str = "") -> str:
    """What stands above the ways to begin."""
    return f"## {say(language, 'welcome.title')}\n\n{problem or say(language, 'welcome.text')}"


def heading(room: Room, conversation: Conversation) -> str:
    """A conversation's title, and its flow in plain words."""
    name = view.plain(view.title(room.language, conversation))
    return f"## {name}\n\n{view.flow_name(room.language, conversation.flow)}"


def writing(room: Room, replying: bool) -> Updates:
    """Send or, while a reply is written, Stop."""
    return {
        room.page.talk.send: gr.update(visible=seen(not replying)),
        room.page.talk.stop: gr.update(visible=seen(replying)),
    }


def _cited_last(turns: tuple[Turn, ...]) -> tuple[Citation, ...]:
    """The cards the newest reply that names any rests on."""
    return next((turn.citations for turn in reversed(turns) if turn.citations), ())
