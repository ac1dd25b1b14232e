"""What stands before every request: who may ask at all, how much, and what every answer carries.

Another web page in the person's browser must not reach Peili (DNS rebinding, cross-site requests, framing), and one
person's page must not reach another's: Gradio finds what belongs to a page by its `session_hash` alone, so that is
bound to the login here. Of Gradio's routes only those the page uses exist.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.domain import LANGUAGES
from assistant.ui.sessions import Login, Sessions

BODY_LIMIT_BYTES = 512 * 1024
_BODY_S = 30.0
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_OWN_SITE = frozenset({b"same-origin", b"none"})
_METHODS = frozenset({"GET", "HEAD", "POST"})

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
SECURITY_HEADERS: dict[bytes, bytes] = {
    b"content-security-policy": _POLICY.encode(),
    b"cache-control": b"no-store",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}

_PAGE_FILES = ("assets/", "static/")
_PAGE_GETS = frozenset({"", "config", "theme.css", "gradio_api/queue/data", "gradio_api/startup-events"})
_PAGE_POSTS = frozenset({"gradio_api/queue/join", "gradio_api/cancel", "gradio_api/reset"})
_HEARTBEAT = "gradio_api/heartbeat/"


def cookie_name(scope: Scope) -> str:
    """The session cookie's name; browsers share cookies between ports, so it carries the port."""
    return f"peili-{scope['server'][1]}"


def session_cookie(scope: Scope) -> str | None:
    """The session cookie the browser sent, if any."""
    try:
        cookies = SimpleCookie(_header(scope, b"cookie").decode("latin-1"))
    except CookieError:
        return None
    found = cookies.get(cookie_name(scope))
    return found.value if found else None


class Guard:
    """Refuses what no page of ours would ask, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a refusal."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name.lower() not in SECURITY_HEADERS]
                message = {**message, "headers": [*kept, *SECURITY_HEADERS.items()]}
            await send(message)

        scope = {**scope, "headers": [item for item in scope["headers"] if not item[0].startswith(b"x-forwarded-")]}
        refusal = _refusal(scope)
        body: bytes | None = b""
        if refusal is None and scope["method"] == "POST":
            body = await _whole_body(receive)
            refusal = PlainTextResponse("Too large", 413) if body is None else None
        if refusal is not None or body is None:
            await (refusal or Response(status_code=400))(scope, receive, with_headers)
            return
        await self._app(scope, _replayed(body, receive), with_headers)


class PageGate:
    """Lets only the person who is logged in to Gradio's page, and only to what is theirs of it."""

    def __init__(self, app: ASGIApp, sessions: Sessions, closing: asyncio.Event) -> None:
        """`closing` is set when the app is told to stop: then the connections that stay open are ended."""
        self._app = app
        self._sessions = sessions
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what belongs to the page at /app/<language>/, refuse the rest below /app/."""
        if scope["type"] != "http" or not scope["path"].startswith("/app/"):
            await self._app(scope, receive, send)
            return
        login = self._sessions.find(session_cookie(scope))
        if login is None:
            await _not_logged_in(scope)(scope, receive, send)
            return
        inside = _inside(scope["path"])
        if inside is None or not _exists(scope["method"], inside):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
            return
        body = await _body(receive) if scope["method"] == "POST" else b""
        pages = _pages_named(scope, inside, body)
        if pages is None or not all(self._sessions.claim_page(page, login) for page in pages):
            await PlainTextResponse("Forbidden", 403)(scope, receive, send)
            return
        with self._connected(inside, login):
            await self._pass_on(scope, _replayed(body, self._until_closing(receive)), send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the page answer; an answer that is cut short because the app stops is ended properly."""
        complete = False

        async def sent(message: Message) -> None:
            nonlocal complete
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        await self._app(scope, receive, sent)
        if self._closing.is_set() and not complete:
            await send({"type": "http.response.body", "body": b""})

    def _until_closing(self, receive: Receive) -> Receive:
        async def receive_or_close() -> Message:
            coming = asyncio.ensure_future(receive())
            closing = asyncio.ensure_future(self._closing.wait())
            try:
                await asyncio.wait({coming, closing}, return_when=asyncio.FIRST_COMPLETED)
                return coming.result() if coming.done() else {"type": "http.disconnect"}
            finally:
                coming.cancel()
                closing.cancel()

        return receive_or_close

    def _connected(self, inside: str, login: Login) -> AbstractContextManager[None]:
        return login.tab(self._sessions.clock) if inside.startswith(_HEARTBEAT) else nullcontext()


