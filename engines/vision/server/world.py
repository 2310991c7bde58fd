"""Finds what it is told to look for: YOLO-World with a free vocabulary, its classes CLIP's reading of words.

The network takes `images` and `txt_feats` [1, words, 512], unit vectors of CLIP ViT-B/32's text side; its
output has a logit a word where other exports have a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.vision.server.detect import Detector
from engines.vision.server.sessions import Unusable, session, tokenizer
from engines.vision.server.tensors import Slot

LONGEST = 77  # tokens that CLIP reads
FEATURES = "txt_feats"


class World(Detector):
    """The model `detect` for `words`; without a vocabulary input it is what the file was exported for."""

    outputs: Sequence[Slot] = Detector.outputs

    def __init__(
        self, folder: Path, words: Sequence[str], device: str, threads: int, max_pixels: int
    ) -> None:
        """`folder`: model.onnx and, for words, text.onnx and tokenizer.json. Raises Unusable."""
        super().__init__("detect", folder / "model.onnx", device, threads, max_pixels, words=words)
        free = FEATURES in {each.name for each in self._session.get_inputs()}
        if words and not free:
            raise Unusable(
                f"{folder / 'model.onnx'} has a fixed vocabulary; cure: vision.engine.words=[], or the export"
                f" with '{FEATURES}' that ./build_engines.sh vision fetches"
            )
        if free:
            self._fixed[FEATURES] = features(folder, self.labels, device, threads)


def features(folder: Path, words: Sequence[str], device: str, threads: int) -> NDArray[np.float32]:
    """CLIP's unit vectors [1, words, width] of what the words mean. Raises Unusable."""
    missing = [name for name in ("text.onnx", "tokenizer.json") if not (folder / name).is_file()]
    if missing:
        raise Unusable(f"{folder / missing[0]} is missing; cure: ./build_engines.sh vision")
    text = session(folder / "text.onnx", device, threads)
    words_of = tokenizer(folder / "tokenizer.json")
    taken = {each.name for each in text.get_inputs()}
    names = [each.name for each in text.get_outputs()]
    rows = []
    for word in words:
        ids = words_of.encode(word).ids
        ids = ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], ids[-1]]  # it reads at its end mark
        feeds = {"input_ids": np.array([ids], np.int64), "attention_mask": np.ones((1, len(ids)), np.int64)}
        found = text.run(None, {name: value for name, value in feeds.items() if name in taken})
        rows.append(np.asarray(found[names.index("text_embeds") if "text_embeds" in names else 0][0]))
    vectors = np.array(rows, np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)[None]
