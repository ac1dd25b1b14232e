"""The Gradio page as it is built: nothing offered as an API, nothing remembered, nobody else's address in it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from fakes.scripted_services import ScriptedServices
from fastapi import FastAPI
from starlette.testclient import TestClient

from assistant.domain import LANGUAGES, Language
from assistant.ui.blocks import build_blocks, mounted_page
from assistant.ui.sessions import Sessions
from assistant.wording import say


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> ScriptedServices:
    return ScriptedServices(tmp_path_factory.mktemp("home"))


@pytest.fixture
def sessions(services: ScriptedServices) -> Sessions:
    return Sessions(time.monotonic, 600, services.lock)


@pytest.fixture
def page(services: ScriptedServices, sessions: Sessions) -> Iterator[FastAPI]:
    yield mounted_page(services, sessions, "fi")


def test_no_event_is_offered_as_an_api(services: ScriptedServices, sessions: Sessions) -> None:
    blocks = build_blocks(services, sessions, "en")
    assert blocks.fns
    assert {fn.api_visibility for fn in blocks.fns.values()} == {"private"}


def test_no_component_is_one_that_needs_a_weaker_policy_or_takes_files(
    services: ScriptedServices, sessions: Sessions
) -> None:
    names = {type(block).__name__ for block in build_blocks(services, sessions, "en").blocks.values()}
    assert not names & {"HTML", "File", "UploadButton", "Image", "Audio", "Video", "BrowserState", "ChatInterface"}


def test_run_history_analytics_and_sharing_are_off(
    page: FastAPI, sessions: Sessions, services: ScriptedServices
) -> None:
    vault, _ = services.vaults.create("Aino", "five words are long enough")
    cookie, _ = sessions.open(vault, services.dialogue(vault), "fi")
    with TestClient(page, base_url="http://127.0.0.1:7861", cookies={"peili-7861": cookie}) as browser:
        html = browser.get("/app/fi/").text
    config = re.search(r"window\.gradio_config = (\{.*?\});</script>", html)
    assert config
    for setting in ('"run_history":false', '"analytics_enabled":false', '"enable_queue":true', '"footer_links":[]'):
        assert setting in config.group(1).replace(": ", ":")
    vault.lock()


def test_without_a_login_gradio_itself_refuses_too(page: FastAPI) -> None:
    with TestClient(page, base_url="http://127.0.0.1:7861") as browser:
        assert browser.get("/app/fi/config").status_code == 401


def test_what_gradio_remembers_of_a_page_is_gone_after_the_lock(
    page: FastAPI, sessions: Sessions, services: ScriptedServices
) -> None:
    vault, _ = services.vaults.create("Björn", "five words are long enough")
    _, login = sessions.open(vault, services.dialogue(vault), "fi")
    gradio = next(route for route in page.routes if getattr(route, "path", "") == "/app/fi")
    holder = gradio.app.state_holder  # type: ignore[attr-defined]  # a mount carries its app
    sessions.claim_page("hispage", login)
    assert holder["hispage"] is not None
    sessions.end(login)
    assert "hispage" not in holder


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("flow", "elements"),
    [
        ("goal", ("what", "why", "evidence", "first_step", "by_when", "support")),
        ("reflection", ("event", "feeling", "insight", "next_step", "deeper")),
        ("questions", ("theme", "question")),
    ],
)
def test_every_element_of_every_flow_has_a_title(language: Language, flow: str, elements: tuple[str, ...]) -> None:
    for element in elements:
        key = f"element.{flow}.{element}"
        assert say(language, key) != key
