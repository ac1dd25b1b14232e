"""The page of one language as Gradio Blocks: first every part is built, then what they do is bound."""

from __future__ import annotations

from typing import Any

import gradio as gr
from fastapi import FastAPI

from assistant.domain import Language
from assistant.errors import PeiliError
from assistant.ui.doors import LANGUAGE_SETTING
from assistant.ui.guards import session_cookie
from assistant.ui.pages.conversations import build_conversations, wire_conversations
from assistant.ui.pages.opening import closed, opened
from assistant.ui.pages.parts import HIDDEN, Page, Room, Updates
from assistant.ui.pages.saving import wire_sheet
from assistant.ui.pages.sheet import build_sheet
from assistant.ui.pages.sources import build_sources, wire_sources
from assistant.ui.pages.talk import build_talk, wire_talk
from assistant.ui.ports import Services
from assistant.ui.sessions import Login, Sessions
from assistant.ui.theme import peili_theme
from assistant.wording import say


def mounted_page(services: Services, sessions: Sessions, language: Language) -> FastAPI:
    """An app that serves the page of `language` at /app/<language>/."""
    blocks = build_blocks(services, sessions, language)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def user(request: Any) -> str | None:
        login = sessions.find(session_cookie(request.scope))
        return login.id if login else None

    gr.mount_gradio_app(
        app,
        blocks,
        path=f"/app/{language}",
        auth_dependency=user,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        show_error=False,
        max_file_size=1,
        allowed_paths=[],
        blocked_paths=[str(services.paths.home)],
        theme=peili_theme(),
    )
    return app


def build_blocks(services: Services, sessions: Sessions, language: Language) -> gr.Blocks:
    """The Blocks; they hold no person's words."""
    title = say(language, "page.title")
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True, fill_height=True) as blocks:
        page = _build_page(language)
        room = Room(page, sessions, services.library, language)
        wire_conversations(room)
        wire_talk(room)
        wire_sheet(room)
        wire_sources(room)
        room.bind([blocks.load], _shown_first(room), [], page.all)
        blocks.unload(_left(sessions))
    blocks.queue(api_open=False, status_update_rate="auto", default_concurrency_limit=None)
    sessions.on_end(_forgetting(blocks))
    return blocks


def _build_page(language: Language) -> Page:
    conversation, pace = gr.Textbox("", visible=HIDDEN), gr.Textbox("", visible=HIDDEN)
    with gr.Row(elem_id="desk", equal_height=False):
        with gr.Column(elem_id="conversations", scale=0, min_width=240):
            conversations = build_conversations(language)
        with gr.Column(elem_id="talk", scale=1, min_width=320):
            talk = build_talk(language)
        with gr.Column(elem_id="beside", scale=0, min_width=320), gr.Tabs(elem_id="tabs") as beside:
            sheet = build_sheet(language)
            sources = build_sources(language)
    return Page(conversation, pace, beside, conversations, talk, sheet, sources)


def _shown_first(room: Room) -> Any:
    """What a page shows when it is loaded: the conversation opened last, or what one can begin."""

    def load(request: gr.Request) -> Updates:
        login = room.login(request)
        _remember_language(login, room.language)
        if login.opened is None:
            return closed(room, login, request.session_hash)
        return opened(room, login, login.opened, request.session_hash)

    return load


def _left(sessions: Sessions) -> Any:
    """What happens when a tab is closed. (It also makes Gradio tell us, by a connection, how long a tab is there.)"""

    def leave(request: gr.Request) -> None:
        login = sessions.find(session_cookie(request.request.scope))
        if login is not None:
            login.forget_page(request.session_hash)

    return leave


def _remember_language(login: Login, language: Language) -> None:
    """Keep the language of the page the person went to, for the next time."""
    if login.language == language:
        return
    login.language = language
    try:
        login.vault.repository.set_setting(LANGUAGE_SETTING, language)
    except PeiliError:
        return  # only a convenience: the page works in this language all the same


def _forgetting(blocks: gr.Blocks) -> Any:
    """What drops Gradio's own memory of a page: it keeps what components were last told to show."""

    def forget(page: str) -> None:
        holder = getattr(blocks, "state_holder", None)
        if holder is not None:
            holder.session_data.pop(page, None)
            holder.time_last_used.pop(page, None)

    return forget
