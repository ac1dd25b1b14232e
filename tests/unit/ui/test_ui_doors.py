"""Coming in and going out: new person, recovery code, unlock, wrong passphrase, lock, erase."""

from __future__ import annotations

import re
from html import unescape

import pytest
from starlette.testclient import TestClient

from assistant.domain import LANGUAGES
from assistant.wording import say
from ui.ui_app import PASSPHRASE, App, token, twice


def vault_of(app: App, label: str) -> str:
    return next(vault_id for vault_id, name in app.services.vaults.list() if name == label)


def unlock(browser: TestClient, vault_id: str, passphrase: str = PASSPHRASE, query: str = "") -> str:
    """Try to come in; where the answer leads, or the page that is shown instead."""
    form = {**token(browser, f"/{query}"), "vault": vault_id, "passphrase": passphrase}
    answer = browser.post(f"/unlock{query}", data=form)
    return answer.headers.get("location", answer.text)


def lock(browser: TestClient) -> None:
    browser.post("/lock", data=token(browser, "/app/en/"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/", "/new", "/recover", "/erase", "/nowhere"])
def test_every_page_speaks_the_chosen_language_and_shows_no_bare_key(app: App, language: str, path: str) -> None:
    app.enter("Aino")
    html = app.browser().get(f"{path}?lang={language}").text
    assert f'<html lang="{language}">' in html
    shown = re.sub(r"<[^>]+>", " ", html)
    assert not re.findall(r"\b(?:unlock|new|recover|erase|page|note|error)\.[a-z_]+\b", shown)
    assert not re.findall(r"https?://(?!127\.0\.0\.1)", html)


def test_a_fresh_machine_welcomes_and_offers_to_make_a_vault(app: App) -> None:
    html = app.browser().get("/?lang=sv").text
    assert say("sv", "unlock.welcome") in html
    assert 'href="/new?lang=sv"' in html
    assert 'type="password"' not in html


def test_one_person_is_chosen_already_and_of_two_nobody_is(app: App) -> None:
    app.enter("Aino")
    assert app.browser().get("/").text.count(" checked") == 1
    app.enter("Bjorn")
    assert app.browser().get("/").text.count(" checked") == 0


def test_a_new_person_is_told_what_is_protected_and_what_is_not(app: App) -> None:
    html = app.browser().get("/new?lang=fi").text
    for key in ("new.protected", "new.not_protected", "new.warning"):
        assert say("fi", key) in html


def test_a_new_person_has_to_type_the_recovery_code_back_before_going_on(app: App) -> None:
    browser = app.browser()
    made = browser.post("/new", data={**token(browser, "/new"), "label": "Aino", **twice(PASSPHRASE)})
    assert made.headers["location"] == "/recovery-code"
    assert browser.get("/app").headers["location"] == "/recovery-code"
    groups = re.findall(r"<li>(\w{5})</li>", browser.get("/recovery-code").text)
    assert len(groups) == 6
    check = browser.get("/recovery-code/check").text
    assert not any(group in check for group in groups)
    wrong = {**token(browser, "/recovery-code/check"), "first": "AAAAA", "second": "BBBBB"}
    refused = browser.post("/recovery-code/check", data=wrong)
    assert say("en", "error.recovery_groups_wrong") in refused.text
    asked = [int(number) - 1 for number in re.findall(r"Group (\d)", check)]
    right = {"first": groups[asked[0]].lower(), "second": f" {groups[asked[1]]} "}
    form = {**token(browser, "/recovery-code/check"), **right}
    assert browser.post("/recovery-code/check", data=form).headers["location"] == "/app"
    assert browser.get("/recovery-code").headers["location"] == "/app"


def test_what_was_typed_survives_an_error_but_no_passphrase_does(app: App) -> None:
    browser = app.browser()
    form = {**token(browser, "/new"), "label": 'Aino "A" <b>', "passphrase": PASSPHRASE, "again": "something else here"}
    page = browser.post("/new", data=form).text
    assert say("en", "error.passphrases_differ") in page
    assert 'value="Aino &#34;A&#34; &lt;b&gt;"' in page
    assert PASSPHRASE not in page
    assert app.services.vaults.list() == ()


def test_a_short_passphrase_is_refused_with_what_it_takes(app: App) -> None:
    browser = app.browser()
    page = browser.post("/new", data={**token(browser, "/new"), "label": "Aino", **twice("short")}).text
    assert say("en", "error.passphrase_short", characters=12, words=5) in page


def test_the_right_passphrase_opens_and_a_wrong_one_says_so_with_the_wait(app: App) -> None:
    lock(app.enter("Aino"))
    aino, browser = vault_of(app, "Aino"), app.browser()
    for wait_s in (0, 0, 1):
        assert say("en", "error.wrong_passphrase", wait_s=wait_s) in unlock(browser, aino, "not the right one")
    assert say("en", "error.wrong_passphrase", wait_s=1) in unlock(browser, aino)


def test_the_message_is_the_same_for_a_passphrase_of_another_person(app: App) -> None:
    lock(app.enter("Aino"))
    other = app.browser()
    form = {"label": "Bjorn", **twice("quite another sentence of mine")}
    other.post("/new", data={**token(other, "/new"), **form})
    assert say("en", "error.wrong_passphrase", wait_s=0) in unlock(
        app.browser(), vault_of(app, "Aino"), "quite another sentence of mine"
    )


def test_unlocking_gives_a_new_cookie_that_no_script_reads(app: App) -> None:
    lock(app.enter("Aino"))
    browser = app.browser()
    before = browser.get("/").headers["set-cookie"]
    form = {**token(browser, "/"), "vault": vault_of(app, "Aino"), "passphrase": PASSPHRASE}
    cookie = browser.post("/unlock", data=form).headers["set-cookie"]
    assert cookie.startswith("peili-7861=")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert cookie.split(";")[0] != before.split(";")[0]


def test_a_form_without_our_token_opens_nothing(app: App) -> None:
    lock(app.enter("Aino"))
    browser = app.browser()
    browser.get("/")
    form = {"vault": vault_of(app, "Aino"), "passphrase": PASSPHRASE, "csrf": "0" * 64}
    assert say("en", "error.form_outdated") in browser.post("/unlock", data=form).text


def test_locking_leads_to_the_unlock_page_and_clears_what_the_browser_keeps(app: App) -> None:
    aino = app.enter("Aino")
    answer = aino.post("/lock?lang=fi", data=token(aino, "/app/en/"))
    assert answer.headers["location"] == "/?lang=fi&note=locked"
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert say("fi", "note.locked") in aino.get(answer.headers["location"]).text
    assert app.services.locked == [vault_of(app, "Aino")]
    assert aino.get("/app/en/", headers={"accept": "text/html"}).headers["location"] == "/"


def test_a_cookie_from_before_the_lock_opens_nothing(app: App) -> None:
    aino = app.enter("Aino")
    old = dict(aino.cookies)
    lock(aino)
    thief = TestClient(app.app, base_url="http://127.0.0.1:7861", cookies=old, follow_redirects=False)
    assert thief.get("/pulse").status_code == 401


def test_the_page_keeps_the_language_a_person_chose_for_the_next_time(app: App) -> None:
    lock(app.enter("Aino"))
    aino = vault_of(app, "Aino")
    first = app.browser()
    assert unlock(first, aino, query="?lang=fi") == "/app"
    assert first.get("/app").headers["location"] == "/app/fi/"
    lock(first)
    second = app.browser()
    unlock(second, aino)
    assert second.get("/app").headers["location"] == "/app/fi/"


def test_the_recovery_code_opens_the_vault_and_sets_a_new_passphrase(app: App) -> None:
    browser = app.browser()
    browser.post("/new", data={**token(browser, "/new"), "label": "Aino", **twice(PASSPHRASE)})
    code = "-".join(re.findall(r"<li>(\w{5})</li>", browser.get("/recovery-code").text))
    browser.post("/lock", data=token(browser, "/recovery-code/check"))
    aino, forgetful = vault_of(app, "Aino"), app.browser()
    fresh = "a brand new sentence to remember"
    form = {"vault": aino, "code": code.lower().replace("-", " "), **twice(fresh)}
    assert forgetful.post("/recover", data={**token(forgetful, "/recover"), **form}).headers["location"] == "/app"
    lock(forgetful)
    assert "error" not in unlock(app.browser(), aino, fresh)
    mistyped = app.browser().post("/recover", data={**form, "code": code[:-1], **token(app.browser(), "/recover")})
    assert code[:-1] not in mistyped.text


def test_a_vault_is_erased_only_when_its_name_is_typed(app: App) -> None:
    lock(app.enter("Aino"))
    browser, aino = app.browser(), vault_of(app, "Aino")
    page = browser.post("/erase", data={**token(browser, "/erase"), "vault": aino, "label": "aino"}).text
    assert say("en", "error.label_not_matching") in unescape(page)
    assert 'value="aino"' in page
    assert app.services.vaults.list()
    done = browser.post("/erase", data={**token(browser, "/erase"), "vault": aino, "label": "Aino"})
    assert done.headers["location"].endswith("note=erased")
    assert app.services.vaults.list() == ()


def test_a_vault_that_is_open_in_another_tab_is_not_taken_over(app: App) -> None:
    aino = app.enter("Aino")
    assert say("en", "error.vault_in_use") in unlock(app.browser(), vault_of(app, "Aino"))
    assert aino.get("/pulse").status_code == 200


def test_a_browser_that_was_closed_does_not_lock_its_person_out(app: App) -> None:
    aino = app.enter("Aino")
    aino.get("/app/en/gradio_api/heartbeat/abc")  # the page was there, and its connection has ended
    assert unlock(app.browser(), vault_of(app, "Aino")) == "/app"
    assert aino.get("/pulse").status_code == 401


def test_the_pulse_tells_progress_and_ends_with_the_idle_time(app: App) -> None:
    aino = app.enter("Aino")
    assert "not in use" in aino.get("/pulse").json()["progress"]
    app.clock.now += 599
    assert aino.get("/pulse").status_code == 200
    aino.post("/activity")
    app.clock.now += 599
    assert aino.get("/pulse").status_code == 200
    app.clock.now += 1
    assert aino.get("/pulse").status_code == 401
    assert app.services.locked == [vault_of(app, "Aino")]


def test_the_page_is_framed_by_our_header_in_its_language_with_no_other_machines_address(app: App) -> None:
    html = app.enter("Aino").get("/app/sv/").text
    assert '<html lang="sv"' in html
    assert say("sv", "page.ai") in html
    assert say("sv", "header.person", label="Aino") in html
    assert 'action="/lock?lang=sv"' in html
    assert "https://" not in html
    assert "<base" not in html
    assert html.index("/static/page.js") < html.index("<gradio-app>")
