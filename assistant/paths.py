"""The only place that knows where files live.

Everything Peili writes lies under one folder, PEILI_HOME (by default the platform's folder for user data). What ships
with the project (cards, prompts, the model catalogue) lies beside the package.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from assistant.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things are. `home` is private to the person (mode 0700); nothing outside it is ever written."""

    home: Path
    project: Path = PROJECT_ROOT

    @classmethod
    def from_environment(cls) -> Paths:
        """PEILI_HOME if it is set, else the platform's data folder.

        Raises SettingsError if PEILI_HOME is not an absolute path.
        """
        override = os.environ.get("PEILI_HOME", "")
        if override and not Path(override).is_absolute():
            raise SettingsError("home_not_absolute", path=override)
        return cls(Path(override) if override else Path(platformdirs.user_data_dir("peili", appauthor=False)))

    @property
    def models(self) -> Path:
        """Model weights, one folder a model."""
        return self.home / "models"

    @property
    def library_index(self) -> Path:
        """The Chroma index: shared text only, rebuildable."""
        return self.home / "library"

    @property
    def analysis(self) -> Path:
        """Trained weights of the sentence analysis: shared text only, rebuildable."""
        return self.home / "analysis"

    @property
    def prefix_states(self) -> Path:
        """States of the model after a fixed prompt part: no private word, rebuildable."""
        return self.home / "prefix"

    @property
    def vaults(self) -> Path:
        """One encrypted vault a person."""
        return self.home / "vaults"

    @property
    def runtime(self) -> Path:
        """Lock file, port and temporary files of the running app."""
        return self.home / "run"

    @property
    def settings_file(self) -> Path:
        """What a coordinator sets for the workstation; no personal text."""
        return self.home / "settings.toml"

    @property
    def knowledge(self) -> Path:
        """The cards, contacts, credits and exemplars that ship with Peili."""
        return self.project / "knowledge"

    def known_vectors(self, encoder: str) -> Path:
        """The vectors of our own texts that ship with Peili, by the catalogue id of the encoder that made them."""
        return self.knowledge / "vectors" / f"{encoder}.npz"

    @property
    def prompts(self) -> Path:
        """Flows and every word sent to a model or asked by a flow."""
        return self.project / "prompts"

    @property
    def catalogue(self) -> Path:
        """The model catalogue with sizes and sha256."""
        return self.project / "models" / "models.toml"

    @property
    def locales(self) -> Path:
        """gettext catalogues of the interface."""
        return Path(__file__).resolve().parent / "locales"


def private_folder(path: Path) -> Path:
    """Make `path` if need be, for its owner alone (0700), and return it."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
