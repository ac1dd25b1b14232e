"""One small tree of errors: a key and parameters. The wording is looked up at the edge, in the person's language.

Every key has a text `error.<key>` in each catalogue under `locales/` that says what happened, why, and what to do.
"""

from __future__ import annotations


class PeiliError(Exception):
    """A foreseeable problem. `key` names its wording; `params` fill the placeholders of that wording."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(key, params)
        self.key = key
        self.params = params

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.key} ({details})" if details else self.key


class SettingsError(PeiliError):
    """A setting or an environment variable cannot be used."""


class LibraryError(PeiliError):
    """A card or the index cannot be read."""


class ModelError(PeiliError):
    """A model file is missing, altered, or cannot be fetched or loaded."""


class WorkerError(PeiliError):
    """A worker process stopped, hung or ran out of memory."""


class Cancelled(PeiliError):
    """A request was stopped on the person's wish."""

    def __init__(self) -> None:
        super().__init__("cancelled")


class VaultError(PeiliError):
    """A vault is missing, damaged or cannot be written."""


class WrongPassphrase(VaultError):
    """The passphrase or recovery code does not open this vault; `wait_s` seconds until the next try."""

    def __init__(self, wait_s: float = 0.0) -> None:
        super().__init__("wrong_passphrase", wait_s=round(wait_s))


class Conflict(VaultError):
    """The same thing was changed elsewhere since it was read."""
