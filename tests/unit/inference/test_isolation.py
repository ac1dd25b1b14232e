"""What a process of Peili does before anything else: no telemetry, no network, no core dumps."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assistant import isolation
from assistant.paths import PROJECT_ROOT

ATTEMPTS = """
import json, socket, sys, urllib.request
from assistant.isolation import NetworkGuard, NetworkRefused

def tcp(family=socket.AF_INET, kind=socket.SOCK_STREAM):
    made = socket.socket(family, kind)
    made.setblocking(False)
    return made

ATTEMPTS = {
    "connect": lambda: tcp().connect(("192.0.2.1", 80)),
    "connect_ex": lambda: tcp().connect_ex(("192.0.2.1", 80)),
    "connect v6": lambda: tcp(socket.AF_INET6).connect(("2001:db8::1", 80)),
    "sendto": lambda: tcp(kind=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    "sendmsg": lambda: tcp(kind=socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, ("192.0.2.1", 53)),
    "getaddrinfo": lambda: socket.getaddrinfo("example.org", 80),
    "gethostbyname": lambda: socket.gethostbyname("example.org"),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("example.org"),
    "gethostbyaddr": lambda: socket.gethostbyaddr("192.0.2.1"),
    "getnameinfo": lambda: socket.getnameinfo(("192.0.2.1", 80), 0),
    "a name that looks like loopback": lambda: socket.getaddrinfo("127.0.0.1.example.org", 80),
    "a network of this machine": lambda: tcp().connect(("10.0.0.1", 80)),
    "urllib": lambda: urllib.request.urlopen("https://example.org/"),
}

def outcome(attempt):
    try:
        attempt()
    except NetworkRefused:
        return "refused"
    except OSError as error:
        return "refused" if isinstance(getattr(error, "reason", None), NetworkRefused) else repr(error)
    return "went out"

guard = NetworkGuard()
guard.arm()
guard.arm()
outcomes = {name: outcome(attempt) for name, attempt in ATTEMPTS.items()}
print(json.dumps({"outcomes": outcomes, "counted": guard.refused}))
"""

LOOPBACK = """
import json, socket, sys, threading
from assistant.isolation import NetworkGuard

guard = NetworkGuard()
guard.arm()

def talk(listener, address, family):
    with listener, socket.socket(family) as caller:
        listener.listen()
        caller.connect(address or listener.getsockname())
        caller.sendall(b"hello")
        answering, _ = listener.accept()
        with answering:
            return answering.recv(5).decode()

def inet(host):
    made = socket.socket()
    made.bind((host, 0))
    return made

said = {"127.0.0.1": talk(inet("127.0.0.1"), None, socket.AF_INET)}
listener = inet("127.0.0.1")
said["localhost"] = talk(listener, ("localhost", listener.getsockname()[1]), socket.AF_INET)
local = socket.socket(socket.AF_UNIX)
local.bind(sys.argv[1])
said["a socket on disk"] = talk(local, sys.argv[1], socket.AF_UNIX)
one, other = socket.socketpair()
one.sendmsg([b"hello"])
said["a pair"] = other.recv(5).decode()
receiving, sending = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
receiving.bind(("127.0.0.1", 0))
sending.sendto(b"hello", receiving.getsockname())
said["a datagram"] = receiving.recv(5).decode()
print(json.dumps({"said": said, "counted": guard.refused}))
"""

LIMITS = """
import ctypes, json, resource
from assistant import isolation

isolation.limit_memory(0)
before = resource.getrlimit(resource.RLIMIT_AS)
isolation.forbid_core_dumps()
isolation.limit_memory(2 << 30)
try:
    bytearray(3 << 30)
    got = True
except MemoryError:
    got = False
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
core = resource.getrlimit(resource.RLIMIT_CORE)
print(json.dumps({"before": before, "core": core, "dumpable": dumpable, "got": got}))
"""


def in_a_process(code: str, *arguments: str) -> Any:
    """What `code` prints, as JSON, in a process of its own: what it does there cannot be undone."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_way_off_the_machine_is_refused_and_counted() -> None:
    seen = in_a_process(ATTEMPTS)
    assert set(seen["outcomes"].values()) == {"refused"}, seen["outcomes"]
    assert seen["counted"] == len(seen["outcomes"])


def test_the_machine_itself_can_be_reached(tmp_path: Path) -> None:
    seen = in_a_process(LOOPBACK, str(tmp_path / "socket"))
    assert set(seen["said"].values()) == {"hello"}
    assert seen["counted"] == 0


def test_no_core_file_no_foreign_eyes_and_a_limit_to_memory() -> None:
    seen = in_a_process(LIMITS)
    assert seen["core"] == [0, 0]
    assert seen["dumpable"] == 0
    assert seen["got"] is False
    assert seen["before"] == list(resource.getrlimit(resource.RLIMIT_AS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRADIO_ANALYTICS_ENABLED", "False"),
        ("HF_HUB_OFFLINE", "1"),
        ("TRANSFORMERS_OFFLINE", "1"),
        ("HF_HUB_DISABLE_TELEMETRY", "1"),
        ("ANONYMIZED_TELEMETRY", "False"),
        ("LANGSMITH_TRACING", "false"),
        ("LANGCHAIN_TRACING_V2", "false"),
        ("OTEL_SDK_DISABLED", "true"),
        ("DO_NOT_TRACK", "1"),
        ("NO_PROXY", "*"),
    ],
)
def test_a_privacy_switch_is_set_whatever_it_was(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, "something else")
    isolation.scrub_environment()
    assert os.environ[name] == value


@pytest.mark.parametrize(
    "name",
    [
        "HF_TOKEN",
        "HF_ENDPOINT",
        "LANGSMITH_API_KEY",
        "LANGCHAIN_API_KEY",
        "PYTHONFAULTHANDLER",
        "GRADIO_SHARE",
        "GRADIO_SERVER_NAME",
        "HTTP_PROXY",
        "https_proxy",
        "All_Proxy",
    ],
)
def test_a_variable_that_could_undo_it_is_gone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "something")
    isolation.scrub_environment()
    assert name not in os.environ


def test_fetching_keeps_the_persons_own_proxy_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "NO_PROXY", "HF_TOKEN", "GRADIO_SHARE", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, "mine")
    isolation.scrub_environment(keep_proxies=True)
    assert (os.environ["HTTPS_PROXY"], os.environ["NO_PROXY"]) == ("mine", "mine")
    assert os.environ["DO_NOT_TRACK"] == "1"
    assert {"HF_TOKEN", "GRADIO_SHARE"} & set(os.environ) == set()


def test_what_has_nothing_to_do_with_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEILI_SAMPLE", "mine")
    isolation.scrub_environment()
    assert os.environ["PEILI_SAMPLE"] == "mine"
