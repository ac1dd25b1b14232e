"""One version, one licence and one range of Pythons, said the same way wherever they are said."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import assistant
from assistant import installing
from assistant.paths import PROJECT_ROOT


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def changelog_versions() -> list[str]:
    """The versions of the changelog, newest first."""
    text = (PROJECT_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"(?m)^## \[(\d+\.\d+\.\d+)\]", text)


def test_the_package_the_project_file_and_the_changelog_name_the_same_version() -> None:
    assert project()["project"]["version"] == assistant.__version__ == changelog_versions()[0]


def test_the_changelog_goes_back_in_time_and_says_when() -> None:
    versions = [tuple(int(number) for number in version.split(".")) for version in changelog_versions()]
    assert versions == sorted(versions, reverse=True)
    heads = re.findall(r"(?m)^## .+$", (PROJECT_ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"## \[\d+\.\d+\.\d+\] - (unreleased|\d{4}-\d\d-\d\d)", head) for head in heads)


def test_setup_takes_the_pythons_the_project_file_takes() -> None:
    oldest, newest = installing.OLDEST, installing.NEWEST
    assert project()["project"]["requires-python"] == f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"


def test_the_licence_is_there_whole() -> None:
    text = (PROJECT_ROOT / "LICENSE").read_text(encoding="utf-8")
    assert project()["project"]["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert [number for number in range(1, 10) if f"\n   {number}. " not in text] == []
