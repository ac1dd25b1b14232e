"""What a person does in an evening, as a program: it runs in a process of its own that the tests sweep up behind.

Standard input: JSON {"home", "passphrase", "told", "mended", "named", "deleted"}. When everything is stored it prints
the vault's id and waits for a line; `lock` locks the vault, so a test may also end the process with the vault open.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

from assistant import app, isolation
from assistant.dialogue.service import DialogueService
from assistant.domain import FLOWS, Entry
from assistant.paths import Paths
from assistant.settings import Settings
from assistant.vault.keys import Cost
from assistant.vault.registry import Vaults
from assistant.vault.repository import Repository

CHEAP = Cost(m=19 * 1024, t=1, p=1)  # the lowest a header may ask for


def spend(words: dict[str, str]) -> None:
    """The whole evening."""
    paths = Paths(Path(words["home"]))
    services = app.build(Settings(), paths, chat_model="none", with_encoder=False)
    vault, _ = Vaults(paths.vaults, cost=CHEAP).create("alias", words["passphrase"])
    dialogue = services.dialogue(vault)
    for flow in FLOWS:
        conversation = dialogue.begin(flow, "en")
        talk(dialogue, conversation.id, words)
        if flow == "goal":
            mend(dialogue, conversation.id, words["mended"])
            vault.repository.rename(conversation.id, f"About {words['named']}")
    forget(dialogue, vault.repository, words["deleted"])
    print(vault.vault_id, flush=True)  # noqa: T201 - tells the test
    if sys.stdin.readline().strip() == "lock":
        services.lock(vault)


def talk(dialogue: DialogueService, conversation: str, words: dict[str, str]) -> None:
    """Two messages; the events of the replies are read to the end, as the page does."""
    for text in (
        f"I want to learn to talk about {words['told']} because it matters to me. What does {words['told']} mean?",
        f"{words['told']}! I don't want to live like this any more.",
    ):
        assert list(dialogue.reply(conversation, text))


def mend(dialogue: DialogueService, conversation: str, text: str) -> None:
    """Write on the sheet by hand."""
    sheet, revision = dialogue.sheet(conversation)
    entries = (*sheet.entries, Entry("support", text))
    dialogue.save_sheet(conversation, replace(sheet, entries=entries), revision)


def forget(dialogue: DialogueService, repository: Repository, text: str) -> None:
    """A conversation that is deleted again."""
    conversation = dialogue.begin("reflection", "sv")
    assert list(dialogue.reply(conversation.id, f"Jag pratade om {text} i går."))
    dialogue.delete(conversation.id)
    assert conversation.id not in {kept.id for kept in repository.list()}


if __name__ == "__main__":
    isolation.scrub_environment()
    isolation.forbid_core_dumps()
    isolation.NetworkGuard().arm()
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    logging.getLogger().setLevel(logging.DEBUG)
    spend(json.loads(sys.stdin.readline()))
