#!/usr/bin/env python3
"""Peili, from a fresh machine to a running app, in one command.

    python3 run.py                   set up what is missing, start Peili on this computer and open the browser
    python3 run.py setup             set up what is missing
    python3 run.py test [ARGUMENTS]  the same with the tests' packages, then ruff, mypy and pytest ARGUMENTS
    python3 run.py COMMAND ...       any other command of peili (peili --help lists them)

Standard library only. Safe to interrupt and to run again: what is done is skipped, what was cut off is done anew.
Packages go into .venv in exact versions with hashes; pip's own settings (index, proxy, wheel folder) apply.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

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

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK, CUDA_LOCK, DEV_LOCK = (ROOT / f"requirements{kind}.lock" for kind in ("", "-cuda", "-dev"))
PATIENCE_S = 3.0
DISK_BYTES = 3_500_000_000  # .venv takes 2.1 GB (CPU build of torch), the rest is room to unpack in
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHECKS = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",), ("pytest",))


class Display:
    """One line that changes on a terminal; in a log a line now and then."""

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal
        self._began_s = self._told_s = 0.0
        self._width = 0

    def step(self, text: str) -> None:
        """A step begins."""
        self.clear()
        print(f"Peili: {text}", flush=True)
        self._began_s = self._told_s = time.monotonic()

    def progress(self, text: str) -> None:
        """How far the step is; at most a line in 15 s where lines cannot be overwritten."""
        now = time.monotonic()
        minutes = int(now - self._began_s) // 60
        text += f", {minutes} min" if minutes else ""
        if self.terminal:
            line = f"  {text}"[: shutil.get_terminal_size().columns - 1]
            print(f"\r{line:<{self._width}}", end="", flush=True)
            self._width = len(line)
        elif now - self._told_s >= 15:
            print(f"  {text}", flush=True)
            self._told_s = now

    def clear(self) -> None:
        """Leave no half line behind."""
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", flush=True)
            self._width = 0


def found_programs() -> set[str]:
    """Compilers on this machine, and what Visual Studio is found by."""
    installer = Path(os.environ.get("PROGRAMFILES(X86)", "")) / "Microsoft Visual Studio" / "Installer"
    places = os.pathsep.join((os.environ.get("PATH", ""), str(installer)))
    names = ("cc", "gcc", "clang", "c++", "g++", "clang++", "cl", "vswhere")
    return {name for name in names if shutil.which(name, path=places)}


def has_nvidia() -> bool:
    """Whether the machine has an NVIDIA card with its driver."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def answers(url: str, patience_s: float = PATIENCE_S) -> bool:
    """Whether a server answers in time, name look-up included."""
    outcome: list[bool] = []

    def ask() -> None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=patience_s):  # noqa: S310 - https, fixed
            outcome.append(True)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience_s)
    return bool(outcome)


