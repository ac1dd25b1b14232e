"""Where a conversation stands, as it is kept in the vault: the guide's state, an open confirmation, boundaries met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from assistant.dialogue.flows import Flow
from assistant.dialogue.guide import GuideState


class Pending(NamedTuple):
    """A sentence the person was asked about, and the turn it stands in. `choices` are the labels it may have; for a
    closed or leading question the open ones to choose from.
    """

    text: str
    choices: tuple[str, ...]
    turn: int


@dataclass(frozen=True, slots=True)
class Standing:
    """`boundaries` are the kinds that were answered, oldest first; `pending` waits for the person's word on it."""

    guide: GuideState
    boundaries: tuple[str, ...] = ()
    pending: Pending | None = None


class _Stored(BaseModel):
    """The JSON in the vault. Fields that a later version adds are ignored, missing ones have defaults."""

    model_config = ConfigDict(extra="ignore")
    asked: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    shown: bool = False
    awaiting: str | None = None
    boundaries: tuple[str, ...] = ()
    pending: Pending | None = None


def read_standing(stored: str | None, flow: Flow) -> Standing:
    """The standing of a conversation; the start of its flow where none was kept. Elements that the flow no longer has
    are forgotten.
    """
    if stored is None:
        return Standing(GuideState.start(flow))
    raw = _Stored.model_validate_json(stored)
    asked = tuple(label for label in raw.asked if label in flow.labels)
    awaiting = raw.awaiting if raw.awaiting in flow.labels else None
    guide = GuideState(asked, frozenset(raw.skipped), raw.shown, awaiting)
    return Standing(guide, raw.boundaries, raw.pending)


def write_standing(standing: Standing) -> str:
    """JSON for the vault."""
    guide = standing.guide
    return _Stored(
        asked=guide.asked,
        skipped=tuple(sorted(guide.skipped)),
        shown=guide.shown,
        awaiting=guide.awaiting,
        boundaries=standing.boundaries,
        pending=standing.pending,
    ).model_dump_json()
