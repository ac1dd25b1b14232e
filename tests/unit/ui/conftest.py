"""Fixtures of the page's unit tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ui.ui_app import App


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """The running app; nobody is there yet."""
    with App(tmp_path) as running:
        yield running
