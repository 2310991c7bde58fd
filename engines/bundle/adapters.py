"""Checks LoRA adapters as PEFT saves them, before they become part of a bundle; errors name the tensor."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engines.bundle.errors import BundleError
from engines.bundle.nvfp4 import widened
from engines.bundle.safetensors_read import DTYPES, FLOATS, Checkpoint, Tensor, header, read_json

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PREFIX = "base_model.model."  # what PEFT puts before a module's own name
NAME = re.compile(r"^(model\.layers\.(\d+)\.(self_attn|mlp)\.(\w+))\.lora_([AB])\.weight$")
QUANTISED = re.compile(r"(-(unsloth|bf16|nvfp4|fp4|fp8|int4|int8|awq|gptq|bnb-4bit|bnb-8bit))+$")
PARENTS = {
    "q_proj": "self_attn",
    "k_proj": "self_attn",
    "v_proj": "self_attn",
    "o_proj": "self_attn",
    "gate_proj": "mlp",
    "up_proj": "mlp",
    "down_proj": "mlp",
}
# Settings that change the arithmetic, with the values that leave it as every engine computes it.
PLAIN: Mapping[str, tuple[object, ...]] = {
    "bias": ("none", None),
    "use_dora": (False, None),
    "fan_in_fan_out": (False, None),
    "lora_bias": (False, None),
    "modules_to_save": ([], None),
    "rank_pattern": ({}, None),
    "alpha_pattern": ({}, None),
    "layers_to_transform": ([], None),
    "trainable_token_indices": ([], {}, None),
}
CURE = f"cure: train it on the bundle's base with target modules among {', '.join(PARENTS)}"
CHUNK = 1 << 22  # bytes looked at a time


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """What an adapter is. B @ A is multiplied by `scale`; `size` in bytes; `modules` are full names."""

    folder: Path
    base: str
    rank: int
    alpha: float
    scale: float
    targets: tuple[str, ...]
    modules: tuple[str, ...]
    dtype: str
    size: int


def check(folder: Path, config: Mapping[str, object], max_rank: int) -> AdapterFacts:
    """Check an adapter against its base's config.json, reading every value.

    Raises BundleError with the cure: another base, a rank above `max_rank`, a missing tensor, NaN."""
    facts = read(folder, config)
    if facts.rank > max_rank:
        raise BundleError(
            f"{folder} has rank {facts.rank}, over {max_rank}; cure: raise the bundle's max_lora_rank,"
            " or train with a lower rank"
        )
    with Checkpoint.of(folder / WEIGHTS) as weights:
        for tensor in weights.tensors.values():
            _finite(weights, tensor)
    return facts


def read(folder: Path, config: Mapping[str, object]) -> AdapterFacts:
    """The facts of an adapter whose names, types and shapes fit the base; its values are not looked at."""
    settings = _settings(folder)
    rank, alpha = settings["r"], settings["lora_alpha"]
    if type(rank) is not int or rank < 1 or not isinstance(alpha, int | float) or not 0 < alpha < math.inf:
        raise BundleError(f"{folder / CONFIG} has r={rank!r}, lora_alpha={alpha!r}; cure: train it again")
    tensors = header(folder / WEIGHTS)
    pairs = _pairs(folder, tensors)
    base = str(settings.get("base_model_name_or_path") or "a base that it does not name")
    for module, pair in pairs.items():
        _shapes(module, pair, shape(config, module), rank, base)
    targets = tuple(sorted({module.rpartition(".")[2] for module in pairs}))
    _complete(folder, settings["target_modules"], targets, pairs, layers(config))
    dtypes = sorted({tensor.dtype for tensor in tensors.values()})
    if len(dtypes) > 1:
        raise BundleError(f"{folder} mixes {' and '.join(dtypes)}; cure: save it in one type")
    scale = alpha / (math.sqrt(rank) if settings.get("use_rslora") is True else rank)
    size = sum(tensor.size for tensor in tensors.values())
    return AdapterFacts(
        folder, base, rank, float(alpha), scale, targets, tuple(sorted(pairs)), dtypes[0], size
    )


def same(a: AdapterFacts, b: AdapterFacts) -> None:
    """Both adapters change the same modules: a server allots them once. Raises BundleError."""
    for one, other in ((a, b), (b, a)):
        if lacking := sorted(set(one.modules) - set(other.modules)):
            raise BundleError(
                f"{other.folder} has no {PREFIX}{lacking[0]}.lora_A.weight, which {one.folder} has;"
                " cure: train both with the same target modules"
            )


def based(facts: AdapterFacts, source: str, other: str) -> None:
    """It was trained for `source` or, by another name, `other`; a model of the same shape computes nonsense
    with it. Raises BundleError."""
    if plain(facts.base) not in (plain(source), plain(other)):
        raise BundleError(
            f"{facts.folder} was trained for {facts.base}, not for {source}; cure: train it on the bundle's"
            f" base, or adapters.base={facts.base} where that is the same model"
        )


def plain(name: str) -> str:
    """A model's name without owner, Meta's older prefix, and how somebody quantised it."""
    return QUANTISED.sub("", name.rstrip("/").rpartition("/")[2].casefold().removeprefix("meta-"))


def tensor_name(module: str, side: str) -> str:
    """A tensor of an adapter: side A [rank, inputs] or B [outputs, rank] of a module."""
    return f"{PREFIX}{module}.lora_{side}.weight"


def number(config: Mapping[str, object], key: str) -> int:
    """A positive whole number of the base's config. Raises BundleError."""
    value = config.get(key)
    if type(value) is not int or value < 1:
        raise BundleError(f"the base's config.json has {key}={value!r}; cure: fetch the base again")
    return value


