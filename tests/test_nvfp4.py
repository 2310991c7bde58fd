"""NVFP4's arithmetic: every rounding, the layout, and how far the weights are from what they were."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engines.bundle import nvfp4
from engines.bundle.nvfp4 import BLOCK, E2M1, Floats

GRID = [float(value) for value in E2M1[:8]]
BETWEEN = [(low + high) / 2 for low, high in itertools.pairwise(GRID)]
ONE = np.float32(1)


def codes(values: list[float]) -> list[int]:
    """The codes of at most 15 values in a block whose scale is 1."""
    row = np.array([[*values, *[0.0] * (BLOCK - 1 - len(values)), 6.0]], np.float32)
    packed, scales = nvfp4.quantised(row, ONE)
    assert scales.astype(np.float32).tolist() == [[1.0]]
    both = np.stack([packed & 15, packed >> 4], axis=-1).ravel()
    return [int(code) for code in both[: len(values)]]


def test_every_value_of_the_grid_has_its_code() -> None:
    assert codes(GRID) == list(range(8))
    assert codes([-value for value in GRID[1:]]) == list(range(9, 16))


def test_a_tie_goes_to_the_even_code() -> None:
    assert codes(BETWEEN) == [0, 2, 2, 4, 4, 6, 6]
    assert codes([-value for value in BETWEEN]) == [8, 10, 10, 12, 12, 14, 14]


def test_beside_a_tie_the_nearer_wins() -> None:
    assert codes([value * 0.999 for value in BETWEEN]) == list(range(7))
    assert codes([value * 1.001 for value in BETWEEN]) == list(range(1, 8))


def test_a_vanishing_negative_keeps_its_sign_and_zero_has_none() -> None:
    assert codes([-0.01, -0.0, 0.0, 0.01]) == [8, 0, 0, 0]


def test_the_even_column_lies_in_the_low_half() -> None:
    row = np.zeros((1, BLOCK), np.float32)
    row[0, 2], row[0, 3] = 6.0, -1.5
    packed, _ = nvfp4.quantised(row, ONE)
    assert packed.tolist() == [[0, 7 | 11 << 4, 0, 0, 0, 0, 0, 0]]


def test_a_block_of_zeros_has_scale_one_and_a_faint_one_the_least() -> None:
    rows = np.zeros((2, BLOCK), np.float32)
    rows[1] = 1e-9
    _, scales = nvfp4.quantised(rows, ONE)
    assert scales.astype(np.float32).tolist() == [[1.0], [2**-9]]


def test_a_tensor_of_zeros_stays_zeros() -> None:
    scale_2 = nvfp4.tensor_scale(0.0)
    packed, scales = nvfp4.quantised(np.zeros((3, 32), np.float32), scale_2)
    assert not nvfp4.restored(packed, scales, scale_2).any()


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float16, np.float32])
def test_widening_is_exact(dtype: np.dtype) -> None:
    values = np.random.default_rng(1).normal(0, 1, (7, 33)).astype(dtype)
    assert (nvfp4.widened(values) == values.astype(np.float32)).all()


def test_weights_are_as_far_off_as_nvfp4_is() -> None:
    """9.5 % of the weights' own size for normal noise: what 4 bits in blocks of 16 can do."""
    weights = np.random.default_rng(0).normal(0, 0.02, (256, 1024)).astype(np.float32)
    scale_2 = nvfp4.tensor_scale(nvfp4.amax(weights))
    packed, scales = nvfp4.quantised(weights, scale_2)
    off = nvfp4.restored(packed, scales, scale_2) - weights
    assert 0.085 < np.linalg.norm(off) / np.linalg.norm(weights) < 0.100


shapes = st.tuples(st.integers(1, 4), st.integers(1, 3).map(lambda blocks: blocks * BLOCK))
floats = st.floats(-1000, 1000, width=32, allow_subnormal=False)


@given(arrays.arrays(np.float32, shapes, elements=floats))
def test_each_weight_is_within_half_a_step_of_its_block(weights: Floats) -> None:
    """Steps are 0.5 ... 2 of a block's scale; its largest may be clipped where the scale is rounded, and by a
    third of it where FP8 is at its end: a block of a ten-thousandth beside one of hundreds."""
    scale_2 = nvfp4.tensor_scale(nvfp4.amax(weights))
    packed, scales = nvfp4.quantised(weights, scale_2)
    off = np.abs(nvfp4.restored(packed, scales, scale_2) - weights).reshape(len(weights), -1, BLOCK)
    step = scales.astype(np.float32) * scale_2
    assert packed.shape == (len(weights), weights.shape[1] // 2)
    clipped = np.abs(weights).reshape(off.shape).max(axis=-1) - 6 * step
    assert (off <= np.maximum(step, clipped)[..., None] * np.float32(1.0001) + np.float32(1e-6)).all()


@given(arrays.arrays(np.float32, shapes, elements=floats), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_nan_and_inf_are_not_overlooked(weights: Floats, bad: float) -> None:
    weights[-1, -1] = bad
    assert not np.isfinite(nvfp4.amax(weights))
