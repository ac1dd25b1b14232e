"""What a person does at the page, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from fakes.scripted_services import ScriptedServices
from playwright.sync_api import BrowserContext, Locator, Page, Request, Route, expect

from assistant.domain import Language
from assistant.wording import say

PASSPHRASE = "an evening walk by the sea"  # noqa: S105 - of people who exist only in tests
SLOW_MS = 30_000


class Arrive(Protocol):
    """How a person sits down at a browser of their own; `options` are Playwright's of a browser context."""

    def __call__(self, url: str, language: Language = "en", **options: Any) -> Person: ...


@dataclass
class Staged:
    """A page over scripted services."""

    url: str
    services: ScriptedServices


@dataclass
class Person:
    """Somebody with a browser of their own, at the page in their language."""

    context: BrowserContext
    url: str
    language: Language
    strays: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(SLOW_MS)
        self.context.route("**/*", self._let_through)
        self.context.on("request", self._note)
        self.page: Page = self.context.new_page()

    def _let_through(self, route: Route) -> None:
        if self._is_local(route.request.url):
            route.continue_()
        else:
            route.abort()

    def _note(self, request: Request) -> None:
        if not self._is_local(request.url):
            self.strays.append(request.url)

    def _is_local(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in {"data", "blob"} or parts.netloc == urlsplit(self.url).netloc

    def says(self, key: str, **params: object) -> str:
        """The app's wording in this person's language."""
        return say(self.language, key, **params)

    def joins(self, label: str) -> Person:
        """Make a vault, write the recovery code down, type two groups of it back, and wait for the page."""
        page = self.page
        page.goto(f"{self.url}new?lang={self.language}")
        page.get_by_label(self.says("new.label"), exact=True).fill(label)
        page.locator("#passphrase").fill(PASSPHRASE)
        page.locator("#again").fill(PASSPHRASE)
        page.get_by_role("button", name=self.says("new.create")).click()
        page.locator(".code li").first.wait_for()
        groups = page.locator(".code li").all_text_contents()
        page.get_by_role("link", name=self.says("code.written")).click()
        fields = page.locator(".field")
        for place in range(2):
            number = re.search(r"\d", fields.nth(place).locator("label").inner_text())
            assert number
            fields.nth(place).locator("input").fill(groups[int(number.group()) - 1])
        page.get_by_role("button", name=self.says("check.go_on")).click()
        self.is_inside()
        return self

    def unlocks(self, label: str, passphrase: str = PASSPHRASE) -> None:
        """Choose their name and type a passphrase."""
        self.page.goto(f"{self.url}?lang={self.language}")
        self.page.get_by_role("radio", name=label, exact=True).check()
        self.page.locator("#passphrase").fill(passphrase)
        self.page.get_by_role("button", name=self.says("unlock.open")).click()

    def is_inside(self) -> None:
        """Wait until the page is there, ready to be used."""
        expect(self.page.locator("#welcome, #conversation").locator("visible=true")).to_have_count(1)

    def locks(self) -> None:
        """Press Lock and wait for the unlock page."""
        self.page.get_by_role("button", name=self.says("header.lock")).click()
        expect(self.page.get_by_text(self.says("note.locked"))).to_be_visible()

    def begins(self, flow: str) -> None:
        """Begin a conversation and wait for Peili's question."""
        self.page.locator(f"#begin-{flow}").click()
        expect(self.box).to_be_visible()

    def writes(self, text: str) -> None:
        """Type a message and press Enter."""
        self.box.fill(text)
        self.box.press("Enter")

    def is_answered(self, turns: int) -> None:
        """Wait until so many messages stand in the chat and the reply is complete."""
        expect(self.messages).to_have_count(turns)
        expect(self.send).to_be_visible()
        expect(self.stop).to_be_hidden()

    def opens_card(self) -> Locator:
        """Open the first card beside the chat."""
        self.page.get_by_role("tab", name=self.says("sources.tab")).click()
        self.page.locator("#source-list label").first.click()
        card = self.page.locator("#card")
        expect(card.locator("h2")).to_be_visible()
        return card

    @property
    def box(self) -> Locator:
        """Where one writes."""
        return self.page.locator("#box textarea")

    @property
    def send(self) -> Locator:
        """The Send button."""
        return self.page.locator("#send")

    @property
    def stop(self) -> Locator:
        """The Stop button."""
        return self.page.locator("#stop")

    @property
    def status(self) -> Locator:
        """The quiet line between chat and box."""
        return self.page.locator("#status")

    @property
    def messages(self) -> Locator:
        """What was said, oldest first."""
        return self.page.locator("#chat .message")

    def field(self, element: str) -> Locator:
        """A field of the sheet."""
        return self.labelled(self.says(f"element.{element}"))

    def labelled(self, label: str) -> Locator:
        """What a person sees under that label."""
        return self.page.get_by_label(label, exact=True).locator("visible=true")

    def kept_in_browser(self) -> str:
        """Everything the browser stores for the page."""
        return str(
            self.page.evaluate(
                """async () => JSON.stringify([
                    Object.entries(localStorage), Object.entries(sessionStorage), await indexedDB.databases(),
                    await caches.keys(), document.cookie])"""
            )
        )
