"""Boxes in a picture: into a network's square and back out, the YOLOv8 head, and non-maximum suppression.

Boxes are float32 [n, 4]: left, top, right, bottom in pixels. The head is as Ultralytics exports it: one
output [1, 4 + classes, anchors] of centre x, centre y, width, height in the network's pixels, then a score a
class. YOLO-World has the same head, its classes being the words that it was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """What is in a picture: boxes [n, 4], scores [n] in 0 to 1, classes [n], best first."""

    boxes: Floats
    scores: Floats
    classes: NDArray[np.int64]


def decode(output: Floats, scale: float, size: tuple[int, int], least: float, overlap: float) -> Found:
    """The head's `output` [1, 4 + classes, anchors] as what it found in a picture of `size` (width, height)
    that was multiplied by `scale` for the network. Scores below `least` are dropped, and of boxes of one
    class that overlap by more than `overlap` (IoU) all but the best. Raises ValueError for another shape."""
    if output.ndim != 3 or output.shape[0] != 1 or output.shape[1] < 5:
        raise ValueError(f"a YOLOv8 head gives [1, 4 + classes, anchors], not {list(output.shape)}")
    rows = output[0].T.astype(np.float32)
    if rows[:, 4:].min(initial=0) < 0:  # logits: what the exports with a free vocabulary give
        rows[:, 4:] = 1 / (1 + np.exp(-np.clip(rows[:, 4:], -60, 60)))
    classes = rows[:, 4:].argmax(axis=1)
    scores = rows[np.arange(len(rows)), 4 + classes]
    sure = np.isfinite(rows).all(axis=1) & (scores >= least)
    rows, classes, scores = rows[sure], classes[sure], np.minimum(scores[sure], np.float32(1))
    half = rows[:, 2:4] / 2
    corners = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], axis=1)
    boxes = clip(np.asarray(corners / scale, np.float32), size)
    real = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    boxes, classes, scores = boxes[real], classes[real], scores[real]
    kept = suppressed(boxes, scores, classes, overlap)
    return Found(boxes[kept], scores[kept], classes[kept])


def clip(boxes: Floats, size: tuple[int, int]) -> Floats:
    """Boxes cut to a picture of `size` (width, height)."""
    most = np.array([size[0], size[1], size[0], size[1]], np.float32)
    return np.clip(boxes, 0, most).astype(np.float32)


def suppressed(
    boxes: Floats, scores: Floats, classes: NDArray[np.int64], overlap: float
) -> NDArray[np.int64]:
    """Which boxes stay, best first: none overlaps a better one of its class by more than `overlap`."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        same = classes[rest] == classes[best]
        order = rest[~(same & (iou(boxes[best], boxes[rest]) > overlap))]
    return np.array(kept, np.int64)


def iou(one: Floats, others: Floats) -> Floats:
    """Intersection over union of a box [4] with boxes [n, 4]; 0 where both are empty."""
    low, high = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.prod(one[2:] - one[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - common
    return np.asarray(np.divide(common, area, out=np.zeros_like(common), where=area > 0), np.float32)
