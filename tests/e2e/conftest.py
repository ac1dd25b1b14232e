"""A real browser before a real Peili.

`peili` is the app as a person starts it, in a process of its own, without a chat model. `staged` is the same page over
scripted services in this process: there a test decides what a reply does and how long it takes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fakes.scripted_services import ScriptedServices
from playwright.sync_api import Browser, expect, sync_playwright

from assistant.domain import Language
from assistant.paths import PROJECT_ROOT
from assistant.ui.server import create_app
from assistant.ui.serving import free_socket
from e2e.people import SLOW_MS, Arrive, Person, Staged


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """For these tests alone: while the driver is there, no other test of this process can run an event loop."""
    expect.set_options(timeout=SLOW_MS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


def _chromium() -> str:
    for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"):
        if Path(path).exists():
            return path
    pytest.fail("no Chromium is installed: apt-get install chromium")


@pytest.fixture(scope="session")
def peili(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running Peili without models."""
    home = tmp_path_factory.mktemp("peili")
    (home / "settings.toml").write_text('chat_model = "none"\n', encoding="utf-8")
    with running_peili(home) as address:
        yield address


@pytest.fixture(scope="session")
def peili_with_models(tmp_path_factory: pytest.TempPathFactory, real_models: Path) -> Iterator[str]:
    """The address of a running Peili with the real models, which may still be starting."""
    home = tmp_path_factory.mktemp("peili-with-models")
    (home / "models").symlink_to(real_models, target_is_directory=True)
    with running_peili(home) as address:
        yield address


@contextmanager
def running_peili(home: Path) -> Iterator[str]:
    """The app as a person starts it, in a process of its own."""
    command = [sys.executable, "-m", "assistant", "run", "--no-browser", "--port", "0"]
    environment = {**os.environ, "PEILI_HOME": str(home)}
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line
        try:
            yield found.group(0)
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    services = ScriptedServices(tmp_path_factory.mktemp("staged"))
    with closing(free_socket(0)) as listening:
        config = uvicorn.Config(create_app(services), log_level="warning", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Staged(f"http://127.0.0.1:{listening.getsockname()[1]}/", services)
        server.should_exit = True
        thread.join()


@pytest.fixture
def staged(stage: Staged) -> Iterator[Staged]:
    """A page whose replies the test decides, and its address."""
    yield stage
    stage.services.starts_anew()


@pytest.fixture
def arrive(chromium: Browser) -> Iterator[Arrive]:
    """Someone sits down at a browser of their own; after the test, it must have asked no other machine for anything."""
    people: list[Person] = []

    def sits_down(url: str, language: Language = "en", **options: Any) -> Person:
        person = Person(chromium.new_context(**options), url, language)
        people.append(person)
        return person

    yield sits_down
    for person in people:
        person.context.close()
        assert person.strays == []
