"""Whether a checkpoint that another program wrote has NVFP4's documented layout."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from engines.bundle.errors import BundleError
from engines.bundle.nvfp4 import BLOCK
from engines.bundle.safetensors_read import FLOATS, Checkpoint, Tensor, read_json

NAME = "hf_quant_config.json"
PLAIN, ACTIVE = "W4A16_NVFP4", "NVFP4"  # weights only; activations too, with a scale of their own
CHUNK = 1 << 22  # bytes looked at a time
CURE = "another recipe; general/ptq/nvfp4_default-kv_fp8 is tested"


def facts(folder: Path) -> dict[str, object]:
    """What is quantised and how, as the checkpoint says: for the manifest."""
    said = _said(folder)
    return {key: said.get(key) for key in ("quant_algo", "kv_cache_quant_algo")}


def check(folder: Path, recipe: str) -> None:
    """Raises BundleError that names the tensor which the layout does not have so."""
    said = _said(folder)
    if said.get("quant_algo") not in (PLAIN, ACTIVE):
        raise BundleError(
            f"{recipe} makes {said.get('quant_algo')} and not NVFP4, which is planned for; cure: {CURE}"
        )
    left = said.get("exclude_modules")
    left_alone = [str(each) for each in left] if isinstance(left, list) else []
    with Checkpoint.of(folder) as found:
        packed = [t for name, t in found.tensors.items() if name.endswith(".weight") and t.dtype == "U8"]
        if not packed:
            raise BundleError(f"{recipe} quantised no weight; cure: {CURE}")
        for tensor in packed:
            _linear(found, tensor, said["quant_algo"] == ACTIVE, recipe)
        _others(found.tensors.values(), left_alone, recipe)
        if said.get("kv_cache_quant_algo") == "FP8":
            _cache(found, recipe)


def _said(folder: Path) -> Mapping[str, object]:
    found = read_json(folder / NAME).get("quantization")
    return found if isinstance(found, dict) else {}


def _linear(found: Checkpoint, tensor: Tensor, active: bool, recipe: str) -> None:
    """A packed weight has scales for its blocks, one of its own, and with `active` one for activations."""
    module = tensor.name.removesuffix(".weight")
    *rows, half = tensor.shape
    blocks = _there(found, f"{tensor.name}_scale", "F8_E4M3", (*rows, 2 * half // BLOCK), recipe)
    for start in range(0, blocks.size, CHUNK):
        raw = np.frombuffer(found.piece(blocks, start, min(CHUNK, blocks.size - start)), np.uint8)
        if (raw & 0x7F == 0x7F).any():  # E4M3 has no inf, and NaN by these bits only
            raise BundleError(f"{recipe}: {blocks.name} holds NaN; cure: {CURE}")
    _scalar(found, f"{tensor.name}_scale_2", recipe)
    if active:
        _scalar(found, f"{module}.input_scale", recipe)


def _others(tensors: Iterable[Tensor], left_alone: list[str], recipe: str) -> None:
    """What is a matrix and was not quantised is named: a server takes every other one for NVFP4."""
    for tensor in tensors:
        module = tensor.name.removesuffix(".weight")
        matrix = module != tensor.name and tensor.dtype in FLOATS and len(tensor.shape) == 2
        if matrix and not any(fnmatch.fnmatchcase(module, each) for each in left_alone):
            raise BundleError(
                f"{recipe} left {tensor.name} as it was, and {NAME} does not say so; cure: {CURE}"
            )


def _cache(found: Checkpoint, recipe: str) -> None:
    """Both scales in every layer or, where they are 1 by the recipe, none at all."""
    layers = {name.rpartition(".self_attn.")[0] for name in found.tensors if ".self_attn." in name}
    names = [f"{layer}.self_attn.{each}" for layer in layers for each in ("k_proj.k_scale", "v_proj.v_scale")]
    if any(name in found.tensors for name in names):
        for name in sorted(names):
            _scalar(found, name, recipe)


def _scalar(found: Checkpoint, name: str, recipe: str) -> None:
    value = float(found.whole(_there(found, name, "F32", (), recipe)))
    if not (math.isfinite(value) and value > 0):
        raise BundleError(
            f"{recipe}: {name} is {value}, no scale; cure: other `calibration` lines, or {CURE}"
        )


def _there(found: Checkpoint, name: str, dtype: str, shape: tuple[int, ...], recipe: str) -> Tensor:
    tensor = found.tensors.get(name)
    if tensor is None:
        raise BundleError(f"{recipe} wrote no {name}; cure: {CURE}")
    if (tensor.dtype, tensor.shape) != (dtype, shape):
        raise BundleError(
            f"{recipe}: {name} is {tensor.dtype} {list(tensor.shape)}, not {dtype} {list(shape)};"
            f" cure: {CURE}"
        )
    return tensor
