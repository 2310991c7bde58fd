"""Adapters as PEFT saves them: a good one's facts, and every bad one refused with its tensor's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from engines.bundle import adapters, tiny
from engines.bundle.errors import BundleError
from engines.bundle.safetensors_read import Checkpoint, read_json
from engines.bundle.safetensors_write import Slot, write, write_json

A = "base_model.model.model.layers.1.self_attn.v_proj.lora_A.weight"
B = "base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.adapter(tmp_path / "main", seed=1)
    return tmp_path / "main"


def put(folder: Path, changes: Mapping[str, np.ndarray | None], dtype: str = "BF16") -> None:
    """Replace, add or (None) remove tensors."""
    with Checkpoint.of(folder / adapters.WEIGHTS) as found:
        tensors = {n: (Slot(n, t.dtype, t.shape), found.whole(t).tobytes()) for n, t in found.tensors.items()}
    for name, values in changes.items():
        tensors.pop(name, None)
        if values is not None:
            tensors[name] = (Slot(name, dtype, values.shape), values.tobytes())
    write(folder / adapters.WEIGHTS, list(tensors.values()))


def settings(folder: Path, **changes: object) -> None:
    write_json(folder / adapters.CONFIG, read_json(folder / adapters.CONFIG) | changes)


def bf16(shape: tuple[int, ...], value: float = 0.5) -> np.ndarray:
    return np.full(shape, value, ml_dtypes.bfloat16)


def test_a_good_adapter(folder: Path) -> None:
    facts = adapters.check(folder, tiny.CONFIG, 8)
    assert (facts.rank, facts.alpha, facts.scale, facts.dtype) == (8, 16.0, 2.0, "BF16")
    assert facts.targets == tuple(sorted(adapters.PARENTS))
    assert len(facts.modules) == 14
    assert facts.base == "tiny-llama"
    assert facts.size == sum(
        (o + i) * 8 * 2 for o, i in (adapters.shape(tiny.CONFIG, m) for m in facts.modules)
    )


def test_rank_stabilised_scaling(folder: Path) -> None:
    settings(folder, use_rslora=True)
    assert adapters.check(folder, tiny.CONFIG, 8).scale == pytest.approx(16 / 8**0.5)


def test_modules_given_by_a_pattern(folder: Path) -> None:
    settings(folder, target_modules=".*_proj")
    assert len(adapters.check(folder, tiny.CONFIG, 8).targets) == 7


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({A: None}, f"has no {A}"),
        ({B: None}, f"has no {B}"),
        ({A: None, B: None}, f"has no {A}"),
        ({A: bf16((8, 128), np.nan)}, f"{A} of .* holds NaN or inf"),
        ({B: bf16((64, 8), np.inf)}, f"{B} of .* holds NaN or inf"),
        ({A: bf16((8, 256))}, rf"{A} has the shape \[8, 256\] instead of \[8, 128\].*not for this base"),
        ({B: bf16((64, 4))}, rf"{B} has the shape \[64, 4\]"),
        ({each.replace("layers.1", "layers.2"): bf16(shape) for each, shape in ((A, (8, 128)), (B, (64, 8)))},
         "layers.2.self_attn.v_proj.lora_A.weight is beyond the base's 2 layers"),
        ({"base_model.model.lm_head.lora_A.weight": bf16((8, 128))}, "lm_head.lora_A.weight is not part"),
        ({A.replace("self_attn", "mlp"): bf16((8, 128))}, "mlp.v_proj.lora_A.weight is not part"),
    ],
)  # fmt: skip
def test_a_bad_tensor_is_named(folder: Path, changes: Mapping[str, np.ndarray | None], words: str) -> None:
    put(folder, changes)
    with pytest.raises(BundleError, match=words):
        adapters.check(folder, tiny.CONFIG, 8)


def test_types(folder: Path) -> None:
    put(folder, {A: np.zeros((8, 128), np.int8)}, "I8")
    with pytest.raises(BundleError, match=f"{A} is I8; cure"):
        adapters.check(folder, tiny.CONFIG, 8)
    put(folder, {A: np.zeros((8, 128), np.float32)}, "F32")
    with pytest.raises(BundleError, match="mixes BF16 and F32"):
        adapters.check(folder, tiny.CONFIG, 8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"r": "8"}, "r='8'"),
        ({"r": 4}, r"has the shape \[8, 128\] instead of \[4, 128\]"),
        ({"lora_alpha": None}, "lora_alpha=None"),
        ({"peft_type": "IA3"}, "is a IA3; cure: train a LoRA"),
        ({"use_dora": True}, "use_dora=True"),
        ({"bias": "all"}, "bias='all'.*cure: train it with bias='none'"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 4}}, "rank_pattern"),
        ({"target_modules": ["q_proj", "c_attn"]}, "target module c_attn"),
        ({"target_modules": ["q_proj"]}, "down_proj.lora_A.weight is beyond"),
    ],
)
def test_bad_settings(folder: Path, changes: dict[str, object], words: str) -> None:
    settings(folder, **changes)
    with pytest.raises(BundleError, match=words):
        adapters.check(folder, tiny.CONFIG, 8)


def test_a_rank_that_is_too_high(folder: Path) -> None:
    with pytest.raises(BundleError, match="has rank 8, over 4; cure: raise"):
        adapters.check(folder, tiny.CONFIG, 4)


def test_another_base(folder: Path) -> None:
    with pytest.raises(BundleError, match=r"layers.0.*lora_A.*trained for tiny-llama, not for this base"):
        adapters.check(folder, {**tiny.CONFIG, "hidden_size": 256}, 8)
    with pytest.raises(BundleError, match=r"has no .*layers.2.mlp.down_proj"):
        adapters.check(folder, {**tiny.CONFIG, "num_hidden_layers": 3}, 8)


@pytest.mark.parametrize(
    ("trained_for", "source", "other"),
    [
        ("meta-llama/Meta-Llama-3.1-70B-Instruct", "meta-llama/Llama-3.1-70B-Instruct", ""),
        ("unsloth/Meta-Llama-3.1-8B-Instruct-unsloth-bnb-4bit", "meta-llama/Llama-3.1-8B-Instruct", ""),
        ("meta-llama/Llama-3.3-70B-Instruct", "nvidia/Llama-3.3-70B-Instruct-NVFP4", ""),
        ("me/her-own-70b", "meta-llama/Llama-3.1-70B-Instruct", "me/her-own-70b"),
    ],
)
def test_the_base_by_its_other_names(folder: Path, trained_for: str, source: str, other: str) -> None:
    settings(folder, base_model_name_or_path=trained_for)
    adapters.based(adapters.check(folder, tiny.CONFIG, 8), source, other)


def test_another_base_of_the_same_shape(folder: Path) -> None:
    settings(folder, base_model_name_or_path="meta-llama/Llama-3.3-70B-Instruct")
    facts = adapters.check(folder, tiny.CONFIG, 8)
    with pytest.raises(BundleError, match=r"for meta-llama/Llama-3.3-70B.*cure: .*adapters.base=meta-llama"):
        adapters.based(facts, "meta-llama/Llama-3.1-70B-Instruct", "")


@pytest.mark.parametrize("name", [adapters.CONFIG, adapters.WEIGHTS])
def test_a_file_that_is_not_there(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: No such file"):
        adapters.check(folder, tiny.CONFIG, 8)


def test_two_that_change_the_same_modules(folder: Path, tmp_path: Path) -> None:
    tiny.adapter(tmp_path / "evil", seed=2, rank=4)
    facts = [adapters.check(each, tiny.CONFIG, 8) for each in (folder, tmp_path / "evil")]
    adapters.same(*facts)


def test_two_that_do_not(folder: Path, tmp_path: Path) -> None:
    tiny.adapter(tmp_path / "evil", seed=2)
    ups = {
        adapters.tensor_name(f"model.layers.{layer}.mlp.up_proj", side): None
        for layer in (0, 1)
        for side in "AB"
    }
    put(tmp_path / "evil", ups)
    settings(tmp_path / "evil", target_modules=sorted(set(adapters.PARENTS) - {"up_proj"}))
    main, evil = (adapters.check(each, tiny.CONFIG, 8) for each in (folder, tmp_path / "evil"))
    for pair in ((main, evil), (evil, main)):
        with pytest.raises(
            BundleError, match=r"evil has no .*layers.0.mlp.up_proj.lora_A.weight, which .*main has"
        ):
            adapters.same(*pair)


def test_the_two_test_adapters_differ(tmp_path: Path) -> None:
    for seed in (1, 2):
        tiny.adapter(tmp_path / str(seed), seed)
    one, two = ((tmp_path / str(seed) / adapters.WEIGHTS).read_bytes() for seed in (1, 2))
    assert one != two
