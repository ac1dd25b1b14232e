"""What holds for every test: a home folder of its own, no way off this machine, and the groups one can choose from."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import isolation, settings
from assistant.inference.catalogue import Catalogue, installed
from assistant.paths import Paths

REAL_GROUPS = ("model", "encoder", "browser")
GROUPS = ("plain", *REAL_GROUPS)
STARTED_WITH = pytest.StashKey[Paths]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--group",
        action="append",
        choices=GROUPS,
        help="Run this group of tests only; may be repeated. plain: the tests that need no model and no browser.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The test process is held to what the app is held to: no telemetry, no proxy, no other machine."""
    config.stash[STARTED_WITH] = Paths.from_environment()
    isolation.scrub_environment()
    isolation.NetworkGuard().arm()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = set(config.getoption("--group") or ())
    if not wanted:
        return
    chosen = [item for item in items if wanted & groups_of(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def groups_of(item: pytest.Item) -> set[str]:
    """The groups a test is in."""
    return {group for group in REAL_GROUPS if item.get_closest_marker(group)} or {"plain"}


@pytest.fixture(autouse=True)
def own_home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PEILI_HOME is a folder of the test, unless the test is about the real models."""
    if groups_of(request.node) == {"plain"} and "real_models" not in request.fixturenames:
        monkeypatch.setenv("PEILI_HOME", str(tmp_path / "peili-home"))


@pytest.fixture(scope="session")
def real_models(pytestconfig: pytest.Config) -> Path:
    """The models folder of the PEILI_HOME with which the tests were started; to be read, never written."""
    paths = pytestconfig.stash[STARTED_WITH]
    catalogue = Catalogue.load(paths.catalogue)
    for model in (settings.DEFAULT_ENCODER, settings.DEFAULT_CHAT_MODEL):
        if not installed(paths.models, catalogue.entry(model)):
            pytest.fail(f"{model} is not in {paths.models}: fetch the models first, python3 run.py setup")
    return paths.models
