"""The tests are held to what the app is held to (`tests/conftest.py` arms the app's own guard in this process)."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from assistant.isolation import NetworkRefused
from assistant.paths import Paths

OUTSIDE = "198.51.100.7"  # of the block that is reserved for documentation


def test_no_test_reaches_another_machine() -> None:
    with pytest.raises(NetworkRefused):
        socket.create_connection((OUTSIDE, 443), timeout=1)
    with pytest.raises(NetworkRefused):
        socket.getaddrinfo("peili.example", 443)


def test_a_test_reaches_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("localhost", port), timeout=5) as client:
            assert client.getpeername() == ("127.0.0.1", port)


def test_no_library_sends_anything_home_from_a_test() -> None:
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert "HTTPS_PROXY" not in os.environ


def test_a_test_has_a_home_of_its_own(tmp_path: Path) -> None:
    assert Paths.from_environment().home == tmp_path / "peili-home"
    assert not Paths.from_environment().home.exists()


@pytest.mark.model
@pytest.mark.encoder
def test_the_real_models_are_those_the_run_was_started_with(real_models: Path) -> None:
    assert real_models == Paths.from_environment().models
    assert list(real_models.glob("*/*.gguf"))
