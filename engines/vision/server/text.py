"""Reads the text in a picture: PP-OCR's detector finds the lines, its recogniser spells each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.vision.server.lines import quads, spelled, upright
from engines.vision.server.picture import Picture, normal, picture
from engines.vision.server.sessions import Unusable, session
from engines.vision.server.tensors import ANY, COUNT, IMAGE, Slot, Tensors, listed, words

STEP = 32  # the network's sides are multiples of it
HALF = (0.5, 0.5, 0.5)
SURE = 0.5  # of a line's letters, on average
LINES = 64  # of a picture; the time of one is about 10 ms


class Reader:
    """The model `text`: quads [n, 4, 2] in pixels, texts [n], scores [n], in reading order."""

    name = "text"
    inputs: Sequence[Slot] = (IMAGE,)
    outputs: Sequence[Slot] = (
        COUNT,
        Slot("quads", np.float32, (ANY, 4, 2)),
        Slot("texts", bytes, (ANY,)),
        Slot("scores", np.float32, (ANY,)),
    )

    def __init__(
        self, finder: Path, speller: Path, device: str, threads: int, max_pixels: int, side: int
    ) -> None:
        """`side`: the longest that the picture is scaled to for finding lines. Raises Unusable."""
        self._finder = session(finder, device, threads)
        self._speller = session(speller, device, threads)
        self.providers: Sequence[str] = [self._finder.get_providers()[0], self._speller.get_providers()[0]]
        self._max_pixels = max_pixels
        self._side = side
        letters = self._speller.get_modelmeta().custom_metadata_map.get("character", "")
        self._alphabet = [*letters.split("\n"), " "]
        if self._alphabet[-2] == "":
            del self._alphabet[-2]
        classes = self._speller.get_outputs()[0].shape[-1]
        if classes != len(self._alphabet) + 1:
            raise Unusable(
                f"{speller} spells {classes} letters and names {len(self._alphabet) + 1}; fetch it again"
            )

    def infer(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """The Unit's."""
        image = picture(tensors["image"], self._max_pixels)[:, :, ::-1]  # PP-OCR was trained on BGR
        boxes, _ = self._find(image)
        read = [self._spell(upright(image, quad)) for quad in boxes[:LINES]]
        sure = [i for i, (text, score) in enumerate(read) if score >= SURE and text.strip()]
        return listed(
            quads=boxes[sure],
            texts=words([read[i][0].strip() for i in sure]),
            scores=np.array([read[i][1] for i in sure], np.float32),
        )

    def _find(self, image: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        height, width = image.shape[:2]
        scale = min(1.0, self._side / max(height, width))
        size = [max(STEP, round(side * scale / STEP) * STEP) for side in (width, height)]
        shrunk = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        (chart,) = self._finder.run(None, {self._finder.get_inputs()[0].name: normal(shrunk, HALF, HALF)})
        return quads(chart[0, 0], (size[0] / width, size[1] / height), (width, height))

    def _spell(self, strip: Picture) -> tuple[str, float]:
        (chances,) = self._speller.run(None, {self._speller.get_inputs()[0].name: normal(strip, HALF, HALF)})
        return spelled(chances[0], self._alphabet)
