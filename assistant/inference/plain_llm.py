"""The yardstick of `peili bench speed`: llama-cpp-python's high-level chat as its documentation shows it, in a worker.

It is used for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import llama_cpp

from assistant.inference.worker import Channel


def serve(channel: Channel, config: Mapping[str, Any]) -> None:
    """Load the model and answer `chat` requests: messages in, pieces out, with default settings but the context."""
    model = llama_cpp.Llama(
        config["path"],
        n_ctx=config["context"],
        n_threads=config["threads"],
        n_threads_batch=config["threads"],
        flash_attn=True,
        verbose=False,
    )
    channel.send("ready")
    while (request := channel.receive()) is not None:
        before = list(model.input_ids[: model.n_tokens])
        answer = model.create_chat_completion(
            request["messages"], max_tokens=request["max_tokens"], temperature=0.4, top_p=0.9, top_k=40, stream=True
        )
        pieces = 0
        for chunk in answer:
            text = chunk["choices"][0]["delta"].get("content")
            if text:
                pieces += 1
                channel.send("piece", text=text)
        now = list(model.input_ids[: model.n_tokens])
        same = next(
            (index for index, (old, new) in enumerate(zip(before, now, strict=False)) if old != new), len(before)
        )
        channel.send("done", prompt_tokens=len(now) - pieces, prefilled_tokens=max(len(now) - pieces - same, 1))
