"""Models from Hugging Face at a pinned revision: plain HTTPS, no client library, no account, only the request."""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from assistant.errors import ModelError
from assistant.inference.catalogue import Hub
from assistant.inference.fetching import Job, append_from
from assistant.inference.weights import WeightFile

HUB = "https://huggingface.co"
_SILENCE_S = 30.0  # without a byte, once the download runs
_TRIES = 5  # in a row without progress


@dataclass(frozen=True, slots=True)
class HubSource:
    """Downloads from `address`; a first answer is waited for `patience_s` seconds, name look-up included."""

    address: str = HUB
    patience_s: float = 3.0

    def deliver(self, job: Job) -> None:
        """Download every wanted file, each from where it was left. Raises ModelError."""
        hub = job.entry.hub
        if hub is None:
            raise ModelError("model_no_source", model=job.entry.id)
        self._first_answer(job, self._url(hub, job.wanted[0]))
        job.need(sum(file.size - _size(job.part(file.name)) for file in job.wanted))
        for file in job.wanted:
            self._download(job, file, self._url(hub, file))
            job.finish(file)

    def _url(self, hub: Hub, file: WeightFile) -> str:
        return f"{self.address}/{quote(hub.repo)}/resolve/{quote(hub.revision)}/{quote(file.name)}"

    def _first_answer(self, job: Job, url: str) -> None:
        """Ask for the head of a file. In a thread, since a name look-up knows no time limit."""
        outcome: list[Exception | None] = []
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - https, or what a test injects

        def ask() -> None:
            try:
                with urllib.request.urlopen(request, timeout=self.patience_s):  # noqa: S310
                    outcome.append(None)
            except (OSError, http.client.HTTPException) as error:
                outcome.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(self.patience_s)
        error = outcome[0] if outcome else TimeoutError()
        if error is not None:
            raise _named(error, job)

    def _download(self, job: Job, file: WeightFile, url: str) -> None:
        part, failures = job.part(file.name), 0
        part.touch()
        while (have := _size(part)) < file.size:
            try:
                _append_rest(job, file, url, part)
            except (OSError, http.client.HTTPException) as error:
                failures = 0 if _size(part) > have else failures + 1
                if isinstance(error, urllib.error.HTTPError) or failures >= _TRIES or _local(error):
                    raise _named(error, job) from error
            else:
                failures = 0 if _size(part) > have else failures + 1
                if failures >= _TRIES:
                    raise ModelError("model_no_network", model=job.entry.id)


def _append_rest(job: Job, file: WeightFile, url: str, part: Path) -> None:
    have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"})  # noqa: S310 - as above
    with urllib.request.urlopen(request, timeout=_SILENCE_S) as response:  # noqa: S310
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0  # a server that knows no ranges sends the whole file
        with part.open("ab" if have else "wb") as out:
            append_from(response, out, file.size - have, job.teller("downloading", file.size, have))


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _local(error: Exception) -> bool:
    """Whether the trouble is with our own disk: an OSError with a file behind it, or no space."""
    return isinstance(error, OSError) and not isinstance(error, (urllib.error.URLError, TimeoutError, ConnectionError))


def _named(error: Exception, job: Job) -> Exception:
    if isinstance(error, urllib.error.HTTPError):
        return ModelError("model_not_on_hub", model=job.entry.id, status=error.code)
    if _local(error):
        return error
    return ModelError("model_no_network", model=job.entry.id)
