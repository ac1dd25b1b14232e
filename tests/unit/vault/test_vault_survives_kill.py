from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from vault_samples import PASSPHRASE, vaults_in

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 5

# Writes turns without end and says the number of each once the repository has returned it.
WRITER = """
import pathlib, sys
from assistant.vault.registry import Vaults
folder, vault_id, passphrase, conversation = sys.argv[1:]
repository = Vaults(pathlib.Path(folder)).unlock(vault_id, passphrase).repository
while True:
    turn = repository.append_turn(conversation, speaker="actor", text="sana " * 200, language="fi")
    reply = repository.append_turn(conversation, speaker="peili", text="", language="fi", state="streaming")
    print(turn.sequence, flush=True)
    for words in range(1, 4):
        repository.update_turn(
            conversation, reply.sequence, text="mitä " * words, state="streaming", voice="model", citations=()
        )
    if turn.sequence % 40 == 1:
        repository.delete(repository.create("goal", "fi", "x" * 60).id)
"""


def test_a_peili_that_is_killed_while_it_writes_loses_no_turn_it_had_confirmed(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path)
    vault, _ = vaults.create("Kuu", PASSPHRASE)
    talk = vault.repository.create("goal", "fi")
    vault.lock()
    for killed_after in range(3, 3 + ROUNDS * 7, 7):
        confirmed = _write_and_kill([str(tmp_path), vault.vault_id, PASSPHRASE, talk.id], killed_after)

        opened = vaults.unlock(vault.vault_id, PASSPHRASE)  # the lock of the dead is no hindrance
        turns = opened.repository.turns(talk.id)
        assert [turn.sequence for turn in turns] == list(range(1, len(turns) + 1))
        assert len(confirmed) >= killed_after
        assert set(confirmed) <= {turn.sequence for turn in turns if turn.text == "sana " * 200}
        replies = [turn for turn in turns if turn.speaker == "peili"]
        assert {turn.state for turn in replies} == {"interrupted"}
        assert {turn.text for turn in replies} <= {"mitä " * words for words in range(4)}
        assert opened.repository.list()[-1].id == talk.id and len(opened.repository.list()) <= 1 + ROUNDS
        opened.lock()


def _write_and_kill(arguments: list[str], killed_after: int) -> list[int]:
    """The sequence numbers a writer confirmed before it was killed."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    with writer.stdout:
        lines = [writer.stdout.readline() for _ in range(killed_after)]
        writer.kill()
        lines += writer.stdout.readlines()
    writer.wait()
    return [int(line) for line in lines if line.endswith("\n")]
