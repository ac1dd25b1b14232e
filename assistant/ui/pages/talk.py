"""The chat: what one can begin with, what was said, the box, Send and Stop."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from assistant.domain import FLOWS, FlowId, Language
from assistant.errors import PeiliError
from assistant.ui import view
from assistant.ui.pages.opening import closed, opened, welcome
from assistant.ui.pages.parts import HIDDEN, Room, Talk, Updates
from assistant.ui.pages.replying import reply_in
from assistant.wording import say


def build_talk(language: Language) -> Talk:
    """The components, in the column they are called in."""
    with gr.Column(elem_id="welcome", elem_classes="part"):
        welcome_text = gr.Markdown(welcome(language), visible=HIDDEN, elem_classes="head")
        begin = {flow: _begin_button(language, flow) for flow in FLOWS}
    with gr.Column(elem_id="conversation", elem_classes="part"):
        heading = gr.Markdown("", visible=HIDDEN, elem_id="conversation-title", elem_classes="head")
        chat = gr.Chatbot(
            [],
            elem_id="chat",
            show_label=False,
            height=None,
            buttons=[],
            latex_delimiters=[],
            allow_tags=False,
            feedback_options=[],
            group_consecutive_messages=False,
            placeholder="",
        )
        status = gr.Markdown("", elem_id="status", elem_classes="quiet")
        box, send, stop = _writing_row(language)
    return Talk(welcome_text, begin, heading, chat, status, box, send, stop)


def _begin_button(language: Language, flow: FlowId) -> gr.Button:
    text = f"{say(language, f'flow.{flow}.begin')}\n{say(language, f'flow.{flow}.about')}"
    return gr.Button(text, elem_id=f"begin-{flow}", elem_classes="begin")


def _writing_row(language: Language) -> tuple[gr.Textbox, gr.Button, gr.Button]:
    with gr.Row(elem_id="writing", equal_height=False):
        box = gr.Textbox(
            label=say(language, "talk.box"),
            info=say(language, "talk.keys"),
            placeholder=say(language, "talk.placeholder"),
            lines=1,
            max_lines=8,
            elem_id="box",
            html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
            scale=1,
        )
        with gr.Column(scale=0, min_width=110, elem_id="send-column"):
            send = gr.Button(say(language, "talk.send"), variant="primary", elem_id="send")
            stop = gr.Button(say(language, "talk.stop"), variant="stop", visible=HIDDEN, elem_id="stop")
    return box, send, stop


def wire_talk(room: Room) -> None:
    """Bind what the chat does."""
    page, talk = room.page, room.page.talk

    def beginning(flow: FlowId) -> object:
        def begin(request: gr.Request) -> Updates:
            login = room.login(request)
            try:
                conversation = login.dialogue.begin(flow, room.language)
            except PeiliError as error:
                return closed(room, login, request.session_hash, view.notice(room.language, error))
            return opened(room, login, conversation.id, request.session_hash)

        return begin

    def reply(conversation_id: str, text: str, request: gr.Request) -> Iterator[Updates]:
        yield from reply_in(room, room.login(request), conversation_id, text, request)

    def stop(conversation_id: str, request: gr.Request) -> Updates:
        login = room.login(request)
        if conversation_id:
            login.dialogue.stop(conversation_id)
        return {talk.status: room.say("talk.stopping")}

    for flow, button in talk.begin.items():
        room.bind([button.click], beginning(flow), [], page.all)
    room.bind([talk.send.click, talk.box.submit], reply, [page.conversation, talk.box], page.all, again="multiple")
    room.bind([talk.stop.click], stop, [page.conversation], [talk.status])
