"""A chat model that follows a script: the newest turn decides how it behaves, and it tells what it was asked.

`slowly` goes on until it is cancelled, `die` ends the process in the middle, `refuse` is too long; anything else is
answered with the words of `REPLY`. Where `config["gate"]` names a file, loading waits until it is there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from assistant.errors import Cancelled, ModelError
from assistant.inference.worker import Channel, Worker

REPLY = ("What ", "would ", "be ", "different?")


class Asked(NamedTuple):
    """A request the model had: what for, whose, how it ended, and the prompt's pieces, group by group."""

    operation: str
    session: str
    end: str
    groups: list[list[tuple[str, bool]]]

    @property
    def newest(self) -> list[str]:
        """The plain texts of the newest turn."""
        return [text for text, control in self.groups[-1] if not control]


def asked_of(worker: Worker) -> list[Asked]:
    """What the model was asked so far."""
    log = worker.call("log", {}).body["log"]
    return [
        Asked(operation, session, end, [[(text, control) for text, control in group] for group in groups])
        for operation, session, end, groups in log
    ]


def serve(channel: Channel, config: Mapping[str, Any]) -> None:
    """Answer by the script; `prepare` touches `config["preparing"]` when it begins."""
    gate = config.get("gate")
    while gate and not Path(gate).exists():
        time.sleep(0.01)
    channel.send("ready")
    log: list[Asked] = []
    while (request := channel.receive()) is not None:
        if request["op"] == "log":
            channel.send("done", log=log)
            continue
        end, rest = _end_of(channel, config, request)
        whose = request["prefix"] if request["op"] == "forget" else request["session"]
        log.append(Asked(request["op"], whose, end, request.get("groups", [])))
        channel.send(end, **rest)


def _end_of(channel: Channel, config: Mapping[str, Any], request: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    try:
        if request["op"] == "forget":
            return "done", {}
        if request["op"] == "prepare":
            Path(config["preparing"]).touch()
        _behave(channel, " ".join(text for text, control in request["groups"][-1] if not control))
        return "done", _reply(channel) if request["op"] == "generate" else {}
    except Cancelled:
        return "cancelled", {}
    except ModelError as error:
        return "refused", {"key": error.key, "params": error.params}


def _behave(channel: Channel, newest: str) -> None:
    if "refuse" in newest:
        raise ModelError("turn_too_long")
    if "slowly" in newest or "die" in newest:
        channel.send("piece", text="Well ")
    if "die" in newest:
        os._exit(1)
    while "slowly" in newest:
        if channel.is_cancelled():
            raise Cancelled
        time.sleep(0.01)


def _reply(channel: Channel) -> dict[str, int]:
    channel.send("read", prompt_tokens=50, prefilled_tokens=7, prefill_ms=20)
    for word in REPLY:
        channel.send("piece", text=word)
    return {"prompt_tokens": 50, "prefilled_tokens": 7, "generated_tokens": 4, "prefill_ms": 20, "generate_ms": 30}
