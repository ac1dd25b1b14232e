"""The app with scripted services and, in the place of Gradio's pages, one that tells what reached it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fakes.scripted_services import ScriptedServices
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.testclient import TestClient

from assistant.domain import LANGUAGES, Language
from assistant.ui.ports import Services
from assistant.ui.server import create_app
from assistant.ui.sessions import Sessions

HOST = "http://127.0.0.1:7861"
PASSPHRASE = "an evening walk by the sea"  # noqa: S105 - of people who exist only in tests
BROWSER = {"sec-fetch-site": "same-origin", "origin": HOST}
GRADIO_LIKE = (
    '<!doctype html><html\n\tlang="en"><head><meta property="og:image" content="https://example.org/x.jpg" />'
    '<link rel="manifest" href="/manifest.json" /><base href="http://127.0.0.1:7861/app/" /></head>'
    '<body style="margin: 0"><gradio-app></gradio-app></body></html>'
)


class MovableClock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class App:
    """The app and the browsers that use it."""

    def __init__(self, home: Path) -> None:
        self.services = ScriptedServices(home)
        self.clock = MovableClock()
        self.reached: list[tuple[str, str]] = []
        self.app = create_app(self.services, clock=self.clock, build=self._pages)
        self._running = TestClient(self.app, base_url=HOST)

    def __enter__(self) -> App:
        self._running.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._running.__exit__(None, None, None)

    def browser(self) -> TestClient:
        """A browser of its own, which says of itself what browsers say."""
        return TestClient(self.app, base_url=HOST, headers=BROWSER, follow_redirects=False)

    def enter(self, label: str) -> TestClient:
        """A browser in which a new person has gone all the way in."""
        browser = self.browser()
        browser.post("/new", data={**token(browser, "/new"), "label": label, **twice(PASSPHRASE)})
        groups = re.findall(r"<li>(\w{5})</li>", browser.get("/recovery-code").text)
        asked = [int(number) - 1 for number in re.findall(r"Group (\d)", browser.get("/recovery-code/check").text)]
        answer = {"first": groups[asked[0]], "second": groups[asked[1]]}
        browser.post("/recovery-code/check", data={**token(browser, "/recovery-code/check"), **answer})
        return browser

    def _pages(self, services: Services, sessions: Sessions) -> Iterator[tuple[Language, FastAPI]]:
        async def reached(request: Request) -> Response:
            self.reached.append((request.method, request.url.path))
            if request.url.path.endswith("/"):
                return HTMLResponse(GRADIO_LIKE)
            return JSONResponse({"body": (await request.body()).decode()})

        page = FastAPI()
        page.add_route("/{path:path}", reached, methods=["GET", "POST"])
        for language in LANGUAGES:
            yield language, page


def token(browser: TestClient, page: str) -> dict[str, str]:
    """The hidden field of the form on `page`."""
    found = re.search(r'name="csrf" value="(\w+)"', browser.get(page).text)
    assert found
    return {"csrf": found.group(1)}


def twice(passphrase: str) -> dict[str, str]:
    """The two passphrase fields of a form."""
    return {"passphrase": passphrase, "again": passphrase}
