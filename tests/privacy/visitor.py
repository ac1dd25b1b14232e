"""Somebody at the page without a browser: keeps the cookie, fills in forms, follows where they lead."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from urllib.parse import urlencode

PATIENCE_S = 300.0
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Visitor:
    """`address` is where the page is, as http://127.0.0.1:PORT/."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def reads(self, path: str) -> str:
        """A page."""
        return self._asked(urllib.request.Request(self._address + path))  # noqa: S310 - the loopback address

    def sends(self, form: str, path: str, **fields: str) -> str:
        """A form that stands on the page `form`, sent to `path`; the page it leads to."""
        token = _CSRF.search(self.reads(form))
        assert token, f"no form at {form}"
        body = urlencode({**fields, "csrf": token.group(1)}).encode()
        request = urllib.request.Request(self._address + path, body)  # noqa: S310 - as above
        request.add_header("Origin", self._address)
        return self._asked(request)

    def joins(self, label: str, passphrase: str) -> str:
        """Make a vault and type back the recovery code; the page behind it."""
        shown = self.sends("/new", "/new", label=label, passphrase=passphrase, again=passphrase)
        groups = re.findall(r"<li>(\w+)</li>", shown)
        asked = [
            int(number)
            for number in re.findall(r"<label for=\"(?:first|second)\">\D*(\d)", self.reads("/recovery-code/check"))
        ]
        first, second = (groups[number - 1] for number in asked)
        return self.sends("/recovery-code/check", "/recovery-code/check", first=first, second=second)

    def waits_until_everything_is_ready(self) -> None:
        """Until the page has nothing to tell about parts that still start."""
        self._waits(lambda: self._pulse()["progress"] == "")

    def opens_the_page(self, language: str) -> str:
        """The page behind the unlock page, once it is there."""
        self._waits(lambda: 'id="bar"' in self.reads(f"/app/{language}/"))
        return self.reads(f"/app/{language}/")

    def _pulse(self) -> dict[str, str]:
        told: dict[str, str] = json.loads(self.reads("/pulse"))
        assert told.get("state") != "failed", told
        return told

    def _waits(self, there: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not there():
            assert time.monotonic() < end, "it takes too long"
            time.sleep(0.5)

    def _asked(self, request: urllib.request.Request) -> str:
        with self._opener.open(request, timeout=60) as answer:
            text: str = answer.read().decode("utf-8")
            return text
