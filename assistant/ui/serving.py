"""One running Peili a home folder, on this machine's loopback address only."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from assistant.errors import PeiliError, VaultError
from assistant.paths import Paths, private_folder
from assistant.ui.ports import Services
from assistant.ui.server import create_app
from assistant.vault.folder import FolderLock, read_private, write_private

HOST = "127.0.0.1"
DEFAULT_PORT = 7861
_PORTS_TRIED = 20
_SHUTDOWN_S = 3
_LOCK = "app.lock"
_ADDRESS = "address.json"


class ServerError(PeiliError):
    """The page cannot be served."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where the page is; `already` if it was running before."""

    url: str
    already: bool = False


def running(paths: Paths) -> Served | None:
    """The Peili that already runs on this home folder, if there is one."""
    try:
        FolderLock(private_folder(paths.runtime) / _LOCK).release()
    except VaultError:
        try:
            stored = json.loads(read_private(paths.runtime / _ADDRESS, 1024))
            return Served(f"http://{HOST}:{int(stored['port'])}/", already=True)
        except (VaultError, ValueError, KeyError, TypeError):
            raise ServerError("already_starting") from None
    return None


def serve(
    services: Services, port: int, open_browser: bool, announce: Callable[[Served], None] = lambda served: None
) -> None:
    """Serve the page until the process is told to stop; `announce` hears the address once it can be opened.

    `port` is the first one tried (0: any). If Peili already runs on this home folder, its page is opened instead.
    Raises ServerError `no_port` if none is free, `already_starting` if another start is just under way.
    """
    there = running(services.paths)
    if there is not None:
        _tell(there, open_browser, announce)
        return
    lock = FolderLock(private_folder(services.paths.runtime) / _LOCK)
    address = services.paths.runtime / _ADDRESS
    try:
        with closing(free_socket(port)) as listening:
            number = listening.getsockname()[1]
            write_private(address, json.dumps({"port": number}).encode())
            served = Served(f"http://{HOST}:{number}/")
            _Server(create_app(services), lambda: _tell(served, open_browser, announce)).run(sockets=[listening])
    finally:
        address.unlink(missing_ok=True)
        lock.release()


class _Server(uvicorn.Server):
    """A server that says when it answers, and lets the pages' open connections go when it is told to stop."""

    def __init__(self, app: FastAPI, when_up: Callable[[], None]) -> None:
        super().__init__(_config(app))
        self._when_up = when_up
        self._closing: asyncio.Event = app.state.closing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._when_up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is open, then stop."""
        self._closing.set()
        await super().shutdown(sockets=sockets)


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="none",
        lifespan="on",
        access_log=False,  # it would print the session_hash
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=200,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


def _tell(served: Served, open_browser: bool, announce: Callable[[Served], None]) -> None:
    announce(served)
    if open_browser:
        # in a thread of its own: some browsers return only when they are closed
        threading.Thread(target=webbrowser.open, args=(served.url,), daemon=True).start()


def free_socket(first: int) -> socket.socket:
    """A bound socket on loopback: `first`, or the next port that is free."""
    for port in range(first, first + _PORTS_TRIED) if first else (0,):
        candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere it would let two programs share the port
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
            candidate.listen(128)
            return candidate
        except (OSError, OverflowError):
            candidate.close()
    raise ServerError("no_port", first=first, last=first + _PORTS_TRIED - 1)
