"""The cards behind a reply: choose one to read it beside the chat, with the cited passage marked."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from assistant.domain import Citation, Language
from assistant.errors import PeiliError
from assistant.ui import view
from assistant.ui.pages.parts import HIDDEN, Room, SourcesPanel, Updates, seen
from assistant.wording import say


def build_sources(language: Language) -> SourcesPanel:
    """The components, inside the tabs they are called in."""
    with gr.Tab(say(language, "sources.tab"), id="sources", render_children=True):
        none = gr.Markdown(say(language, "sources.none"), elem_classes="quiet")
        choices = gr.Radio(
            [], label=say(language, "sources.choose"), elem_id="source-list", visible=HIDDEN, interactive=True
        )
        card = gr.Markdown("", elem_id="card", visible=HIDDEN, latex_delimiters=[])
    return SourcesPanel(none, choices, card)


def sources_shown(room: Room, sources: Sequence[Citation]) -> Updates:
    """The list of cards, none of them open."""
    parts = room.page.sources
    return {
        parts.choices: gr.update(
            choices=view.source_choices(room.library, sources), value=None, visible=seen(bool(sources))
        ),
        parts.none: gr.update(visible=seen(not sources)),
        parts.card: gr.update(value="", visible=HIDDEN),
    }


def wire_sources(room: Room) -> None:
    """Bind what the list does."""
    page = room.page

    def show_card(chosen: str | None, conversation_id: str, request: gr.Request) -> Updates:
        login = room.login(request)
        sources = login.sources.get(conversation_id, ())
        source = next((source for source in sources if source.card_id == chosen), None)
        if source is None:
            return {page.sources.card: gr.update(value="", visible=HIDDEN)}
        try:
            text = view.card_text(room.library, source)
        except PeiliError as error:
            text = view.notice(room.language, error)
        return {page.sources.card: gr.update(value=text, visible=True)}

    room.bind([page.sources.choices.input], show_card, [page.sources.choices, page.conversation], [page.sources.card])
