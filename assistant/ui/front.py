"""How our own pages are rendered: Jinja templates, wording through gettext, and the cookie their forms are bound to."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from assistant.domain import LANGUAGES, Language
from assistant.ui.guards import cookie_name, session_cookie
from assistant.ui.sessions import Login, Sessions
from assistant.wording import say

FOLDER = Path(__file__).resolve().parent
LANGUAGE_NAMES: Mapping[Language, str] = {"fi": "Suomi", "sv": "Svenska", "en": "English"}


class Front:
    """Renders the templates. `default` is the language of a page before anyone has chosen one."""

    def __init__(self, sessions: Sessions, default: Language) -> None:
        self._sessions = sessions
        self._default = default
        loader = FileSystemLoader(FOLDER / "templates")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)

    def page(
        self, request: Request, template: str, values: Mapping[str, object] | None = None, status: int = 200
    ) -> HTMLResponse:
        """A page in the person's language; `values` are what its template names beyond the common ones."""
        cookie = session_cookie(request.scope)
        fresh = cookie is None
        cookie = cookie or secrets.token_urlsafe(32)
        language = self.language(request)
        response = HTMLResponse(self.text(request, template, cookie, language, values or {}), status)
        if fresh:
            set_cookie(request, response, cookie)
        return response

    def text(
        self, request: Request, template: str, cookie: str, language: Language, values: Mapping[str, object]
    ) -> str:
        """The rendered template alone."""
        common = {
            "language": language,
            "languages": LANGUAGE_NAMES,
            "t": partial(say, language),
            "csrf": self._sessions.csrf_token(cookie),
            "path": request.url.path,
            "query": f"?lang={language}" if chosen_language(request) else "",
        }
        return self._templates.get_template(template).render({**common, **values})

    def language(self, request: Request) -> Language:
        """What the person chose on this page, else what they use inside, else the workstation's."""
        login = self.login(request)
        return chosen_language(request) or (login.language if login else self._default)

    def login(self, request: Request) -> Login | None:
        """Who is logged in."""
        return self._sessions.find(session_cookie(request.scope))


def chosen_language(request: Request) -> Language | None:
    """The language named in the address, if it is one of ours."""
    named = request.query_params.get("lang", "")
    return next((language for language in LANGUAGES if language == named), None)


def set_cookie(request: Request, response: Response, cookie: str) -> None:
    """Give the browser its session cookie: no script reads it, no other site sends it, it ends with the browser."""
    response.set_cookie(cookie_name(request.scope), cookie, path="/", httponly=True, samesite="strict")


async def typed(request: Request) -> Mapping[str, str]:
    """The fields of a form, the last one of each name; empty if it is not an ordinary form."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        return dict(parse_qsl((await request.body()).decode("utf-8"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        return {}
