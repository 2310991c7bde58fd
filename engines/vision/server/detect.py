"""Finds things in a picture with a YOLOv8 head: NudeNet as the guard, YOLO-World for words of one's own."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.vision.server.boxes import Found, decode
from engines.vision.server.picture import picture, squared
from engines.vision.server.sessions import Unusable, session
from engines.vision.server.tensors import ANY, COUNT, IMAGE, Slot, Tensors, listed, words

LEAST, OVERLAP = 0.25, 0.45  # a box's score, and how much of it another of its class may cover
UNSAFE = frozenset(
    {
        "FEMALE_BREAST_EXPOSED",
        "FEMALE_GENITALIA_EXPOSED",
        "MALE_GENITALIA_EXPOSED",
        "BUTTOCKS_EXPOSED",
        "ANUS_EXPOSED",
    }
)


class Detector:
    """The model `detect`: boxes [n, 4] in pixels, scores [n], labels [n], best first."""

    inputs: Sequence[Slot] = (IMAGE,)
    outputs: Sequence[Slot] = (
        COUNT,
        Slot("boxes", np.float32, (ANY, 4)),
        Slot("scores", np.float32, (ANY,)),
        Slot("labels", bytes, (ANY,)),
    )

    def __init__(
        self,
        name: str,
        path: Path,
        device: str,
        threads: int,
        max_pixels: int,
        side: int = 0,
        words: Sequence[str] = (),
    ) -> None:
        """`side`: of the network's square, 0 for what the file says; `words`: the classes' names, none for
        those in the file. Raises Unusable."""
        self.name = name
        self._session = session(path, device, threads)
        self.providers: Sequence[str] = self._session.get_providers()[:1]
        self._input = self._session.get_inputs()[0].name
        self._fixed: dict[str, NDArray[np.float32]] = {}  # what is fed beside each picture
        self._max_pixels = max_pixels
        known = self._session.get_modelmeta().custom_metadata_map
        self._side = side or _side(self._session.get_inputs()[0].shape, known.get("imgsz", ""))
        self.labels = list(words) or labels(path, known.get("names", ""))

    def infer(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """The Unit's."""
        return self._rows(self.find(tensors))

    def find(self, tensors: Tensors) -> Found:
        """What is in the picture. Raises ValueError."""
        image = picture(tensors["image"], self._max_pixels)
        square, scale = squared(image, self._side)
        output = self._session.run(None, {self._input: square} | self._fixed)[0]
        if output.shape[1] != 4 + len(self.labels):
            raise ValueError(f"{self.name} has {output.shape[1] - 4} classes and {len(self.labels)} labels")
        return decode(output, scale, (image.shape[1], image.shape[0]), LEAST, OVERLAP)

    def _rows(self, found: Found) -> dict[str, NDArray[Any]]:
        names = words([self.labels[number] for number in found.classes])
        return listed(boxes=found.boxes, scores=found.scores, labels=names)


class Guard(Detector):
    """The model `guard`: as a detector's, and `unsafe` [1], the best score of what must not be shown."""

    outputs: Sequence[Slot] = (*Detector.outputs, Slot("unsafe", np.float32, (1,)))

    def infer(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """The Unit's."""
        found = self.find(tensors)
        bad = [
            score for score, of in zip(found.scores, found.classes, strict=True) if self.labels[of] in UNSAFE
        ]
        return self._rows(found) | {"unsafe": np.array([max(bad, default=0.0)], np.float32)}


def labels(path: Path, known: str) -> list[str]:
    """Names of the classes: from labels.txt beside the file, a name a line, else from the file itself, where
    Ultralytics writes a Python dictionary. Raises Unusable."""
    beside = path.with_name("labels.txt")
    if beside.is_file():
        return [line.strip() for line in beside.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        names = ast.literal_eval(known)
        return [str(names[number]) for number in range(len(names))]
    except (ValueError, SyntaxError, KeyError, TypeError) as error:
        raise Unusable(
            f"{path} names no classes; cure: vision.engine.words=[cat,sword], or labels.txt beside it"
        ) from error


def _side(shape: Sequence[Any], known: str) -> int:
    """The network's square: of a fixed input, else what Ultralytics wrote down, else its usual 640."""
    if len(shape) == 4 and isinstance(shape[3], int):
        return shape[3]
    digits = known.strip("[]").split(",")[0]
    return int(digits) if digits.isdigit() else 640
