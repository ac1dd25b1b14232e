#!/usr/bin/env python3
"""Make requirements.lock, requirements-cuda.lock and requirements-dev.lock anew from pyproject.toml.

Needs uv on the path and a network. Versions that stand in a lock already are kept; `--upgrade` takes the newest.
The locks hold for Python 3.11 to 3.13 on Linux, macOS and Windows; they name no index and no path.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# {what}
# Exact versions with the sha256 of every file that may be installed, for Python 3.11 to 3.13 on any system. Made by
# .ci/make-locks.py: `uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url` over
# pyproject.toml (with pip and setuptools, which install the project itself). Do not edit by hand.
"""
WHAT = {
    "requirements.lock": "What Peili needs. Installed without dependencies, so what CUDA wants is not pulled in.",
    "requirements-cuda.lock": "What the CUDA build of torch needs besides; only where no CPU build can be had.",
    "requirements-dev.lock": "What the tests need besides.",
}
PIN = re.compile(r"(?m)^[a-z0-9][^\s\\]*==[^\s\\;]+")
CUDA = re.compile(r"^(nvidia-|cuda-|triton==)")
# The CPU builds of torch for Linux are not on PyPI. These are PyTorch's own, each sha256 read in at least two
# independent public files that name the wheel; the first was hashed from the wheel itself.
TORCH = "2.13.0"
TORCH_CPU = {
    "cp311 x86_64": "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
    "cp311 aarch64": "84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7",
    "cp312 x86_64": "4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2",
    "cp312 aarch64": "6f307c2c32d764ffc6ff6893b801fad6d4752f3e67966cb8abf1843427c02604",
    "cp313 x86_64": "3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6",
    "cp313 aarch64": "0b8f7d0423027ae8b90c7977c627f3379f325363a08224dffad9b4b2d684a83d",
}


def compiled(inputs: list[str], constraint: str, upgrade: bool) -> list[str]:
    """The blocks of a lock, one a package: its line and those of its hashes."""
    with tempfile.TemporaryDirectory() as scratch:
        known = Path(scratch) / "known.txt"
        known.write_text("" if upgrade else constraint, encoding="utf-8")
        options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
        options += ["--no-annotate", "--no-header"]
        command = ["uv", "pip", "compile", "--quiet", *options, "--constraint", str(known), *inputs]
        extra = "pip\nsetuptools\n" if "pyproject.toml" in inputs else ""
        result = subprocess.run(  # noqa: S603 - a fixed command
            command, cwd=ROOT, input=extra, stdout=subprocess.PIPE, text=True, check=True
        )
    text = result.stdout
    return [block for block in re.split(r"(?m)^(?=[a-z0-9])", text) if "==" in block]


def with_cpu_builds(block: str) -> str:
    """torch's block with the hashes of the CPU builds beside those of PyPI."""
    lines = block.splitlines()
    hashes = {line.strip(" \\") for line in lines if "--hash" in line}
    hashes |= {f"--hash=sha256:{digest}" for digest in TORCH_CPU.values()}
    head = [lines[0], *(f"    {digest} \\" for digest in sorted(hashes))]
    head[-1] = head[-1].removesuffix(" \\")
    return "\n".join(head) + "\n"


def versions(blocks: list[str]) -> str:
    """The bare pins of a lock, to hold another one to."""
    return "".join(f"{pin}\n" for pin in PIN.findall("".join(blocks)))


def name(block: str) -> str:
    """The package a block is about."""
    return block.partition("==")[0]


def write(lock: str, blocks: list[str]) -> None:
    """A lock with its comment on top."""
    (ROOT / lock).write_text(HEAD.format(what=WHAT[lock]) + "".join(blocks), encoding="utf-8")
    sys.stdout.write(f"{lock}: {len(blocks)} packages\n")


def main() -> None:
    """Make the three locks."""
    upgrade = "--upgrade" in sys.argv[1:]
    old = [ROOT / lock for lock in WHAT if (ROOT / lock).exists()]
    known = "".join(f"{pin}\n" for path in old for pin in PIN.findall(path.read_text()))
    blocks = compiled(["pyproject.toml", "-"], known, upgrade)
    plain = [with_cpu_builds(block) if block.startswith("torch==") else block for block in blocks]
    if not any(block.startswith(f"torch=={TORCH} ") for block in plain):
        sys.exit(f"torch is no longer {TORCH}: put the sha256 of the new CPU builds into {Path(__file__).name}")
    write("requirements.lock", [block for block in plain if not CUDA.match(block)])
    write("requirements-cuda.lock", [block for block in plain if CUDA.match(block)])
    dev = compiled(["--group", "dev"], known + versions(blocks), False)
    there = {name(block) for block in blocks}
    write("requirements-dev.lock", [block for block in dev if name(block) not in there])


if __name__ == "__main__":
    main()
