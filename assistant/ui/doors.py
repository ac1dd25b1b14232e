"""The ways in and out: unlock, new person, recovery code, erase, lock. Plain forms that work without a script."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from assistant.domain import LANGUAGES, Language
from assistant.errors import PeiliError, VaultError
from assistant.ui.front import Front, chosen_language, set_cookie, typed
from assistant.ui.guards import cookie_name, session_cookie
from assistant.ui.ports import Services
from assistant.ui.sessions import Sessions
from assistant.vault.keys import PASSPHRASE_MIN_CHARACTERS, PASSPHRASE_MIN_WORDS
from assistant.vault.registry import OpenVault
from assistant.wording import explain

LANGUAGE_SETTING = "language"
_SECRETS = frozenset({"csrf", "passphrase", "again", "code", "first", "second"})

Form = Mapping[str, str]
Opening = Callable[[Form], tuple[OpenVault, str | None]]


class Doors:
    """The routes before and after the page."""

    def __init__(self, services: Services, sessions: Sessions, front: Front) -> None:
        self._services = services
        self._sessions = sessions
        self._front = front

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/", self.unlock_page, methods=["GET"]),
            Route("/unlock", self.unlock, methods=["POST"]),
            Route("/new", self.form_page("new.html"), methods=["GET"]),
            Route("/new", self.create, methods=["POST"]),
            Route("/recover", self.form_page("recover.html"), methods=["GET"]),
            Route("/recover", self.recover, methods=["POST"]),
            Route("/erase", self.form_page("erase.html"), methods=["GET"]),
            Route("/erase", self.erase, methods=["POST"]),
            Route("/recovery-code", self.code_page, methods=["GET"]),
            Route("/recovery-code/check", self.check_page, methods=["GET"]),
            Route("/recovery-code/check", self.check_code, methods=["POST"]),
            Route("/lock", self.lock, methods=["POST"]),
        ]

    async def unlock_page(self, request: Request) -> Response:
        """Who is there, and the field for the passphrase; a person who is logged in goes straight in."""
        if self._front.login(request) is not None:
            return RedirectResponse("/app", 303)
        note = request.query_params.get("note", "")
        return await self._form(request, "unlock.html", note=note if note in {"locked", "erased"} else "")

    def form_page(self, template: str) -> Callable[[Request], Awaitable[Response]]:
        """A page that shows one of the other forms, empty."""

        async def shown(request: Request) -> Response:
            return await self._form(request, template)

        return shown

    async def unlock(self, request: Request) -> Response:
        """Open a vault with its passphrase."""

        def opening(form: Form) -> tuple[OpenVault, str | None]:
            return self._services.vaults.unlock(form.get("vault", ""), form.get("passphrase", "")), None

        return await self._enter(request, "unlock.html", opening)

    async def create(self, request: Request) -> Response:
        """Make a vault for a new person."""

        def opening(form: Form) -> tuple[OpenVault, str | None]:
            _check_same(form)
            return self._services.vaults.create(form.get("label", ""), form.get("passphrase", ""))

        return await self._enter(request, "new.html", opening)

    async def recover(self, request: Request) -> Response:
        """Open a vault with its recovery code and give it a new passphrase."""

        def opening(form: Form) -> tuple[OpenVault, str | None]:
            _check_same(form)
            vault_id, code, passphrase = (form.get(name, "") for name in ("vault", "code", "passphrase"))
            return self._services.vaults.unlock_with_recovery(vault_id, code, passphrase), None

        return await self._enter(request, "recover.html", opening)

    async def erase(self, request: Request) -> Response:
        """Erase a vault whose name was typed to confirm it."""
        form = await typed(request)

        def work() -> None:
            self._check_token(request, form)
            vault_id = form.get("vault", "")
            labels = dict(self._services.vaults.list())
            if vault_id not in labels:
                raise VaultError("vault_missing")
            if form.get("label", "").strip() != labels[vault_id]:
                raise VaultError("label_not_matching")
            self._services.vaults.erase(vault_id)

        try:
            await run_in_threadpool(work)
        except PeiliError as error:
            return await self._form(request, "erase.html", form, error)
        return RedirectResponse(f"/?lang={self._front.language(request)}&note=erased", 303)

    async def code_page(self, request: Request) -> Response:
        """The recovery code, until it has been typed back."""
        login = self._front.login(request)
        if login is None or login.recovery_code is None:
            return RedirectResponse("/app", 303)
        return self._front.page(request, "code.html", {"groups": login.recovery_code.split("-")})

    async def check_page(self, request: Request) -> Response:
        """Where two groups of the recovery code are typed back."""
        return self._check_form(request, None)

    async def check_code(self, request: Request) -> Response:
        """Go on if both groups are right."""
        form = await typed(request)
        login = self._front.login(request)
        if login is None or login.recovery_code is None:
            return RedirectResponse("/app", 303)
        groups = login.recovery_code.split("-")
        first, second = login.asked_groups
        expected = groups[first] + groups[second]
        given = "".join(form.get(name, "").strip().upper() for name in ("first", "second"))
        try:
            self._check_token(request, form)
            if not hmac.compare_digest(given.encode(), expected.encode()):
                raise VaultError("recovery_groups_wrong")
        except PeiliError as error:
            return self._check_form(request, error)
        login.recovery_code = None
        return RedirectResponse("/app", 303)

    async def lock(self, request: Request) -> Response:
        """Lock the vault, forget the session and what the browser keeps of the page."""
        form = await typed(request)
        language = self._front.language(request)
        login = self._front.login(request)
        if login is not None:
            try:
                self._check_token(request, form)
            except VaultError as error:
                return self._front.page(request, "message.html", {"message": explain(language, error)}, 400)
            await run_in_threadpool(self._sessions.end, login)
        response = RedirectResponse(f"/?lang={language}&note=locked", 303)
        response.delete_cookie(cookie_name(request.scope), path="/", httponly=True, samesite="strict")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    async def _enter(self, request: Request, template: str, opening: Opening) -> Response:
        """Open a vault as `opening` does and log the person in; on an error show the form again with what was typed."""
        form = await typed(request)
        try:
            self._check_token(request, form)
            cookie, code = await run_in_threadpool(self._logged_in, request, form, opening)
        except PeiliError as error:
            return await self._form(request, template, form, error)
        response = RedirectResponse("/app" if code is None else "/recovery-code", 303)
        set_cookie(request, response, cookie)
        return response

    def _logged_in(self, request: Request, form: Form, opening: Opening) -> tuple[str, str | None]:
        """The cookie of a new login, and the recovery code if the vault is new."""
        vault, code = self._opened(form, opening)
        try:
            language = self._remembered_language(request, vault)
            cookie, login = self._sessions.open(vault, self._services.dialogue(vault), language)
        except BaseException:
            vault.lock()
            raise
        if code is not None:
            login.recovery_code, login.asked_groups = code, _two_of(len(code.split("-")))
        return cookie, code

    def _opened(self, form: Form, opening: Opening) -> tuple[OpenVault, str | None]:
        """The vault; one that this process holds open for a browser that was closed is locked there first."""
        try:
            return opening(form)
        except VaultError as error:
            login = self._sessions.of_vault(form.get("vault", ""))
            if error.key != "vault_in_use" or login is None or not login.left:
                raise
            self._sessions.end(login)
            return opening(form)

    def _remembered_language(self, request: Request, vault: OpenVault) -> Language:
        """The language chosen on the page, which is kept, else the one kept from before."""
        chosen = chosen_language(request)
        kept = vault.repository.setting(LANGUAGE_SETTING)
        if chosen is not None and chosen != kept:
            vault.repository.set_setting(LANGUAGE_SETTING, chosen)
        known = next((language for language in LANGUAGES if language == kept), None)
        return chosen or known or self._services.settings.language

    def _check_token(self, request: Request, form: Form) -> None:
        if not self._sessions.csrf_right(session_cookie(request.scope), form.get("csrf", "")):
            raise VaultError("form_outdated")

    def _check_form(self, request: Request, error: PeiliError | None) -> Response:
        login = self._front.login(request)
        if login is None or login.recovery_code is None:
            return RedirectResponse("/app", 303)
        message = explain(self._front.language(request), error) if error else ""
        values = {"groups": [place + 1 for place in login.asked_groups], "error": message}
        return self._front.page(request, "check.html", values, 400 if error else 200)

    async def _form(
        self, request: Request, template: str, form: Form | None = None, error: PeiliError | None = None, note: str = ""
    ) -> Response:
        """A form with the people to choose from, what was typed before (no secrets), and what went wrong."""
        language = self._front.language(request)
        try:
            people = await run_in_threadpool(self._services.vaults.list)
        except VaultError as unreadable:
            people, error = (), error or unreadable
        kept = {name: text for name, text in (form or request.query_params).items() if name not in _SECRETS}
        chosen = kept.get("vault", "")
        values = {
            "people": people,
            "chosen": people[0][0] if len(people) == 1 else chosen,
            "typed": kept,
            "error": explain(language, error) if error else "",
            "note": note,
            "characters": PASSPHRASE_MIN_CHARACTERS,
            "words": PASSPHRASE_MIN_WORDS,
        }
        return self._front.page(request, template, values, 400 if error else 200)


def _check_same(form: Form) -> None:
    if form.get("passphrase", "") != form.get("again", ""):
        raise VaultError("passphrases_differ")


def _two_of(groups: int) -> tuple[int, int]:
    first, second = sorted(secrets.SystemRandom().sample(range(groups), 2))
    return first, second