class Environment:
    """The folder .venv and what is installed there."""

    def __init__(self, display: Display) -> None:
        self.display = display
        scripts = VENV / ("Scripts" if os.name == "nt" else "bin")
        self.python = scripts / ("python.exe" if os.name == "nt" else "python")
        self.peili = scripts / ("peili.exe" if os.name == "nt" else "peili")
        self._stamp = VENV / "peili-setup.json"
        self._log = VENV / "peili-setup.log"

    def install(self, *, tests: bool) -> None:
        """Have every package; raises Problem. Skipped if the stamp says that nothing has changed."""
        version = ".".join(str(number) for number in sys.version_info[:3])
        wanted = {"peili": fingerprint([LOCK, CUDA_LOCK, ROOT / "pyproject.toml"], version)}
        if tests:
            wanted["tests"] = fingerprint([LOCK, DEV_LOCK], version)
        done = self._read_stamp()
        if wanted.items() <= done.items() and self._works():
            return
        if not self._works():
            done = {}
            self._make()
        if done.get("peili") != wanted["peili"]:
            self._install_peili()
        if tests and done.get("tests") != wanted["tests"]:
            self._pip("Installing the tests' packages", list(packages(DEV_LOCK.read_text("utf-8")).values()))
        self._stamp.write_text(json.dumps({**done, **wanted}), encoding="utf-8")

    def _install_peili(self) -> None:
        locked = packages(LOCK.read_text("utf-8"))
        free = shutil.disk_usage(VENV).free
        if self._installed("torch") == "" and free < DISK_BYTES:
            raise Problem(f"Too little disk space: {DISK_BYTES / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")
        self._pip("Preparing pip", [locked.pop("pip"), locked.pop("setuptools")], "--progress-bar=off")
        forget_half_installed(self._site_packages())
        self._torch(locked.pop("torch"))
        llama = locked.pop("llama-cpp-python")
        self._pip(f"Installing {len(locked)} packages (about 230 MB)", list(locked.values()))
        self._llama(llama)
        self._run_pip("Installing Peili itself", 1, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))

    def _torch(self, block: str) -> None:
        if self._installed("torch").split("+")[0] != version_in(block):
            system, nvidia = platform.system(), has_nvidia()
            cpu_index = system == "Linux" and not nvidia and answers(f"{TORCH_CPU_INDEX}/torch/")
            ways = torch_ways(system, nvidia=nvidia, cpu_index=cpu_index)
            for what, options in ways:
                try:
                    self._pip(what, [block], *options)
                    break
                except Absent:
                    if (what, options) == ways[-1]:
                        raise
        about = self._site_packages() / "torch" / "version.py"
        if re.search(r"^cuda\b.*= '", about.read_text("utf-8"), re.MULTILINE):
            self._pip("Installing what CUDA needs", list(packages(CUDA_LOCK.read_text("utf-8")).values()))

    def _llama(self, block: str) -> None:
        """A wheel from the person's own wheel folder if there is one (it has no hash in the lock), else compiled."""
        version = version_in(block)
        if self._installed("llama_cpp_python") == version:
            return
        with contextlib.suppress(Absent):
            own = ("--no-deps", "--no-index", "--only-binary=:all:", f"llama-cpp-python=={version}")
            return self._run_pip("Looking for a prebuilt llama-cpp-python", 1, *own)
        cached = self._output("-m", "pip", "cache", "list", "llama_cpp_python", "--format=abspath")
        if f"llama_cpp_python-{version}-" not in cached:
            if problem := compiler_problem(platform.system(), found_programs()):
                raise Problem(problem)
            self.display.step("llama-cpp-python has no wheel: it is compiled now, about 6 minutes on two idle cores")
        self._pip("Installing llama-cpp-python", [block])

    def _pip(self, what: str, blocks: list[str], *options: str) -> None:
        requirements = VENV / "peili-wanted.txt"
        requirements.write_text("".join(blocks), encoding="utf-8")
        self._run_pip(what, len(blocks), "--no-deps", "--require-hashes", *options, "--requirement", str(requirements))

    def _run_pip(self, what: str, total: int, *arguments: str) -> None:
        self.display.step(what)
        bar = () if "--progress-bar=off" in arguments else ("--progress-bar=raw",)
        command = [str(self.python), "-m", "pip", "install", "--no-input", *bar, *arguments]
        environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUNBUFFERED": "1"}
        lines, count, name = [], 0, ""
        with self._log.open("a", encoding="utf-8") as log, _piped(command, environment) as pip:
            for line in pip.stdout or ():
                if match := re.match(r"(?:Collecting|Processing|Requirement already satisfied:) (\S+)", line):
                    count, name = count + 1, re.split(r"[=<>]|-\d", match[1].rsplit("/", 1)[-1])[0]
                self.display.progress(pip_progress(line, count, total, name))
                if not line.startswith("Progress "):
                    lines.append(line)
                    log.write(line)
        self.display.clear()
        if pip.returncode:
            kind, cause = cause_of("".join(lines))
            raise kind(f"{cause} (details: {self._log.relative_to(ROOT)})")

    def _make(self) -> None:
        self.display.step("Making .venv")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
        if made.returncode:
            raise Problem("Python cannot make environments: sudo apt-get install python3-venv (or your system's)")

    def _works(self) -> bool:
        """Whether .venv has a pip that runs, for the Python that runs this."""
        version = "{}.{}".format(*sys.version_info[:2])
        return self.python.exists() and f"(python {version})" in self._output("-m", "pip", "--version")

    def _output(self, *arguments: str) -> str:
        return subprocess.run([str(self.python), *arguments], capture_output=True, text=True).stdout

    def _site_packages(self) -> Path:
        return Path(self._output("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())

    def _installed(self, package: str) -> str:
        """The installed version of `package` (its name as in file names), or nothing."""
        found = sorted(self._site_packages().glob(f"{package}-*.dist-info/INSTALLER"))
        return found[0].parent.name.removesuffix(".dist-info").split("-", 1)[1] if found else ""

    def _read_stamp(self) -> dict[str, str]:
        try:
            stamp: dict[str, str] = json.loads(self._stamp.read_text("utf-8"))
            return stamp
        except (OSError, ValueError):
            return {}


def _piped(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    """A program whose words, those of its errors among them, are read line by line."""
    out, both = subprocess.PIPE, subprocess.STDOUT
    return subprocess.Popen(command, env=environment, stdout=out, stderr=both, encoding="utf-8", errors="replace")


def run_checks(environment: Environment, arguments: list[str]) -> int:
    """ruff, mypy and pytest, all of them, and one line at the end; 0 if every one passed."""
    display, failed = environment.display, []
    if not any(shutil.which(browser) for browser in BROWSERS):
        display.step("Chromium is missing, the tests in the browser will fail: sudo apt-get install chromium")
    for check in CHECKS:
        display.step(" ".join(check))
        extra = arguments if check == ("pytest",) else []
        if subprocess.call([str(environment.python), "-m", *check, *extra], cwd=ROOT):
            failed.append(" ".join(check))
    display.step(f"FAILED: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def hand_over(command: list[str]) -> int:
    """Become `command`, or where a process cannot (Windows) run it; so Ctrl-C reaches the app alone."""
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], command)  # noqa: S606 - no shell is the point


def main(arguments: list[str]) -> int:
    """Set up and run; the exit code."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    what = "run" if not arguments or arguments[0].startswith("-") else arguments[0]
    rest = arguments[1:] if arguments[:1] == [what] else arguments
    problem = python_problem(sys.version_info[:2], platform.system(), platform.machine())
    if problem:
        raise Problem(problem)
    environment = Environment(Display(terminal=sys.stdout.isatty()))
    environment.install(tests=what == "test")
    peili = str(environment.peili)
    if what in {"run", "setup", "test"} and (code := subprocess.call([peili, "setup"])):
        return code
    if what == "setup":
        return 0
    return run_checks(environment, rest) if what == "test" else hand_over([peili, what, *rest])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit(f"\nPeili cannot go on. {problem}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Run the same command again: it goes on where it stopped.")