def _refusal(scope: Scope) -> Response | None:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    port = scope["server"][1]
    own = {f"{name}:{port}".encode() for name in _NAMES}
    if port == 80:
        own |= {name.encode() for name in _NAMES}
    if len(hosts) != 1 or hosts[0].lower() not in own:
        return PlainTextResponse("Misdirected request", 421)
    if not scope["path"].startswith("/"):
        return PlainTextResponse("Bad request", 400)
    if scope["method"] not in _METHODS:
        return PlainTextResponse("Method not allowed", 405)
    if not _from_own_page(scope, b"http://" + hosts[0].lower()):
        return PlainTextResponse("Forbidden", 403)
    length = _header(scope, b"content-length") or b"0"
    if not length.isdigit():
        return PlainTextResponse("Bad request", 400)
    if int(length) > BODY_LIMIT_BYTES:
        return PlainTextResponse("Too large", 413)
    return None


def _from_own_page(scope: Scope, own_origin: bytes) -> bool:
    """Whether a page of ours, the address bar or no browser at all asks.

    A form sent under `Referrer-Policy: no-referrer` has the origin `null`; then the browser's own word on the site has
    to be there. A request that changes something needs one of the two headers: every browser of today sends them.
    """
    site, origin = _header(scope, b"sec-fetch-site"), _header(scope, b"origin").lower()
    if site and site not in _OWN_SITE:
        return False
    if origin and origin != own_origin and not (origin == b"null" and site == b"same-origin"):
        return False
    return scope["method"] != "POST" or bool(site or origin)


def _not_logged_in(scope: Scope) -> Response:
    navigation = scope["method"] == "GET" and b"text/html" in _header(scope, b"accept")
    return RedirectResponse("/", 303) if navigation else PlainTextResponse("Locked", 401)


def _inside(path: str) -> str | None:
    """What follows /app/<language>/ in the path, None if that is not how it begins."""
    parts = path.removeprefix("/app/").split("/", 1)
    if len(parts) != 2 or parts[0] not in LANGUAGES or ".." in parts[1].split("/"):
        return None
    return parts[1]


def _exists(method: str, inside: str) -> bool:
    if method == "POST":
        return inside in _PAGE_POSTS
    return inside in _PAGE_GETS or inside.startswith((*_PAGE_FILES, _HEARTBEAT))


def _pages_named(scope: Scope, inside: str, body: bytes) -> Iterable[str] | None:
    """Every session_hash a request names; None if it should name one and does not."""
    if not inside.startswith("gradio_api/") or inside == "gradio_api/startup-events":
        return ()
    if inside.startswith(_HEARTBEAT):
        return _sound([inside.removeprefix(_HEARTBEAT)])
    if scope["method"] != "POST":
        return _sound(parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", []))
    if not _header(scope, b"content-type").startswith(b"application/json"):
        return None
    try:
        fields = json.loads(body)
    except ValueError:
        return None
    return _sound([fields.get("session_hash")] if isinstance(fields, dict) else [])


def _sound(pages: list[object]) -> list[str] | None:
    found = [page for page in pages if isinstance(page, str) and page.isalnum() and len(page) <= 64]
    return found if found and len(found) == len(pages) else None


async def _whole_body(receive: Receive) -> bytes | None:
    """The request's body; None if it is larger than allowed or does not arrive in time."""
    try:
        async with asyncio.timeout(_BODY_S):
            return await _body(receive)
    except (TimeoutError, OverflowError):
        return None


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT_BYTES:
            raise OverflowError
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` first and then waits as before (for the end of the connection)."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _header(scope: Scope, name: bytes) -> bytes:
    found: bytes = next((value for key, value in scope["headers"] if key == name), b"")
    return found
