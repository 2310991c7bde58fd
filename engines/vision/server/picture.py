"""A picture off the wire, checked, and as a network wants it. uint8 [height, width, 3], RGB."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
SMALLEST = 8  # pixels a side


class BadPicture(ValueError):
    """Nothing that can be looked at; the text is for the client."""


def picture(tensor: NDArray[Any], max_pixels: int) -> Picture:
    """The tensor as a picture. Raises BadPicture."""
    if tensor.dtype != np.uint8 or tensor.ndim != 3 or tensor.shape[2] != 3:
        raise BadPicture(f"'image' must be UINT8 [height, width, 3], not {tensor.dtype} {list(tensor.shape)}")
    height, width = tensor.shape[:2]
    if min(height, width) < SMALLEST:
        raise BadPicture(f"a picture of {width}x{height} is too small; {SMALLEST} pixels a side at least")
    if height * width > max_pixels:
        raise BadPicture(f"a picture of {width}x{height} is too large; {max_pixels} pixels at most")
    return np.ascontiguousarray(tensor)


def squared(image: Picture, side: int) -> tuple[NDArray[np.float32], float]:
    """[1, 3, side, side] in 0 to 1, the picture in its upper left corner, black beside it; and the scale."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = np.zeros((side, side, 3), np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32) / np.float32(255), scale


def normal(image: Picture, mean: tuple[float, ...], deviation: tuple[float, ...]) -> NDArray[np.float32]:
    """[1, 3, height, width], each channel less its mean and divided by its deviation (both of 0 to 1)."""
    scaled = (image.astype(np.float32) / np.float32(255) - np.array(mean, np.float32)) / np.array(
        deviation, np.float32
    )
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])
