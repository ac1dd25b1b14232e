"""Who may ask the app anything, how much, and what every answer carries (threats T02 to T06, T08, T20, T21)."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from fakes.scripted_services import ScriptedServices
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from assistant.ui.guards import BODY_LIMIT_BYTES, SECURITY_HEADERS, PageGate
from assistant.ui.sessions import Sessions
from ui.ui_app import HOST, App, token

PAGE = "/app/en/"
API = "/app/en/gradio_api"


@pytest.mark.parametrize(
    "host",
    [
        "evil.com",
        "evil.com:7861",
        "127.0.0.1.evil.com:7861",
        "localhost.evil.com:7861",
        "127.0.0.1",
        "127.0.0.1:80",
        "",
    ],
)
def test_a_name_that_is_not_this_machines_own_reaches_nothing(app: App, host: str) -> None:
    answer = app.browser().get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1:7861", "localhost:7861", "[::1]:7861", "LOCALHOST:7861"])
def test_this_machines_own_names_are_answered(app: App, host: str) -> None:
    assert TestClient(app.app, base_url=HOST).get("/", headers={"host": host}).status_code == 200


def test_two_host_headers_are_refused(app: App) -> None:
    answer = TestClient(app.app, base_url=HOST).get("/", headers=[("host", "127.0.0.1:7861"), ("host", "evil.com")])
    assert answer.status_code == 421


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": HOST}, 200),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "http://evil.com", "sec-fetch-site": "same-origin"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_only_the_address_bar_and_our_own_pages_may_ask(app: App, headers: dict[str, str], status: int) -> None:
    assert TestClient(app.app, base_url=HOST).get("/", headers=headers).status_code == status


def test_a_post_that_says_nothing_of_where_it_comes_from_is_refused(app: App) -> None:
    assert TestClient(app.app, base_url=HOST).post("/lock").status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_methods_no_page_uses_are_refused(app: App, method: str) -> None:
    assert app.browser().request(method, "/").status_code == 405


def test_a_body_that_is_too_large_is_refused_with_and_without_a_length(app: App) -> None:
    browser = app.browser()
    large = b"x" * (BODY_LIMIT_BYTES + 1)
    assert browser.post("/unlock", content=large).status_code == 413
    assert browser.post("/unlock", content=iter([large[:1000], large])).status_code == 413
    assert browser.post("/unlock", headers={"content-length": "-1"}, content=b"").status_code == 400


@pytest.mark.parametrize("path", ["/", "/new", "/static/peili.css", "/nowhere", PAGE, "/pulse", f"{API}/queue/join"])
def test_every_answer_carries_the_security_headers(app: App, path: str) -> None:
    for browser in (app.browser(), app.enter("Aino")):
        headers = browser.get(path).headers
        for name, value in SECURITY_HEADERS.items():
            assert headers[name.decode()] == value.decode()
            assert len(headers.get_list(name.decode())) == 1


def test_even_a_refusal_carries_them(app: App) -> None:
    answer = app.browser().get("/", headers={"host": "evil.com"})
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")


def test_without_a_login_the_page_leads_to_the_unlock_page_and_the_rest_is_closed(app: App) -> None:
    browser = app.browser()
    answer = browser.get(PAGE, headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get(f"{API}/queue/data?session_hash=abc").status_code == 401
    assert browser.get(f"{API}/heartbeat/abc").status_code == 401
    assert browser.post(f"{API}/cancel", json={"session_hash": "abc"}).status_code == 401
    assert browser.get("/app/en/config").status_code == 401
    assert app.reached == []


@pytest.mark.parametrize(
    "path",
    [
        "file=/etc/passwd",
        "file=https://example.org/x",
        "file/etc/passwd",
        "proxy=https://example.org",
        "deep_link",
        "runs",
        "run-history/connect",
        "run-history/buckets",
        "info",
        "openapi.json",
        "upload_progress?upload_id=a",
        "app_id",
        "token",
        "vibe-code",
        "dev/reload",
        "stream/abc/1/2/playlist.m3u8",
        "custom_component/x/client/component/index.js",
        "call/predict/1",
    ],
)
def test_of_gradios_routes_only_those_of_the_page_exist(app: App, path: str) -> None:
    browser = app.enter("Aino")
    app.reached.clear()
    assert browser.get(f"{API}/{path}").status_code == 404
    assert browser.get(f"/app/en/{path}").status_code == 404
    assert app.reached == []


@pytest.mark.parametrize(
    "path",
    ["upload", "component_server", "run/predict", "api/predict", "call/x", "process_recording", "login", "vibe-edit"],
)
def test_nothing_else_takes_a_post(app: App, path: str) -> None:
    browser = app.enter("Aino")
    app.reached.clear()
    assert browser.post(f"{API}/{path}", json={"session_hash": "abc"}).status_code == 404
    assert browser.post(f"/app/en/{path}", json={"session_hash": "abc"}).status_code == 404
    assert app.reached == []


@pytest.mark.parametrize(
    "path",
    ["/app/en/../new", "/app/en/assets/../../x", "/app//", "/app/de/", "//app/en/", "/APP/en/"],
)
def test_odd_paths_lead_nowhere(app: App, path: str) -> None:
    browser = app.enter("Aino")
    app.reached.clear()
    answer = browser.get(f"{HOST}{path}")
    assert answer.status_code in {404, 200}
    assert app.reached == []


def test_another_person_cannot_use_a_page_that_is_not_theirs(app: App) -> None:
    aino, bjorn = app.enter("Aino"), app.enter("Bjorn")
    assert aino.post(f"{API}/queue/join", json={"session_hash": "ainospage", "data": []}).status_code == 200
    app.reached.clear()
    assert bjorn.post(f"{API}/queue/join", json={"session_hash": "ainospage", "data": []}).status_code == 403
    assert bjorn.post(f"{API}/cancel", json={"session_hash": "ainospage", "fn_index": 1}).status_code == 403
    assert bjorn.post(f"{API}/reset", json={"session_hash": "ainospage"}).status_code == 403
    assert bjorn.get(f"{API}/queue/data", params={"session_hash": "ainospage"}).status_code == 403
    assert bjorn.get(f"{API}/queue/data?session_hash=his&session_hash=ainospage").status_code == 403
    assert bjorn.get(f"{API}/heartbeat/ainospage").status_code == 403
    assert app.reached == []
    assert bjorn.post(f"{API}/queue/join", json={"session_hash": "his", "data": []}).status_code == 200


def test_a_page_of_someone_who_has_left_is_nobodys(app: App) -> None:
    aino, bjorn = app.enter("Aino"), app.enter("Bjorn")
    aino.post(f"{API}/queue/join", json={"session_hash": "ainospage", "data": []})
    aino.post("/lock", data=token(aino, "/app/en/"))
    assert bjorn.get(f"{API}/queue/data", params={"session_hash": "ainospage"}).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"not json", b'{"session_hash": 5}', b'{"session_hash": "../x"}'])
def test_a_request_that_names_no_sound_page_is_refused(app: App, body: bytes) -> None:
    browser = app.enter("Aino")
    app.reached.clear()
    answer = browser.post(f"{API}/queue/join", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 403
    assert browser.get(f"{API}/queue/data").status_code == 403
    assert app.reached == []


def test_a_form_cannot_pass_for_the_pages_own_json(app: App) -> None:
    browser = app.enter("Aino")
    body = json.dumps({"session_hash": "abc"}).encode()
    answer = browser.post(f"{API}/queue/join", content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 403


def test_the_body_reaches_the_page_unchanged(app: App) -> None:
    body = {"session_hash": "abc", "data": ['Äiti sanoi: "hyvä"']}
    answer = app.enter("Aino").post(f"{API}/queue/join", json=body)
    assert json.loads(answer.json()["body"]) == body


def test_a_forwarding_header_does_not_reach_the_page(app: App) -> None:
    answer = app.browser().get("/app", headers={"x-forwarded-host": "evil.com", "x-forwarded-proto": "https"})
    assert answer.headers["location"] == "/"


def test_connections_that_stay_open_are_ended_when_the_app_stops(tmp_path: Path) -> None:
    services = ScriptedServices(tmp_path)
    vault, _ = services.vaults.create("Aino", "five words are long enough")
    sent: list[Message] = []

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async def note(message: Message) -> None:
        sent.append(message)

    async def stopping() -> None:
        closing = asyncio.Event()
        sessions = Sessions(time.monotonic, 600, services.lock)
        cookie, _ = sessions.open(vault, services.dialogue(vault), "en")
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"{API}/heartbeat/abc",
            "server": ("127.0.0.1", 7861),
            "headers": [(b"cookie", f"peili-7861={cookie}".encode())],
            "query_string": b"",
        }
        answering = asyncio.create_task(PageGate(page, sessions, closing)(scope, never, note))
        while len(sent) < 2:
            await asyncio.sleep(0)
        closing.set()
        await asyncio.wait_for(answering, 10)

    asyncio.run(stopping())
    assert sent[-1] == {"type": "http.response.body", "body": b""}
    vault.lock()