def layers(config: Mapping[str, object]) -> int:
    """How many layers the base has."""
    return number(config, "num_hidden_layers")


def shape(config: Mapping[str, object], module: str) -> tuple[int, int]:
    """A linear's [outputs, inputs] in the base."""
    hidden, heads = number(config, "hidden_size"), number(config, "num_attention_heads")
    inner = number(config, "intermediate_size")
    head = number(config, "head_dim") if config.get("head_dim") else hidden // heads
    groups = number(config, "num_key_value_heads") if config.get("num_key_value_heads") else heads
    return {
        "q_proj": (heads * head, hidden),
        "k_proj": (groups * head, hidden),
        "v_proj": (groups * head, hidden),
        "o_proj": (hidden, heads * head),
        "gate_proj": (inner, hidden),
        "up_proj": (inner, hidden),
        "down_proj": (hidden, inner),
    }[module.rpartition(".")[2]]


def _settings(folder: Path) -> dict[str, object]:
    settings = {"r": None, "lora_alpha": None, "target_modules": None} | read_json(folder / CONFIG)
    if settings.get("peft_type") != "LORA":
        raise BundleError(f"{folder / CONFIG} is a {settings.get('peft_type')}; cure: train a LoRA adapter")
    for key, allowed in PLAIN.items():
        if settings.get(key) not in allowed:
            raise BundleError(
                f"{folder / CONFIG} has {key}={settings[key]!r}, which the engines do not compute;"
                f" cure: train it with {key}={allowed[0]!r}"
            )
    return settings


def _pairs(folder: Path, tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The tensors A and B of each module."""
    pairs: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        match = NAME.match(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
        if not match or PARENTS.get(match[4]) != match[3]:
            raise BundleError(
                f"{folder}: {name} is not part of a LoRA on a Llama's or Qwen's linears; {CURE}"
            )
        if tensor.dtype not in FLOATS:
            raise BundleError(f"{folder}: {name} is {tensor.dtype}; cure: save it as {', '.join(FLOATS)}")
        pairs.setdefault(match[1], {})[match[5]] = tensor
    for module, pair in pairs.items():
        for side in "AB":
            if side not in pair:
                raise _missing(folder, tensor_name(module, side))
    if not pairs:
        raise BundleError(f"{folder / WEIGHTS} holds no tensor; cure: train it again")
    return pairs


def _shapes(
    module: str, pair: Mapping[str, Tensor], base_shape: tuple[int, int], rank: int, base: str
) -> None:
    for side, expected in (("A", (rank, base_shape[1])), ("B", (base_shape[0], rank))):
        if pair[side].shape != expected:
            raise BundleError(
                f"{pair[side].name} has the shape {list(pair[side].shape)} instead of {list(expected)}:"
                f" it was trained for {base}, not for this base; cure: train it on the bundle's base"
            )


def _complete(
    folder: Path,
    named: object,
    targets: tuple[str, ...],
    pairs: Mapping[str, object],
    count: int,
) -> None:
    """Every target module is there in every layer, and no other layer."""
    wanted = set(named) if isinstance(named, list) else set(targets)  # a pattern names what was saved
    if unknown := sorted(wanted - set(PARENTS)):
        raise BundleError(
            f"{folder / CONFIG} has the target module {unknown[0]}, which the base has not; {CURE}"
        )
    expected = {f"model.layers.{n}.{PARENTS[name]}.{name}" for n in range(count) for name in wanted}
    if lacking := sorted(expected - set(pairs)):
        raise _missing(folder, tensor_name(lacking[0], "A"))
    if beyond := sorted(set(pairs) - expected):
        raise BundleError(
            f"{folder}: {tensor_name(beyond[0], 'A')} is beyond the base's {count} layers or the adapter's"
            " target modules; cure: train it on the bundle's base"
        )


def _missing(folder: Path, name: str) -> BundleError:
    return BundleError(f"{folder} has no {name}; cure: save the adapter again")


def _finite(weights: Checkpoint, tensor: Tensor) -> None:
    for start in range(0, tensor.size, CHUNK):
        raw = weights.piece(tensor, start, min(CHUNK, tensor.size - start))
        if not np.isfinite(widened(np.frombuffer(raw, DTYPES[tensor.dtype]))).all():
            raise BundleError(f"{tensor.name} of {tensor.file.parent} holds NaN or inf; cure: train it again")
