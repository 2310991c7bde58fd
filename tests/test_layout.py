"""NVFP4's documented layout: ours has it, and whatever differs from it is named before it is in a bundle."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from engines.bundle import layout, quantise, tiny
from engines.bundle.errors import BundleError
from engines.bundle.safetensors_read import read_json
from engines.bundle.safetensors_write import write_json
from tests.checkpoints import Changes, Raw, contents, put

K = "model.layers.1.self_attn.k_proj"
V = "model.layers.1.self_attn.v_proj"


def scalar(value: float) -> Raw:
    return "F32", (), np.float32(value).tobytes()


@pytest.fixture
def streamed(tmp_path: Path) -> Path:
    tiny.make(tmp_path / "base")
    quantise.quantise(tmp_path / "base", tmp_path / "out", lambda _done, _total: None)
    return tmp_path / "out"


def say(folder: Path, **changes: object) -> None:
    said = read_json(folder / layout.NAME)
    told = said["quantization"]
    assert isinstance(told, dict)
    write_json(folder / layout.NAME, said | {"quantization": told | changes})


def test_what_is_streamed_has_it(streamed: Path) -> None:
    layout.check(streamed, "stream")
    assert layout.facts(streamed) == {"quant_algo": "W4A16_NVFP4", "kv_cache_quant_algo": "FP8"}


def test_with_activations_and_scales_of_the_cache(streamed: Path) -> None:
    packed = [name.removesuffix(".weight") for name, raw in contents(streamed).items() if raw[0] == "U8"]
    put(streamed, {f"{module}.input_scale": scalar(0.01) for module in packed})
    put(streamed, {f"{module}.k_scale": scalar(0.01) for module in packed if "k_proj" in module})
    put(streamed, {f"{module}.v_scale": scalar(0.01) for module in packed if "v_proj" in module})
    say(streamed, quant_algo="NVFP4")
    layout.check(streamed, "both")
    put(streamed, {f"{V}.v_scale": None})
    with pytest.raises(BundleError, match=f"both wrote no {V}.v_scale; cure: another recipe"):
        layout.check(streamed, "both")


NAN = bytes([0x10] * 100 + [0xFF] + [0x10] * (64 * 8 - 101))
BAD: dict[str, tuple[Changes, str]] = {
    "no scales of blocks": ({f"{K}.weight_scale": None}, f"wrote no {K}.weight_scale;"),
    "too few": ({f"{K}.weight_scale": ("F8_E4M3", (64, 4), bytes(256))}, "[64, 4], not F8_E4M3 [64, 8]"),
    "another type": ({f"{K}.weight_scale": ("U8", (64, 8), bytes(512))}, "is U8 [64, 8]"),
    "nan among them": ({f"{K}.weight_scale": ("F8_E4M3", (64, 8), NAN)}, f"{K}.weight_scale holds NaN"),
    "none of the tensor": ({f"{K}.weight_scale_2": None}, f"wrote no {K}.weight_scale_2"),
    "zero": ({f"{K}.weight_scale_2": scalar(0)}, f"{K}.weight_scale_2 is 0.0, no scale"),
    "inf": ({f"{K}.weight_scale_2": scalar(np.inf)}, f"{K}.weight_scale_2 is inf"),
    "half a cache": ({f"{K}.k_scale": scalar(1)}, "wrote no model.layers.0.self_attn.k_proj.k_scale"),
    "not said": (
        {f"{K}.weight": ("BF16", (64, 128), bytes(64 * 256))},
        f"left {K}.weight as it was, and hf_quant_config.json does not say so",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_differs_is_named(streamed: Path, case: str) -> None:
    changes, words = BAD[case]
    put(streamed, changes)
    with pytest.raises(BundleError, match=f"^a-recipe.*{re.escape(words)}.*cure: "):
        layout.check(streamed, "a-recipe")


def test_what_a_recipe_leaves_alone_by_a_pattern(streamed: Path) -> None:
    put(streamed, {f"{K}.weight": ("BF16", (64, 128), bytes(64 * 256))})
    say(streamed, exclude_modules=["lm_head", "model.embed_tokens", "model.layers.1.self_attn*"])
    layout.check(streamed, "mlp only")


def test_activations_without_a_scale(streamed: Path) -> None:
    say(streamed, quant_algo="NVFP4")
    with pytest.raises(BundleError, match=r"wrote no .*\.input_scale"):
        layout.check(streamed, "default")


def test_another_format_is_refused(streamed: Path) -> None:
    say(streamed, quant_algo="FP8")
    with pytest.raises(BundleError, match="fp8 makes FP8 and not NVFP4, which is planned for; cure: "):
        layout.check(streamed, "fp8")


def test_nothing_quantised_is_refused(streamed: Path, tmp_path: Path) -> None:
    (streamed / "model.safetensors").write_bytes((tmp_path / "base" / "model.safetensors").read_bytes())
    with pytest.raises(BundleError, match="never quantised no weight"):
        layout.check(streamed, "never")
