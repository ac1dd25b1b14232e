"""Models from a folder on disk: a bundle made by `peili bundle`, a copied models folder, or a folder of wheels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import ModelError
from assistant.inference.fetching import Job, append_from
from assistant.inference.sources.pieces import Wheels, join, wheel_name
from assistant.inference.weights import WeightFile


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Takes `<id>/<file>`, `models/<id>/<file>` or `<file>` below `folder`, else wheels in it or in `wheels/`."""

    folder: Path

    def deliver(self, job: Job) -> None:
        """Copy or join every wanted file. Raises ModelError, `model_not_in_folder` if nothing of it is there."""
        found = {file: self._find(job, file) for file in job.wanted}
        copies = {file: path for file, path in found.items() if path is not None}
        if len(copies) == len(found):
            job.need(sum(file.size for file in copies))
            for file, path in copies.items():
                with path.open("rb") as source, job.part(file.name).open("wb") as target:
                    append_from(source, target, file.size, job.teller("copying", file.size))
                job.finish(file)
        elif job.entry.parts is not None and self._has_wheels(job):
            join(job, job.entry.parts, _FolderWheels(self._wheel_folders(), job.entry.id))
        else:
            raise ModelError("model_not_in_folder", model=job.entry.id, folder=str(self.folder))

    def _find(self, job: Job, file: WeightFile) -> Path | None:
        places = (self.folder / job.entry.id, self.folder / "models" / job.entry.id, self.folder)
        candidates = (file.below(place) for place in places)
        return next((path for path in candidates if path.is_file() and path.stat().st_size == file.size), None)

    def _wheel_folders(self) -> tuple[Path, ...]:
        return (self.folder, self.folder / "wheels")

    def _has_wheels(self, job: Job) -> bool:
        parts = job.entry.parts
        return parts is not None and any(
            _matching(folder, parts.package.format(n=n), parts.version.format(n=n))
            for folder in self._wheel_folders()
            for n in range(1, len(parts.pieces) + 1)
        )


@dataclass(frozen=True, slots=True)
class _FolderWheels(Wheels):
    folders: tuple[Path, ...]
    model: str

    @contextmanager
    def wheel(self, package: str, version: str) -> Iterator[Path]:
        for folder in self.folders:
            if found := _matching(folder, package, version):
                yield found[0]
                return
        raise ModelError("model_part_missing", model=self.model, part=f"{package} {version}")


def _matching(folder: Path, package: str, version: str) -> list[Path]:
    pattern = re.compile(re.escape(wheel_name(package, version)) + r"-.*\.whl")
    return sorted(path for path in folder.glob("*.whl") if pattern.fullmatch(path.name))
