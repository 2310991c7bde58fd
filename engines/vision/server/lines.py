"""Where text is (PP-OCR's DB head: Liao et al., 2020) and what it says (CTC: Graves et al., 2006)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
INK, SURE = 0.3, 0.5  # of the map: a pixel that belongs to text; the mean of a box that is text
GROWTH = 1.6  # the head sees a line shrunk: distance = area * GROWTH / perimeter
THINNEST = 3.0  # pixels of the map
MOST = 200  # lines of a picture
HEIGHT, WIDTHS = 48, (16, 2048)  # pixels of a strip with a line's text


def quads(chart: Floats, scale: tuple[float, float], size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Boxes of text [n, 4, 2] in pixels of a picture of `size` (width, height), from upper left clockwise,
    in reading order, and their scores [n]; from a probability map [height, width] `scale` (x, y) as large."""
    ink = cv2.dilate((chart > INK).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(ink, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    boxes, scores = [], []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:MOST]:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < THINNEST or (score := _mean(chart, np.asarray(contour, np.int32))) < SURE:
            continue
        grown = width * height * GROWTH / (2 * (width + height)) * 2
        corners = cv2.boxPoints((centre, (width + grown, height + grown), angle))
        boxes.append(_clockwise(np.asarray(corners, np.float32), scale))
        scores.append(score)
    found = np.array(boxes, np.float32).reshape(-1, 4, 2)
    found = np.clip(found, 0, np.array(size, np.float32)).astype(np.float32)
    order = reading_order(found)
    return found[order], np.array(scores, np.float32)[order]


def _mean(chart: Floats, contour: NDArray[np.int32]) -> float:
    """The map's mean inside a contour."""
    left, top, width, height = cv2.boundingRect(contour)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [contour - np.array([left, top], np.int32)], (1,))
    return float(cv2.mean(chart[top : top + height, left : left + width], mask)[0])


def _clockwise(corners: Floats, scale: tuple[float, float]) -> Floats:
    """From the upper left corner, clockwise, in the picture's pixels."""
    corners = np.asarray(corners / np.array(scale, np.float32), np.float32)
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def reading_order(boxes: Floats) -> NDArray[np.int64]:
    """Line by line, from the left: a box is on the line of the box above it whose middle it overlaps."""
    if not len(boxes):
        return np.zeros(0, np.int64)
    middle = boxes[:, :, 1].mean(axis=1)
    height = np.maximum(boxes[:, 3, 1] - boxes[:, 0, 1], 1)
    rows: list[list[int]] = []
    for index in np.argsort(middle, kind="stable"):
        if rows and abs(middle[index] - middle[rows[-1][0]]) < height[rows[-1][0]] / 2:
            rows[-1].append(int(index))
        else:
            rows.append([int(index)])
    return np.array([i for row in rows for i in sorted(row, key=lambda i: boxes[i, 0, 0])], np.int64)


def upright(image: NDArray[np.uint8], quad: Floats) -> NDArray[np.uint8]:
    """The text in `quad` as a strip [HEIGHT, width, 3]; tall boxes are turned to the left."""
    sides = [float(np.linalg.norm(quad[i] - quad[i - 1])) for i in range(4)]  # left, top, right, bottom
    across, down = max(sides[1], sides[3], 1.0), max(sides[0], sides[2], 1.0)
    if down >= 1.5 * across:
        quad, across, down = np.roll(quad, -1, axis=0), down, across
    width = int(np.clip(round(HEIGHT * across / down), *WIDTHS))
    corners = np.array([[0, 0], [width, 0], [width, HEIGHT], [0, HEIGHT]], np.float32)
    turned = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    return np.asarray(
        cv2.warpPerspective(image, turned, (width, HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def spelled(chances: Floats, alphabet: Sequence[str]) -> tuple[str, float]:
    """The text of [steps, letters + 1] chances, and how sure: class 0 is CTC's blank, repeats count once."""
    best = chances.argmax(axis=1)
    new = np.ones(len(best), bool)
    new[1:] = best[1:] != best[:-1]
    kept = new & (best > 0)
    if not kept.any():
        return "", 0.0
    text = "".join(alphabet[number - 1] for number in best[kept])
    return text, float(chances[kept, best[kept]].mean())
