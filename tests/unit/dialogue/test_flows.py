"""The flows that ship with Peili: every element can be asked for in every language, and a broken file is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.dialogue import PROMPTS, library

from assistant.dialogue.exemplars import LABELS
from assistant.dialogue.flows import load_flows
from assistant.domain import FLOWS, LANGUAGES, FlowId, Language
from assistant.errors import LibraryError

FLOW = load_flows(PROMPTS / "flows")


def copied(folder: Path) -> Path:
    for path in (PROMPTS / "flows").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize("flow_id", FLOWS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_flow_asks_for_each_element_with_questions_of_its_own_cards(flow_id: FlowId, language: Language) -> None:
    flow = FLOW[flow_id]
    for element in flow.elements:
        asking = [card.id for card, _ in library().questions_for(element.asks, language) if card.id in flow.cards]
        assert asking, f"{element.asks} is asked by no card of the flow in {language}"


@pytest.mark.parametrize("flow_id", FLOWS)
def test_a_flow_opens_with_one_of_its_elements_and_knows_each_by_its_label(flow_id: FlowId) -> None:
    flow = FLOW[flow_id]
    assert len(set(flow.labels)) == len(flow.labels)
    assert flow.opening is None if not flow.elements else flow.opening == flow.labels[0]
    assert [flow.element(label).label for label in flow.labels] == list(flow.labels)
    with pytest.raises(KeyError):
        flow.element("nothing of the kind")


@pytest.mark.parametrize("flow_id", ["goal", "reflection"])
def test_what_the_analysis_recognises_has_a_place_on_the_sheet(flow_id: FlowId) -> None:
    assert set(LABELS[flow_id]) - {"other"} <= set(FLOW[flow_id].labels)


@pytest.mark.parametrize("damage", ["id = ", "id = 'goal'\ncards = []\nsurprise = 1", "id = 'tavoite'\ncards = []"])
def test_a_flow_file_that_cannot_be_used_is_named(tmp_path: Path, damage: str) -> None:
    (copied(tmp_path) / "goal.toml").write_text(damage, encoding="utf-8")
    with pytest.raises(LibraryError, match=r"flow_unreadable \(file=goal.toml\)"):
        load_flows(tmp_path)


def test_a_flow_file_that_is_missing_is_named(tmp_path: Path) -> None:
    (copied(tmp_path) / "lookup.toml").unlink()
    with pytest.raises(LibraryError, match=r"flow_unreadable \(file=lookup.toml\)"):
        load_flows(tmp_path)
