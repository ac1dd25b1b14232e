"""The list of conversations: open one, begin anew, delete one after asking."""

from __future__ import annotations

import gradio as gr

from assistant.domain import Language
from assistant.errors import PeiliError
from assistant.ui import view
from assistant.ui.pages.opening import closed, listed, opened
from assistant.ui.pages.parts import HIDDEN, Conversations, Room, Updates
from assistant.wording import say


def build_conversations(language: Language) -> Conversations:
    """The components, in the column they are called in. What is empty is not seen (page.css)."""
    new = gr.Button(say(language, "conversations.new"), elem_id="new-conversation")
    choices = gr.Radio([], label=say(language, "conversations.earlier"), elem_id="conversation-list", interactive=True)
    gr.Markdown(say(language, "conversations.none"), elem_classes=["quiet", "no-conversations"])
    delete = gr.Button(say(language, "conversations.delete"), size="sm", visible=HIDDEN, elem_id="delete-conversation")
    with gr.Column(elem_id="confirm-delete", elem_classes="part"):
        really = gr.Markdown("", visible=HIDDEN, elem_classes="head")
        with gr.Row():
            yes = gr.Button(say(language, "conversations.delete_yes"), variant="stop", size="sm")
            no = gr.Button(say(language, "conversations.delete_no"), size="sm")
    return Conversations(new, choices, delete, really, yes, no)


def wire_conversations(room: Room) -> None:
    """Bind what the list does."""
    page = room.page

    def open_chosen(chosen: str | None, request: gr.Request) -> Updates:
        login = room.login(request)
        return opened(room, login, chosen, request.session_hash) if chosen else {}

    def begin_anew(request: gr.Request) -> Updates:
        return closed(room, room.login(request), request.session_hash)

    def ask(conversation_id: str, request: gr.Request) -> Updates:
        login = room.login(request)
        try:
            conversation = login.dialogue.conversation(conversation_id)
        except PeiliError as error:
            return {page.talk.status: view.notice(room.language, error), **listed(room, login, None)}
        name = view.plain(view.title(room.language, conversation))
        return {
            page.conversations.delete: gr.update(visible=HIDDEN),
            page.conversations.really: gr.update(
                visible=True, value=room.say("conversations.delete_really", title=name)
            ),
        }

    def keep() -> Updates:
        return {
            page.conversations.really: gr.update(visible=HIDDEN),
            page.conversations.delete: gr.update(visible=True),
        }

    def delete(conversation_id: str, request: gr.Request) -> Updates:
        login = room.login(request)
        try:
            login.dialogue.delete(conversation_id)
        except PeiliError as error:
            return {page.talk.status: view.notice(room.language, error), **keep()}
        login.sources.pop(conversation_id, None)
        return closed(room, login, request.session_hash)

    parts = page.conversations
    room.bind([parts.choices.input], open_chosen, [parts.choices], page.all)
    room.bind([parts.new.click], begin_anew, [], page.all)
    room.bind([parts.delete.click], ask, [page.conversation], page.all)
    room.bind([parts.no.click], keep, [], [parts.really, parts.delete])
    room.bind([parts.yes.click], delete, [page.conversation], page.all)
