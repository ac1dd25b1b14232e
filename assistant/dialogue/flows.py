"""Flows as data: `prompts/flows/<id>.toml` names the elements, the cards hold the questions.

A flow never forces an order on a person; the order of its elements is only the order in which Peili asks for what is
still missing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.domain import FLOWS, FlowId, Phase, Role
from assistant.errors import LibraryError


@dataclass(frozen=True, slots=True)
class Element:
    """Something a sheet holds. `least` entries make it complete; `asks` is the tag of the cards' questions for it."""

    label: str
    asks: str
    optional: bool = False
    least: int = 1


@dataclass(frozen=True, slots=True)
class Flow:
    """A conversation's shape. `opening` is what the person is asked for first (None: anything is a question)."""

    id: FlowId
    cards: tuple[str, ...]
    elements: tuple[Element, ...]
    opening: str | None
    phase: Phase | None
    role: Role | None

    def element(self, label: str) -> Element:
        """The element of that label; KeyError if the flow has none."""
        return {element.label: element for element in self.elements}[label]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all elements, in order."""
        return tuple(element.label for element in self.elements)


class _ElementFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    label: str
    asks: str = ""
    optional: bool = False
    least: int = 1


class _FlowFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: FlowId
    cards: tuple[str, ...]
    elements: tuple[_ElementFile, ...] = ()
    opening: str | None = None
    phase: Phase | None = None
    role: Role | None = None


def load_flows(folder: Path) -> Mapping[FlowId, Flow]:
    """Every flow of `folder`; LibraryError names the file that cannot be used."""
    return {flow: _load(folder / f"{flow}.toml") for flow in FLOWS}


def _load(path: Path) -> Flow:
    try:
        raw = _FlowFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LibraryError("flow_unreadable", file=path.name) from error
    elements = tuple(
        Element(item.label, f"{raw.id}.{item.asks or item.label}", item.optional, item.least) for item in raw.elements
    )
    return Flow(raw.id, raw.cards, elements, raw.opening, raw.phase, raw.role)
