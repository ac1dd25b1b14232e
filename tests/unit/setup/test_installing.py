"""What `python3 run.py` decides on a machine, and what the lock files promise it."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from assistant.installing import (
    TORCH_CPU_INDEX,
    Absent,
    Problem,
    cause_of,
    compiler_problem,
    fingerprint,
    forget_half_installed,
    packages,
    pip_progress,
    python_problem,
    torch_ways,
    version_in,
)
from assistant.paths import PROJECT_ROOT

LOCKS = ("requirements.lock", "requirements-cuda.lock", "requirements-dev.lock")
OWN_TORCH_WHEEL = "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"  # 2.13.0+cpu, cp311, x86_64


def lock(name: str) -> dict[str, str]:
    return packages((PROJECT_ROOT / name).read_text("utf-8"))


def wanted(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_a_fitting_python_is_not_complained_about(version: tuple[int, int]) -> None:
    assert python_problem(version, "Linux", "x86_64") == ""
    assert python_problem(version, "Darwin", "arm64") == ""


@pytest.mark.parametrize("version", [(2, 7), (3, 8), (3, 10), (3, 14)])
def test_another_python_is_told_which_to_get(version: tuple[int, int]) -> None:
    line = python_problem(version, "Linux", "x86_64")
    assert "install Python 3.11, 3.12 or 3.13" in line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["run.py", "assistant/__init__.py", "assistant/installing.py"])
def test_an_old_python_gets_that_line_and_not_a_syntax_error(name: str) -> None:
    assert ast.parse((PROJECT_ROOT / name).read_text("utf-8"), feature_version=(3, 8)).body


def test_a_mac_with_an_intel_processor_is_told_before_anything_is_fetched() -> None:
    assert "Intel" in python_problem((3, 12), "Darwin", "x86_64")


@pytest.mark.parametrize(
    ("system", "found", "help_line"),
    [
        ("Linux", set(), "apt-get install build-essential"),
        ("Linux", {"cc"}, "apt-get install build-essential"),
        ("Darwin", set(), "xcode-select --install"),
        ("Windows", {"gcc", "g++"}, "Visual Studio Build Tools"),
    ],
)
def test_a_missing_compiler_is_told_with_the_way_to_get_it(system: str, found: set[str], help_line: str) -> None:
    assert help_line in compiler_problem(system, found)


@pytest.mark.parametrize(
    ("system", "found"),
    [("Linux", {"gcc", "g++"}), ("Linux", {"clang", "clang++"}), ("Darwin", {"cc", "c++"}), ("Windows", {"vswhere"})],
)
def test_a_compiler_that_is_there_is_enough(system: str, found: set[str]) -> None:
    assert compiler_problem(system, found) == ""


def test_without_an_nvidia_card_a_cpu_build_is_looked_for_and_cuda_is_no_way_where_one_is_to_be_had() -> None:
    options = [way for _, way in torch_ways("Linux", nvidia=False, cpu_index=True)]
    assert options == [("--no-index",), ("--index-url", TORCH_CPU_INDEX)]


def test_only_where_the_cpu_index_is_silent_cuda_is_taken_and_its_size_told_before() -> None:
    ways = torch_ways("Linux", nvidia=False, cpu_index=False)
    assert [way for _, way in ways] == [("--no-index",), ()]
    assert "2 to 3 GB" in ways[-1][0]


@pytest.mark.parametrize(("system", "nvidia"), [("Linux", True), ("Darwin", False), ("Windows", False)])
def test_elsewhere_torch_comes_from_the_usual_index(system: str, nvidia: bool) -> None:
    assert [way for _, way in torch_ways(system, nvidia=nvidia, cpu_index=False)] == [()]


def test_the_lock_holds_every_package_the_project_asks_for_and_the_tools_to_install_it() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))
    locked = lock("requirements.lock")
    assert wanted(project["project"]["dependencies"]) | {"pip", "setuptools"} <= set(locked)
    assert wanted(project["dependency-groups"]["dev"]) <= set(lock("requirements-dev.lock"))


def test_the_lock_holds_the_very_versions_the_project_pins() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))
    locked = lock("requirements.lock")
    pinned = dict(item.split("==") for item in project["project"]["dependencies"] if "==" in item)
    assert {name: version_in(locked[name]) for name in pinned} == pinned


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_one_version_and_hashes(name: str) -> None:
    text = (PROJECT_ROOT / name).read_text("utf-8")
    assert len(packages(text)) == len(re.findall(r"(?m)^[a-z0-9]", text))
    for package, block in packages(text).items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), package


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_place_on_a_disk(name: str) -> None:
    text = (PROJECT_ROOT / name).read_text("utf-8")
    assert not re.search(r"https?:|file:|--index|--find-links|(^|\s)/\w", text)


def test_the_cpu_build_of_torch_may_be_installed_and_nothing_of_cuda_comes_with_it() -> None:
    main, cuda = lock("requirements.lock"), lock("requirements-cuda.lock")
    assert OWN_TORCH_WHEEL in main["torch"]
    assert not [name for name in main if name.startswith(("nvidia-", "cuda-", "triton"))]
    assert [name for name in cuda if not name.startswith(("nvidia-", "cuda-", "triton"))] == []


def test_the_tests_lock_names_nothing_that_another_names() -> None:
    main, cuda, dev = (lock(name) for name in LOCKS)
    assert dev.keys() & (main.keys() | cuda.keys()) == set()
    assert {"pytest", "mypy", "ruff"} <= dev.keys()


def test_another_lock_or_another_python_makes_another_environment(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    path.write_text("a==1\n", encoding="utf-8")
    first = fingerprint([path], "3.11.7")
    assert fingerprint([path], "3.11.7") == first
    assert fingerprint([path], "3.12.1") != first
    path.write_text("a==2\n", encoding="utf-8")
    assert fingerprint([path], "3.11.7") != first


@pytest.mark.parametrize(
    ("output", "kind", "words"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", Problem, "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", Problem, "refused"),
        ("WARNING: Retrying (Retry(total=4\nERROR: No matching distribution found for a==1", Problem, "No network"),
        ("ERROR: No matching distribution found for a==1", Absent, "in no index"),
        ("  CMake Error: CMAKE_CXX_COMPILER not set", Problem, "did not compile"),
        ("blah\nERROR: something new", Problem, "something new"),
        ("", Problem, "pip failed"),
    ],
)
def test_a_failed_pip_run_ends_in_one_line_that_names_the_cause(output: str, kind: type[Problem], words: str) -> None:
    found, line = cause_of(output)
    assert found is kind
    assert words in line
    assert "\n" not in line


def test_a_package_whose_installation_was_cut_off_is_installed_again(tmp_path: Path) -> None:
    for name, files in {"whole-1.dist-info": ("METADATA", "INSTALLER"), "cut-2.dist-info": ("METADATA",)}.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).touch()
    assert forget_half_installed(tmp_path) == ["cut-2.dist-info"]
    assert [info.name for info in tmp_path.iterdir()] == ["whole-1.dist-info"]


def test_progress_shows_package_and_bytes() -> None:
    assert pip_progress("Progress 1500000 of 3000000", 7, 145, "numpy") == "7/145 numpy  1.5 of 3.0 MB"
    assert pip_progress("  Building wheel for llama: still running...", 1, 1, "llama") == "1/1 llama  compiling"
    assert pip_progress("Installing collected packages: a, b", 145, 145, "z") == "145/145 unpacking"
