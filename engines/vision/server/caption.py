"""Says what a picture shows: Florence-2 as its four ONNX files, decoded greedily.

The files are those of the transformers.js export: vision_encoder [1, 3, 768, 768] -> [1, 577, width],
embed_tokens, encoder_model over picture and question, decoder_model over what was said so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.vision.server.picture import normal, picture
from engines.vision.server.sessions import Unusable, session, tokenizer
from engines.vision.server.tensors import IMAGE, Slot, Tensors, words

PARTS = ("vision_encoder", "embed_tokens", "encoder_model", "decoder_model")
SIDE = 768
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
START, BEGIN, END = 2, 0, 2  # BART's tokens: a decoder starts with its end, then says where the text begins
REPEATED = 3  # no run of so many tokens comes twice
QUESTIONS = {  # the model was trained on these words for these tasks
    "<CAPTION>": "What does the image describe?",
    "<DETAILED_CAPTION>": "Describe in detail what is shown in the image.",
    "<MORE_DETAILED_CAPTION>": "Describe with a paragraph what is shown in the image.",
}


class Captioner:
    """The model `caption`: `task` [1], optional, one of QUESTIONS; `text` [1]."""

    name = "caption"
    inputs: Sequence[Slot] = (IMAGE, Slot("task", bytes, (1,), optional=True))
    outputs: Sequence[Slot] = (Slot("text", bytes, (1,)),)

    def __init__(self, folder: Path, device: str, threads: int, max_pixels: int, longest: int = 64) -> None:
        """`longest`: tokens of a caption. Raises Unusable."""
        missing = [f"{part}.onnx" for part in PARTS if not (folder / f"{part}.onnx").is_file()]
        if missing or not (folder / "tokenizer.json").is_file():
            lacks = ", ".join(
                [*missing, *([] if (folder / "tokenizer.json").is_file() else ["tokenizer.json"])]
            )
            raise Unusable(f"{folder} lacks {lacks}; cure: ./build_engines.sh vision, or another folder")
        self._parts = {part: session(folder / f"{part}.onnx", device, threads) for part in PARTS}
        self.providers: Sequence[str] = [part.get_providers()[0] for part in self._parts.values()]
        self._tokenizer = tokenizer(folder / "tokenizer.json")
        self._max_pixels = max_pixels
        self._longest = longest

    def infer(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """The Unit's."""
        image = picture(tensors["image"], self._max_pixels)
        task = (
            bytes(tensors["task"].reshape(-1)[0]).decode(errors="replace")
            if "task" in tensors
            else "<CAPTION>"
        )
        if task not in QUESTIONS:
            raise ValueError(f"no task '{task}'; they are: {', '.join(QUESTIONS)}")
        return {"text": words([self._say(image, QUESTIONS[task])])}

    def _say(self, image: NDArray[np.uint8], question: str) -> str:
        square = np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
        seen = self._run("vision_encoder", pixel_values=normal(square, MEAN, DEVIATION))
        asked = self._embedded(self._tokenizer.encode(question).ids)
        both = np.concatenate([seen, asked], axis=1)
        mask = np.ones(both.shape[:2], np.int64)
        thought = self._run("encoder_model", inputs_embeds=both, attention_mask=mask)
        said = [START, BEGIN]
        while len(said) < self._longest + 2:
            logits = self._run(
                "decoder_model",
                inputs_embeds=self._embedded(said),
                encoder_hidden_states=thought,
                encoder_attention_mask=mask,
            )
            token = chosen(logits[0, -1], said)
            if token == END:
                break
            said.append(token)
        return " ".join(self._tokenizer.decode(said, skip_special_tokens=True).split())

    def _embedded(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        return self._run("embed_tokens", input_ids=np.array([tokens], np.int64))

    def _run(self, part: str, **feeds: NDArray[Any]) -> NDArray[np.float32]:
        """A part's first output."""
        return np.asarray(self._parts[part].run(None, feeds)[0], np.float32)


def chosen(logits: NDArray[np.float32], said: Sequence[int]) -> int:
    """The likeliest token that does not repeat a run of REPEATED."""
    last = tuple(said[-(REPEATED - 1) :])
    runs = (tuple(said[i : i + REPEATED]) for i in range(len(said) - REPEATED + 1))
    barred = [run[-1] for run in runs if run[:-1] == last]
    allowed = logits.copy()
    allowed[barred] = -np.inf
    return int(allowed.argmax())
