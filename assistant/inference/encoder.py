"""sentence-transformers inside its worker process. The only module that knows it and torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils import logging

from assistant.errors import ModelError
from assistant.inference.worker import Channel

CHUNK = 32  # texts between two looks at the cancel flag
BATCH = 8  # of similar length; larger ones pad short texts to the longest
_REFUSED_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".py"})


def serve(channel: Channel, config: Mapping[str, Any]) -> None:
    """Load the encoder and answer `encode` requests: texts and a prompt name in, float32 rows (n, dimension) out."""
    folder = Path(config["path"])
    refused = sorted(path.name for path in folder.rglob("*") if path.suffix.lower() in _REFUSED_SUFFIXES)
    if refused:
        raise ModelError("model_unsafe_file", name=refused[0])
    logging.disable_progress_bar()
    torch.set_num_threads(config["threads"])
    try:
        model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            prompts=config["prompts"] or None,  # else those the encoder brings itself
            model_kwargs={"dtype": _precision()},
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError("model_refused", name=folder.name) from error
    dimension = model.get_embedding_dimension() or 0
    channel.send("ready", dimension=dimension, prompts=dict(model.prompts))
    while (request := channel.receive()) is not None:
        texts, rows = request["texts"], []
        for start in range(0, len(texts), CHUNK):
            if channel.is_cancelled():
                break
            rows.append(
                model.encode(
                    texts[start : start + CHUNK],
                    prompt_name=request["prompt"],
                    batch_size=BATCH,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            )
            channel.send("encoded", done=min(start + CHUNK, len(texts)))
        if channel.is_cancelled():
            channel.send("cancelled")
            continue
        matrix = np.concatenate(rows).astype(np.float32) if rows else np.zeros((0, dimension), np.float32)
        channel.send("done", payload=matrix.tobytes(), count=len(texts))


def _precision() -> torch.dtype:
    """bfloat16 where the processor computes it natively (measured four times as fast there), else float32."""
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
