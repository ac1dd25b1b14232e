"""A download over HTTP from a server of our own on this machine."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tiny_models import CHAT_BYTES, PIECE, chat_entry, encoder_entry

from assistant.errors import ModelError
from assistant.inference.fetching import fetch
from assistant.inference.sources.hub import HubSource

FILE = "/somebody/tiny/resolve/0123456789abcdef/tiny.gguf"


def quiet(done: int, total: int, step: str) -> None:
    """Tell nobody."""


class Hub(ThreadingHTTPServer):
    """Serves one file. `cut` bytes are sent a time before the line breaks; `asked` holds the ranges asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CHAT_BYTES
        self.cut = len(CHAT_BYTES)
        self.ranges = True
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.send_response(200 if self.path == FILE else 404)
        self.end_headers()

    def do_GET(self) -> None:
        self.server.asked.append(self.headers["Range"])
        match = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"])
        start = int(match[1]) if match and self.server.ranges else 0
        rest = self.server.content[start:]
        self.send_response(206 if self.server.ranges else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.cut])

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_is_downloaded_at_its_pinned_revision(tmp_path: Path, hub: Hub) -> None:
    path = fetch(chat_entry(), tmp_path, [HubSource(hub.address)], progress=quiet)
    assert path.read_bytes() == CHAT_BYTES
    assert hub.asked == ["bytes=0-"]


def test_a_line_that_breaks_is_taken_up_where_it_broke(tmp_path: Path, hub: Hub) -> None:
    hub.cut = PIECE
    path = fetch(chat_entry(), tmp_path, [HubSource(hub.address)], progress=quiet)
    assert path.read_bytes() == CHAT_BYTES
    assert hub.asked == ["bytes=0-", f"bytes={PIECE}-", f"bytes={2 * PIECE}-"]


def test_a_download_goes_on_from_what_an_earlier_run_left(tmp_path: Path, hub: Hub) -> None:
    part = tmp_path / ".parts/tiny-chat/tiny.gguf.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CHAT_BYTES[:1234])
    assert fetch(chat_entry(), tmp_path, [HubSource(hub.address)], progress=quiet).read_bytes() == CHAT_BYTES
    assert hub.asked == ["bytes=1234-"]


def test_a_server_that_knows_no_ranges_sends_it_all(tmp_path: Path, hub: Hub) -> None:
    hub.ranges = False
    part = tmp_path / ".parts/tiny-chat/tiny.gguf.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CHAT_BYTES[:1234])
    assert fetch(chat_entry(), tmp_path, [HubSource(hub.address)], progress=quiet).read_bytes() == CHAT_BYTES


def test_another_file_under_the_same_name_is_refused(tmp_path: Path, hub: Hub) -> None:
    hub.content = CHAT_BYTES[:-1] + b"?"
    with pytest.raises(ModelError, match="model_wrong_bytes"):
        fetch(chat_entry(), tmp_path, [HubSource(hub.address)], progress=quiet)
    assert not chat_entry().path(tmp_path).exists()


def test_a_line_that_breaks_before_every_byte_is_given_up(tmp_path: Path, hub: Hub) -> None:
    hub.cut = 0
    with pytest.raises(ModelError, match="model_no_network"):
        fetch(chat_entry(), tmp_path, [HubSource(hub.address)], progress=quiet)


def test_a_file_that_is_not_there_is_told_with_the_answer(tmp_path: Path, hub: Hub) -> None:
    with pytest.raises(ModelError, match="model_not_on_hub") as caught:
        fetch(chat_entry(), tmp_path, [HubSource(f"{hub.address}/elsewhere")], progress=quiet)
    assert caught.value.params["status"] == 404


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ModelError, match="model_no_network"):
            fetch(chat_entry(), tmp_path, [HubSource(address, patience_s=0.2)], progress=quiet)


def test_nobody_listening_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model_no_network"):
        fetch(chat_entry(), tmp_path, [HubSource("http://127.0.0.1:9")], progress=quiet)


def test_a_model_that_is_not_on_the_hub_is_not_asked_for(tmp_path: Path, hub: Hub) -> None:
    with pytest.raises(ModelError, match="model_no_source"):
        fetch(encoder_entry(), tmp_path, [HubSource(hub.address)], progress=quiet)
    assert hub.asked == []
