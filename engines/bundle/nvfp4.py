"""NVFP4 in numpy: 4-bit floats (e2m1) in blocks of 16 that share a scale (e4m3), and one scale a tensor.

The layout and every rounding are those of NVIDIA ModelOpt's unified export, so that the bytes are equal:
- weight_scale_2 (f32) = largest magnitude of the tensor, or of the tensors fused with it, / (6 * 448);
- weight_scale (e4m3) = largest magnitude of the block / (6 * weight_scale_2), 1 for a block of zeros;
- weight (two e2m1 in a byte, the even column in the low half) = value / (weight_scale * weight_scale_2),
  to the nearest, ties to the even code; a negative value that rounds to zero keeps its sign.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import numpy.typing as npt

BLOCK = 16  # columns that share a scale
E2M1_MAX = np.float32(6)
E4M3_MAX = np.float32(448)
E4M3_TINY = np.float32(2**-9)  # the smallest scale above zero
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
ABOVE = tuple(map(np.float32, (0.25, 1.25, 2.5, 5)))  # where a tie goes down, to the even code
FROM = tuple(map(np.float32, (0.75, 1.75, 3.5)))  # where a tie goes up

Floats = npt.NDArray[np.float32]


def widened(values: np.ndarray) -> Floats:
    """bf16, f16 or f32 as f32: exact."""
    if values.dtype == ml_dtypes.bfloat16:  # by its bits: 5 times as fast as the type's own cast
        return (values.view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32)
    return values.astype(np.float32)


def amax(values: Floats) -> float:
    """The largest magnitude; NaN or inf if one is among the values."""
    return float(max(np.max(values, initial=0), -np.min(values, initial=0)))


def tensor_scale(largest: float) -> np.float32:
    """weight_scale_2 of a tensor whose largest magnitude is `largest`.

    A tensor of zeros gets 1: by the formula it would be 0, and every weight 0 / 0."""
    return np.float32(largest) / (E2M1_MAX * E4M3_MAX) or np.float32(1)


def quantised(values: Floats, scale_2: np.float32) -> tuple[npt.NDArray[np.uint8], np.ndarray]:
    """Rows of a weight: [rows, columns] -> packed uint8 [rows, columns / 2], e4m3 [rows, columns / 16]."""
    rows, columns = values.shape
    blocks = values.reshape(rows, columns // BLOCK, BLOCK)
    scaled = np.abs(blocks)
    scales = _largest(scaled) / (E2M1_MAX * scale_2)
    scales[scales == 0] = 1
    np.clip(scales, E4M3_TINY, E4M3_MAX, out=scales)
    rounded = scales.astype(ml_dtypes.float8_e4m3fn)
    np.divide(scaled, (rounded.astype(np.float32) * scale_2)[..., None], out=scaled)
    codes = _codes(scaled.reshape(rows, columns))
    codes |= (values < 0).view(np.uint8) << np.uint8(3)
    pairs = codes.view("<u2")  # an even column in the low byte, its neighbour in the high one
    return (pairs | pairs >> np.uint16(4)).astype(np.uint8), rounded


def _largest(blocks: Floats) -> Floats:
    """The largest of each block, by halves: numpy's max over so short an axis is 4 times as slow."""
    while (width := blocks.shape[-1]) > 1:
        blocks = np.maximum(blocks[..., : width // 2], blocks[..., width // 2 :])
    return blocks[..., 0]


def _codes(magnitudes: Floats) -> npt.NDArray[np.uint8]:
    """The e2m1 code, 0 ... 7, nearest to each magnitude."""
    codes = (magnitudes > ABOVE[0]).view(np.uint8)
    for bound in ABOVE[1:]:
        codes += (magnitudes > bound).view(np.uint8)
    for bound in FROM:
        codes += (magnitudes >= bound).view(np.uint8)
    return codes


def restored(packed: npt.NDArray[np.uint8], scales: np.ndarray, scale_2: np.float32) -> Floats:
    """The weights that a server computes with: the inverse of quantised()."""
    codes = np.stack([packed & 15, packed >> 4], axis=-1).reshape(len(packed), -1, BLOCK)
    blocks = E2M1[codes] * (scales.astype(np.float32) * scale_2)[..., None]
    return blocks.reshape(len(packed), -1)
