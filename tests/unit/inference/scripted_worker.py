"""What the tests let run in a worker process: it answers, waits, refuses, breaks, dies or stays silent on request."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import time
from collections.abc import Mapping
from typing import Any

from assistant.errors import Cancelled, ModelError
from assistant.inference.worker import Channel

PRIVATE = "what the person typed"
_LONG_S = 600
_TOO_MUCH = 1 << 45  # bytes


def serve(channel: Channel, config: Mapping[str, Any]) -> None:
    """Load as `config["loading"]` says, then answer."""
    _load(config.get("loading", ""))
    channel.send("ready", pid=os.getpid())
    while (request := channel.receive()) is not None:
        try:
            _answer(channel, request)
        except Cancelled:
            channel.send("cancelled")
        except ModelError as error:
            channel.send("refused", key=error.key, params=error.params)


def _load(loading: str) -> None:
    if loading == "refuses":
        raise ModelError("model_refused", name="tiny.gguf")
    if loading == "breaks":
        raise RuntimeError(PRIVATE)
    if loading == "dies":
        os._exit(1)
    if loading == "hangs":
        time.sleep(_LONG_S)


def _answer(channel: Channel, request: Mapping[str, Any]) -> None:
    match request["op"]:
        case "echo":
            for word in request["words"]:
                if channel.is_cancelled():
                    raise Cancelled
                channel.send("piece", text=word)
            channel.send("done", words=len(request["words"]))
        case "bytes":
            channel.send("done", payload=bytes(range(256)) * request["times"])
        case "work":
            channel.send("piece", text="working")
            while not channel.is_cancelled():
                time.sleep(0.01)
            raise Cancelled
        case "send_raw":
            channel._connection.send_bytes(bytes.fromhex(request["hex"]))
        case "surroundings":
            channel.send("done", seen=_surroundings())
        case _:
            _go_wrong(channel, request["op"])


def _go_wrong(channel: Channel, how: str) -> None:
    if how == "refuse":
        raise ModelError("turn_too_long", tokens=5000, limit=4096)
    if how == "break":
        raise RuntimeError(PRIVATE)
    if how == "die":
        channel.send("piece", text="working")
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "take_memory":
        channel.send("done", got=len(bytearray(_TOO_MUCH)))
    if how == "hang":
        time.sleep(_LONG_S)


def _surroundings() -> dict[str, object]:
    return {
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "memory": resource.getrlimit(resource.RLIMIT_AS),
        "dumpable": _dumpable(),
        "network": [_attempt("192.0.2.1"), _attempt("example.org")],
        "environment": json.dumps(dict(os.environ)),
    }


def _dumpable() -> int:
    import ctypes

    pr_get_dumpable = 3  # linux/prctl.h
    return int(ctypes.CDLL(None).prctl(pr_get_dumpable, 0, 0, 0, 0))


def _attempt(host: str) -> str:
    try:
        socket.create_connection((host, 80), timeout=1).close()
    except OSError as error:
        return type(error).__name__
    return "connected"
