"""The app that is served: guards, our own pages, static files, and behind the unlock page Gradio's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from assistant.ui.desk import Build, Desk, build_pages
from assistant.ui.doors import Doors
from assistant.ui.front import FOLDER, Front
from assistant.ui.guards import Guard, PageGate
from assistant.ui.ports import Services
from assistant.ui.sessions import Clock, Sessions
from assistant.ui.view import progress_line
from assistant.wording import say

_SWEEP_S = 5.0


class House:
    """The routes around the page: the way to it, signs of life, and what is told when something is not there."""

    def __init__(self, services: Services, sessions: Sessions, front: Front, desk: Desk) -> None:
        self._services = services
        self._sessions = sessions
        self._front = front
        self._desk = desk

    def add_to(self, app: FastAPI) -> None:
        """Put every route on `app`."""
        app.router.routes += Doors(self._services, self._sessions, self._front).routes()
        app.add_route("/app", self.enter, methods=["GET"])
        app.add_route("/pulse", self.pulse, methods=["GET"])
        app.add_route("/activity", self.activity, methods=["POST"])
        app.mount("/app", self._desk)
        app.mount("/static", StaticFiles(directory=FOLDER / "static"))
        app.add_exception_handler(HTTPException, self.missing)
        app.add_exception_handler(Exception, self.broken)

    async def enter(self, request: Request) -> Response:
        """Go to the page in the person's language, by way of what still has to be done first."""
        login = self._front.login(request)
        if login is None:
            return RedirectResponse("/", 303)
        if login.recovery_code is not None:
            return RedirectResponse("/recovery-code", 303)
        if not self._desk.has(login.language):
            return self._front.page(request, "opening.html", {"failed": self._desk.failed})
        return RedirectResponse(f"/app/{login.language}/", 303)

    async def pulse(self, request: Request) -> Response:
        """What the page asks every few seconds: is the vault still open, and what is still starting."""
        if self._front.login(request) is None:
            return PlainTextResponse("Locked", 401)
        parts = self._services.progress()
        states = {part.state for part in parts}
        state = next((state for state in ("failed", "starting") if state in states), "")
        return JSONResponse({"progress": progress_line(self._front.language(request), parts), "state": state})

    async def activity(self, request: Request) -> Response:
        """The person typed or pointed: the idle time begins anew."""
        login = self._front.login(request)
        if login is None:
            return PlainTextResponse("Locked", 401)
        login.seen = self._sessions.clock()
        return Response(status_code=204)

    async def missing(self, request: Request, error: Exception) -> Response:
        """An address that is not there, or a method it does not know."""
        status = error.status_code if isinstance(error, HTTPException) else 404
        message = say(self._front.language(request), "page.missing")
        return self._front.page(request, "message.html", {"message": message}, status)

    async def broken(self, request: Request, error: Exception) -> Response:
        """Something we did not foresee."""
        message = say(self._front.language(request), "page.broken")
        return self._front.page(request, "message.html", {"message": message}, 500)


def create_app(services: Services, *, clock: Clock = time.monotonic, build: Build = build_pages) -> FastAPI:
    """The whole app over `services`. `clock` gives monotonic seconds; `build` makes what is behind the unlock page.

    `app.state.closing` is an asyncio.Event: once set, the connections that pages keep open are ended.
    """
    sessions = Sessions(clock, services.settings.lock_after_minutes * 60.0, services.lock)
    front = Front(sessions, services.settings.language)
    desk = Desk(front)
    closing = asyncio.Event()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        page = asyncio.create_task(desk.run(partial(build, services, sessions), closing, services.warm))
        sweeping = asyncio.create_task(_sweep(sessions.end_idle))
        try:
            yield
        finally:
            sweeping.cancel()
            closing.set()
            await page
            await run_in_threadpool(sessions.end_all)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    House(services, sessions, front, desk).add_to(app)
    app.state.closing = closing
    app.add_middleware(PageGate, sessions=sessions, closing=closing)
    app.add_middleware(Guard)
    return app


async def _sweep(end_idle: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        await run_in_threadpool(end_idle)
