"""Sentences to vectors: all-MiniLM-L6-v2 on onnxruntime, mean of its tokens, length 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, InvalidProtobuf
from tokenizers import Tokenizer

from engines.cache import ModelError, known, locate

BATCH = 16  # texts of one inference: more only adds padding
Vectors = NDArray[np.float32]  # [texts, 384], each of length 1
INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
BROKEN = (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf)


class MiniLm:
    """The model, loaded. Raises ModelError where its files are not a sentence encoder's."""

    def __init__(self, model: str, threads: int, most_tokens: int) -> None:
        folder = Path(model)
        if not folder.is_dir():
            known(model)
            folder = locate(model, "model.onnx").parent
            locate(model, "tokenizer.json")
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), settings, providers=["CPUExecutionProvider"]
            )
            # the library raises bare Exception, from Rust, for a file that it cannot read
            self._tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
        except (*BROKEN, OSError, UnicodeDecodeError) as error:
            raise ModelError(
                f"{folder} cannot be loaded ({type(error).__name__}); cure: python -m engines.fetch --verify"
            ) from error
        self._takes = {each.name for each in self._session.get_inputs()}
        if not {"input_ids", "attention_mask"} <= self._takes <= INPUTS:
            raise ModelError(f"{folder}: its inputs are {', '.join(self._takes)}: no encoder of sentences")
        self._tokenizer.enable_truncation(most_tokens)
        self._tokenizer.enable_padding()

    def embed(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """Vectors of `texts`, in their order, and how many tokens were read."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # like with like: less padding
        found: dict[int, Vectors] = {}
        tokens = 0
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            vectors, read = self._batch([texts[i] for i in some])
            tokens += read
            found |= dict(zip(some, vectors, strict=True))
        return np.stack([found[i] for i in range(len(texts))]), tokens

    def _batch(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        read = self._tokenizer.encode_batch(list(texts))
        mask = np.array([each.attention_mask for each in read], dtype=np.int64)
        given = {
            "input_ids": np.array([each.ids for each in read], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        hidden = self._session.run(None, {name: given[name] for name in self._takes})[0]
        weights = mask[:, :, None].astype(np.float32)
        if hidden.ndim == 3:  # of every token; a model that pools by itself gives one vector a text
            hidden = (hidden * weights).sum(1) / np.maximum(weights.sum(1), 1)
        length = np.linalg.norm(hidden, axis=1, keepdims=True)
        return (hidden / np.maximum(length, 1e-9)).astype(np.float32), int(mask.sum())
