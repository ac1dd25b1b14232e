"""What `run.py` decides before anything is installed: plain functions of the standard library alone.

Also read by a Python that is too old for Peili, to be told so: no syntax newer than Python 3.8 here and in run.py.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


class Problem(Exception):
    """Something is missing: one line that says what, and how to get it."""


class Absent(Problem):
    """pip found no such package where it was told to look."""


NO_NETWORK = "connect, or point PIP_FIND_LINKS at a folder of wheels"
CAUSES = (
    (r"No space left|Disk quota", Problem, "The disk is full: free some space"),
    (r"DO NOT MATCH THE HASHES", Problem, "A package is not the one in the lock and was refused: try another index"),
    (r"Failed to establish|NameResolution|ConnectionError|Retrying \(", Problem, f"No network: {NO_NETWORK}"),
    (
        r"CMake Error|Failed building wheel|Failed to build",
        Problem,
        "A package did not compile: install a C++ compiler",
    ),
    (r"No matching distribution|Could not find a version", Absent, f"A package is in no index: {NO_NETWORK}"),
)


def python_problem(version: tuple[int, int], system: str, machine: str) -> str:
    """Why this Python or this machine cannot run Peili, or nothing."""
    if not OLDEST <= version <= NEWEST:
        found = ".".join(str(number) for number in version)
        return (
            f"Python {found} does not fit: install Python 3.11, 3.12 or 3.13 and run it with that (python3.12 run.py)"
        )
    if (system, machine) == ("Darwin", "x86_64"):
        return "PyTorch has no builds for Macs with an Intel processor any more: use another computer"
    return ""


def compiler_problem(system: str, found: set[str]) -> str:
    """What is missing to compile llama-cpp-python, given the programs `found`, or nothing."""
    if system == "Windows":
        how = "install Visual Studio Build Tools with 'Desktop development with C++'"
        return "" if found & {"cl", "vswhere"} else f"No C++ compiler for llama-cpp-python: {how}"
    if found & {"cc", "gcc", "clang"} and found & {"c++", "g++", "clang++"}:
        return ""
    how = "xcode-select --install" if system == "Darwin" else "sudo apt-get install build-essential (or your system's)"
    return f"No C and C++ compiler for llama-cpp-python: {how}"


def torch_ways(system: str, *, nvidia: bool, cpu_index: bool) -> list[tuple[str, tuple[str, ...]]]:
    """Where to look for torch in turn: what to tell, and pip's options.

    On Linux without an NVIDIA card PyPI, which holds the CUDA build there, comes only where no CPU build is to be had.
    """
    if system != "Linux":
        return [("Installing torch (about 100 MB)", ())]
    cuda = ("Installing torch with CUDA (2 to 3 GB in all)", ())
    if nvidia:
        return [cuda]
    own = ("Looking for torch in your own wheel folder", ("--no-index",))
    index = ("Installing torch, CPU build (about 190 MB)", ("--index-url", TORCH_CPU_INDEX))
    return [own, index if cpu_index else cuda]


def packages(lock: str) -> dict[str, str]:
    """The blocks of a lock's text by package name."""
    blocks = [block for block in re.split(r"(?m)^(?=[a-z0-9])", lock) if "==" in block.split("\n")[0]]
    return {block.split("==")[0]: block for block in blocks}


def version_in(block: str) -> str:
    """The version that a block of a lock pins."""
    return block.split("==")[1].split()[0]


def fingerprint(files: list[Path], version: str) -> str:
    """What an environment was made from: changes when a lock or the Python does."""
    digest = hashlib.sha256(version.encode())
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def cause_of(output: str) -> tuple[type[Problem], str]:
    """The likeliest cause of a failed pip run, in one line."""
    for pattern, kind, text in CAUSES:
        if re.search(pattern, output):
            return kind, text
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    return Problem, errors[-1] if errors else "pip failed"


def forget_half_installed(site_packages: Path) -> list[str]:
    """Remove the records of packages whose installation was cut off, so that pip installs them again.

    pip writes INSTALLER behind the last file of a package.
    """
    cut_off = [info for info in site_packages.glob("*.dist-info") if not (info / "INSTALLER").exists()]
    for info in cut_off:
        shutil.rmtree(info)
    return [info.name for info in cut_off]


def pip_progress(line: str, count: int, total: int, name: str) -> str:
    """What to show for a line of pip's: which package of how many, and its bytes."""
    head = f"{min(count, total)}/{total} {name}"
    if match := re.match(r"Progress (\d+) of (\d+)", line):
        done, size = (int(number) / 1e6 for number in match.groups())
        return f"{head}  {done:.1f} of {size:.1f} MB"
    if line.startswith("Installing collected packages"):
        return f"{total}/{total} unpacking"
    if line.strip().startswith("Building wheel"):
        return f"{head}  compiling"
    return head
