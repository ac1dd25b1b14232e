"""Who is logged in: one `Login` for each vault that was opened at the unlock page, found again by a random cookie.

Nothing a person wrote is kept in the browser. What a page needs between two requests is here, in memory, and gone when
the vault is locked: on the person's wish, after idle minutes, or a minute after the last tab was closed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from assistant.domain import Citation, Language
from assistant.ui.ports import Dialogue
from assistant.vault.registry import OpenVault

Clock = Callable[[], float]

ALONE_S = 60.0
_STOP_S = 2.0
_REMEMBERED_PAGES = 10_000


class Login:
    """One person's unlocked vault and what their pages share.

    `seen` is when they last did something, `opened` the conversation opened last, `sources` the cards beside each
    conversation. A page is known by Gradio's session_hash.
    """

    def __init__(self, vault: OpenVault, dialogue: Dialogue, language: Language, now: float) -> None:
        self.id = secrets.token_hex(8)
        self.vault = vault
        self.dialogue = dialogue
        self.language = language
        self.seen = now
        self.recovery_code: str | None = None
        self.asked_groups: tuple[int, int] = (0, 1)
        self.opened: str | None = None
        self.sources: dict[str, tuple[Citation, ...]] = {}
        self._shown: dict[str, str] = {}
        self._revisions: dict[tuple[str, str], int] = {}
        self._tabs = 0
        self._alone_since: float | None = None
        self._replies: set[str] = set()
        self._quiet = threading.Condition()

    @contextmanager
    def replying(self, conversation_id: str) -> Iterator[None]:
        """While a reply is written; locking stops it first."""
        with self._quiet:
            self._replies.add(conversation_id)
        try:
            yield
        finally:
            with self._quiet:
                self._replies.discard(conversation_id)
                self._quiet.notify_all()

    def show(self, page: str, conversation_id: str, revision: int) -> None:
        """Note that a page shows a conversation now, with the sheet as it was at `revision`."""
        self.opened = self._shown[page] = conversation_id
        self.note_revision(page, conversation_id, revision)

    def shows(self, page: str, conversation_id: str) -> bool:
        """Whether the page shows that conversation."""
        return self._shown.get(page) == conversation_id

    def note_revision(self, page: str, conversation_id: str, revision: int) -> None:
        """Note which revision of the sheet the page shows."""
        self._revisions[page, conversation_id] = revision

    def revision(self, page: str, conversation_id: str) -> int:
        """The revision of the sheet that the page showed last."""
        return self._revisions.get((page, conversation_id), 0)

    def leave(self, page: str) -> None:
        """Note that the page shows no conversation."""
        self._shown.pop(page, None)

    def forget_page(self, page: str) -> None:
        """Note that the page is gone."""
        self.leave(page)
        self._revisions = {key: revision for key, revision in self._revisions.items() if key[0] != page}

    def is_replying(self, conversation_id: str) -> bool:
        """Whether a reply is being written in that conversation."""
        return conversation_id in self._replies

    @contextmanager
    def tab(self, clock: Clock) -> Iterator[None]:
        """While a tab is connected."""
        with self._quiet:
            self._tabs += 1
        try:
            yield
        finally:
            with self._quiet:
                self._tabs -= 1
                self._alone_since = clock()

    @property
    def left(self) -> bool:
        """Whether there was a tab and none is left."""
        return self._tabs == 0 and self._alone_since is not None

    def over(self, now: float, idle_s: float) -> bool:
        """Whether it is time to lock: nothing done for `idle_s` seconds, or every tab closed for a minute."""
        alone = self._alone_since if self._tabs == 0 else None
        return now - self.seen >= idle_s or (alone is not None and now - alone >= ALONE_S)

    def settle(self) -> None:
        """Stop the replies that are being written, and drop what is only in memory."""
        with self._quiet:
            running = tuple(self._replies)
        for conversation_id in running:
            self.dialogue.stop(conversation_id)
        with self._quiet:
            self._quiet.wait_for(lambda: not self._replies, _STOP_S)
        self.recovery_code = None
        self.sources.clear()


class Sessions:
    """Every login of this process. `idle_s` seconds without a sign of the person lock a vault, through `lock`."""

    def __init__(self, clock: Clock, idle_s: float, lock: Callable[[OpenVault], None]) -> None:
        self.clock = clock
        self._lock_vault = lock
        self._idle_s = idle_s
        self._secret = secrets.token_bytes(32)
        self._logins: dict[str, Login] = {}
        self._pages: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._forget: list[Callable[[str], None]] = []

    def open(self, vault: OpenVault, dialogue: Dialogue, language: Language) -> tuple[str, Login]:
        """A new login and the cookie that finds it."""
        cookie = secrets.token_urlsafe(32)
        login = Login(vault, dialogue, language, self.clock())
        with self._lock:
            self._logins[_digest(cookie)] = login
        return cookie, login

    def find(self, cookie: str | None) -> Login | None:
        """The login of that cookie, if it is still open."""
        if not cookie:
            return None
        login = self._logins.get(_digest(cookie))
        if login is not None and login.over(self.clock(), self._idle_s):
            self.end(login)
            return None
        return login

    def of_vault(self, vault_id: str) -> Login | None:
        """The login that has this vault open."""
        with self._lock:
            return next((login for login in self._logins.values() if login.vault.vault_id == vault_id), None)

    def end(self, login: Login) -> None:
        """Lock the vault and forget the login; its cookie and its pages are worth nothing from now on."""
        with self._lock:
            self._logins = {key: other for key, other in self._logins.items() if other is not login}
            pages = [page for page, owner in self._pages.items() if owner == login.id]
        try:
            login.settle()
        finally:
            self._lock_vault(login.vault)
            for page in pages:
                for forget in self._forget:
                    forget(page)

    def end_all(self) -> None:
        """Lock every vault."""
        for login in self._all():
            self.end(login)

    def end_idle(self) -> None:
        """Lock the vaults whose time is over."""
        now = self.clock()
        for login in self._all():
            if login.over(now, self._idle_s):
                self.end(login)

    def claim_page(self, page: str, login: Login) -> bool:
        """Whether `page` (Gradio's session_hash) is this login's: it is if it is new, and never another's again."""
        with self._lock:
            owner = self._pages.setdefault(page, login.id)
            self._pages.move_to_end(page)
            while len(self._pages) > _REMEMBERED_PAGES:
                self._pages.popitem(last=False)
        return owner == login.id

    def on_end(self, forget: Callable[[str], None]) -> None:
        """Call `forget` with each page of a login that ends."""
        self._forget.append(forget)

    def csrf_token(self, cookie: str) -> str:
        """What a form has to carry that was served to the browser with that cookie."""
        return hmac.new(self._secret, cookie.encode(), hashlib.sha256).hexdigest()

    def csrf_right(self, cookie: str | None, token: str) -> bool:
        """Whether the form came from a page of ours in the same browser."""
        return bool(cookie) and hmac.compare_digest(self.csrf_token(cookie or ""), token)

    def _all(self) -> tuple[Login, ...]:
        with self._lock:
            return tuple(self._logins.values())


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
