"""Which other machines Peili's own files name at all, and why each may stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from assistant.paths import PROJECT_ROOT

FOLDERS = ("assistant", "prompts", "knowledge")
HOST = re.compile(r"https?://([^\s\"'`/)>\\]+)")
ALLOWED = {
    ("assistant/inference/sources/hub.py", "huggingface.co"): "models, when a person asks to have one fetched",
    ("assistant/installing.py", "download.pytorch.org"): "torch without CUDA, while run.py sets Peili up",
    ("assistant/ui/static/peili.svg", "www.w3.org"): "the name of the SVG namespace; nothing asks for it",
    ("assistant/ui/serving.py", "{HOST}:{number}"): "this machine: HOST is the loopback address",
    ("assistant/ui/serving.py", "{HOST}:{int(stored["): "this machine, as above",
    ("assistant/bench/speed.py", "127.0.0.1:"): "this machine",
}
BINARY = {".pyc"}


def named_hosts(text: str) -> list[str]:
    """The hosts of every address in a text."""
    return HOST.findall(text)


def project_files() -> Iterator[Path]:
    """What of Peili is shipped and read when it runs."""
    for folder in FOLDERS:
        yield from (path for path in (PROJECT_ROOT / folder).rglob("*") if path.is_file() and path.suffix not in BINARY)


def test_no_other_machine_is_named_without_a_reason() -> None:
    found = {
        (path.relative_to(PROJECT_ROOT).as_posix(), host)
        for path in project_files()
        for host in named_hosts(path.read_text(encoding="utf-8", errors="replace"))  # vectors are not text
    }
    assert found - set(ALLOWED) == set()
    assert set(ALLOWED) - found == set(), "the list allows more than is needed"


def test_the_page_loads_nothing_from_elsewhere() -> None:
    """Addresses in templates and styles begin at this server's root; `//host` would be another machine."""
    loads = re.compile(r"""(?:src|href|action)\s*=\s*["']([^"']*)|url\(\s*["']?([^"')]*)|@import\s+["']([^"']*)""")
    ui = PROJECT_ROOT / "assistant" / "ui"
    files = [*sorted((ui / "templates").glob("*.html")), *sorted((ui / "static").glob("*.css"))]
    targets = [
        next(filter(None, match.groups()), "") for path in files for match in loads.finditer(path.read_text("utf-8"))
    ]
    assert "/static/peili.css" in targets
    assert [target for target in targets if not re.match(r"/(?!/)|#|data:|\{\{ path \}\}", target)] == []


def test_the_search_finds_an_address_wherever_it_stands() -> None:
    text = "see <https://example.org/a>, 'http://198.51.100.7:80/x' and (https://cdn.example.net)"
    assert named_hosts(text) == ["example.org", "198.51.100.7:80", "cdn.example.net"]
