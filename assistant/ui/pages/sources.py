"""The cards behind a reply: choose one to read it beside the chat, with the cited passage marked."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from assistant.domain import Citation, Language
from assistant.errors import PeiliError
from assistant.ui import view
from assistant.ui.pages.parts import Room, SourcesPanel, Updates
from assistant.wording import say


def build_sources(language: Language) -> SourcesPanel:
    """The components, inside the tabs they are called in. What is empty is not seen (page.css)."""
    with gr.Tab(say(language, "sources.tab"), id="sources", render_children=True):
        gr.Markdown(say(language, "sources.none"), elem_classes=["quiet", "no-sources"])
        choices = gr.Radio([], label=say(language, "sources.choose"), elem_id="source-list", interactive=True)
        card = gr.Markdown("", elem_id="card", latex_delimiters=[])
    return SourcesPanel(choices, card)


def sources_shown(room: Room, sources: Sequence[Citation], *, same: bool = False) -> Updates:
    """The list of cards, none of them open; if they are the `same` as before, the one that is open stays open."""
    parts = room.page.sources
    choices = view.source_choices(room.library, sources)
    if same:
        return {parts.choices: gr.update(choices=choices)}
    return {parts.choices: gr.update(choices=choices, value=None), parts.card: ""}


def wire_sources(room: Room) -> None:
    """Bind what the list does."""
    page = room.page

    def show_card(chosen: str | None, conversation_id: str, request: gr.Request) -> Updates:
        login = room.login(request)
        sources = login.sources.get(conversation_id, ())
        source = next((source for source in sources if source.card_id == chosen), None)
        if source is None:
            return {page.sources.card: ""}
        try:
            text = view.card_text(room.library, source)
        except PeiliError as error:
            text = view.notice(room.language, error)
        return {page.sources.card: text}

    room.bind([page.sources.choices.input], show_card, [page.sources.choices, page.conversation], [page.sources.card])
