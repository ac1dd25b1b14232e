"""The person's page: Gradio Blocks at /app/<language>/, there as soon as Gradio is imported.

Importing Gradio takes seconds, so it happens in a thread while the unlock page is already served. Each language has its
own Blocks: all their wording is right from the first byte, whatever the browser's language. Gradio's page is framed by
our own header (who is logged in, language, lock), which works even where Gradio does not.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from assistant.domain import LANGUAGES, Language
from assistant.ui.front import Front
from assistant.ui.guards import session_cookie
from assistant.ui.ports import Services
from assistant.ui.sessions import Sessions

_LOG = logging.getLogger(__name__)
_HTML = re.compile(r"<html\s+lang=\"en\"")
_PREVIEW_CARDS = re.compile(r"<meta\s+(?:property=\"og:|name=\"twitter:)[^>]*/>\s*")
_NOT_OURS = re.compile(r"<link rel=\"manifest\"[^>]*/>\s*|<base\b[^>]*/>\s*")
_BODY = re.compile(r"<body\b[^>]*>")

# In the page itself and not through Gradio, which adds its `head` only after its own start: the script has to be first.
_HEAD = """<meta name="color-scheme" content="light dark">
<link rel="icon" href="/static/peili.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/peili.css">
<link rel="stylesheet" href="/static/page.css">
<script src="/static/page.js"></script>
</head>"""

Build = Callable[[Services, Sessions], Iterator[tuple[Language, FastAPI]]]


class Desk:
    """An ASGI app below /app/: the pages as they get ready, or `failed` if they could not be built."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._pages: dict[Language, FastAPI] = {}
        self.failed = False

    def has(self, language: Language) -> bool:
        """Whether the page can be shown in that language."""
        return language in self._pages

    async def run(
        self,
        build: Callable[[], Iterator[tuple[Language, FastAPI]]],
        closing: asyncio.Event,
        when_ready: Callable[[], None],
    ) -> None:
        """Build the pages in a thread, serve them until `closing`; `when_ready` is called once in a thread."""
        async with AsyncExitStack() as stack:
            try:
                pages = build()
                while built := await asyncio.to_thread(next, pages, None):
                    language, app = built
                    await stack.enter_async_context(app.router.lifespan_context(app))
                    self._pages[language] = app
            except Exception as error:
                _LOG.error("the page could not be built: %s", type(error).__name__)
                self.failed = True
            await asyncio.to_thread(when_ready)
            await closing.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the page of its language."""
        named = scope["path"].removeprefix("/app/").split("/", 1)[0]
        language = next((language for language in self._pages if language == named), None)
        if language is None:
            await self._front.page(Request(scope), "opening.html", {"failed": self.failed})(scope, receive, send)
            return
        scope = {**scope, "root_path": ""}
        if scope["path"] == f"/app/{language}/":
            await self._framed(language, scope, receive, send)
        else:
            await self._pages[language](scope, receive, send)

    async def _framed(self, language: Language, scope: Scope, receive: Receive, send: Send) -> None:
        """Gradio's page with our header, the right language, and no address of another machine in it."""
        started: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = message
            else:
                body.extend(message.get("body", b""))

        uncompressed = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
        await self._pages[language]({**scope, "headers": uncompressed}, receive, collect)
        content = bytes(body)
        if started["status"] == 200:
            content = self._with_header(Request(scope), language, content.decode("utf-8")).encode("utf-8")
        headers = [(name, value) for name, value in started["headers"] if name != b"content-length"]
        headers.append((b"content-length", str(len(content)).encode()))
        await send({**started, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _with_header(self, request: Request, language: Language, html: str) -> str:
        login = self._front.login(request)
        values = {"label": login.vault.label if login else ""}
        header = self._front.text(request, "header.html", session_cookie(request.scope) or "", language, values)
        html = _HTML.sub(f'<html lang="{language}"', _NOT_OURS.sub("", _PREVIEW_CARDS.sub("", html)), count=1)
        html = html.replace("</head>", _HEAD, 1)
        return _BODY.sub(lambda found: found.group(0) + header, html, count=1)


def build_pages(services: Services, sessions: Sessions) -> Iterator[tuple[Language, FastAPI]]:
    """Import Gradio and build the page in each language, the workstation's first. Takes seconds."""
    from assistant.ui.blocks import mounted_page

    for language in sorted(LANGUAGES, key=lambda language: language != services.settings.language):
        yield language, mounted_page(services, sessions, language)
