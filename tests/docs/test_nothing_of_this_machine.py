"""The project can be given away: it says nothing of the machine it was made on, and names no package index."""

from __future__ import annotations

import getpass
import ipaddress
import re
import socket
import tempfile
from pathlib import Path

import pytest
from documents import project_files, text_of

from assistant.paths import PROJECT_ROOT

INDEX = re.compile(
    r"(?i)(?:index[_-]url\s*[=\s]\s*https?://\S+|(?:https?://)?[\w.-]*(?:pypi\.org|pythonhosted\.org)\S*)"
)
ADDRESS = re.compile(r"(?<![\w.=])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])")
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:ghp|gho|hf|sk|xoxb)_[A-Za-z0-9]{20,}|://[^/\s:@]+:[^/\s@]+@"
)
# Networks behind somebody's own router (RFC 1918, 3927, 6598).
INDOORS = [ipaddress.ip_network(name) for name in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]

SAMPLES = {("tests/unit/inference/test_isolation.py", "10.0.0.1")}  # nobody's in particular: what must be refused


def texts() -> list[tuple[str, str]]:
    """Every text file of the project with its name."""
    found = [(path.relative_to(PROJECT_ROOT).as_posix(), text_of(path)) for path in project_files()]
    return [(name, text) for name, text in found if text is not None]


def places_of_this_machine() -> list[str]:
    """Where the project lies, the person's home, and the machine's name, if they are telling ones."""
    folders = [str(PROJECT_ROOT), str(PROJECT_ROOT.parent), str(Path.home()), tempfile.gettempdir()]
    names = [f"@{socket.gethostname()}", f"/{getpass.getuser()}/"]
    return [place for place in {f"{folder}/" for folder in folders} | set(names) if len(place) > 3]


def test_there_are_files_to_look_at() -> None:
    assert len(texts()) > 200


@pytest.mark.parametrize("place", places_of_this_machine())
def test_no_file_names_a_place_of_this_machine(place: str) -> None:
    assert [name for name, text in texts() if place in text] == []


def test_no_file_names_a_package_index() -> None:
    assert [(name, found) for name, text in texts() if (found := INDEX.findall(text)) and name != own_name()] == []


def test_no_file_names_a_machine_of_somebodys_own_network() -> None:
    found = [(name, number) for name, text in texts() for number in ADDRESS.findall(text) if _is_indoors(number)]
    assert {(name, number) for name, number in found if name != own_name()} - SAMPLES == set()


def test_no_file_holds_a_key_or_a_token() -> None:
    assert [name for name, text in texts() if SECRET.search(text) and name != own_name()] == []


def test_the_rules_see_what_they_forbid() -> None:
    assert INDEX.search("--index-url https://example.org/simple")
    assert INDEX.search("see https://pypi.org/project/x")
    assert SECRET.search("http://name:word@example.org")
    assert _is_indoors("10.1.2.3")
    assert not _is_indoors("127.0.0.1")


def own_name() -> str:
    """This file, whose patterns and samples look like what they forbid."""
    return Path(__file__).relative_to(PROJECT_ROOT).as_posix()


def _is_indoors(number: str) -> bool:
    try:
        address = ipaddress.ip_address(number)
    except ValueError:
        return False  # four numbers with dots that are no address: a version
    return any(address in network for network in INDOORS)
