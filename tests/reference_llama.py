"""A Llama computed in numpy from a published checkpoint, by the paper: the judge of what engines compute."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engines.bundle import adapters
from engines.bundle.nvfp4 import Floats, widened
from engines.bundle.safetensors_read import read_json
from tests.checkpoints import arrays


def logprobs(folder: Path, tokens: list[int]) -> Floats:
    """Log probabilities of the token after each of `tokens`: [tokens, vocabulary]."""
    config = read_json(folder / "config.json")
    weights = {name: widened(values) for name, values in arrays(folder).items()}
    state = weights["model.embed_tokens.weight"][tokens]
    for layer in range(adapters.layers(config)):
        at = f"model.layers.{layer}"
        state = state + _attend(_normed(state, weights[f"{at}.input_layernorm.weight"]), weights, at, config)
        inner = _normed(state, weights[f"{at}.post_attention_layernorm.weight"])
        gate = inner @ weights[f"{at}.mlp.gate_proj.weight"].T
        gate = gate / (1 + np.exp(-gate)) * (inner @ weights[f"{at}.mlp.up_proj.weight"].T)
        state = state + gate @ weights[f"{at}.mlp.down_proj.weight"].T
    scores = _normed(state, weights["model.norm.weight"]) @ weights["lm_head.weight"].T
    scores -= scores.max(axis=-1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True)))


def _normed(state: Floats, weight: Floats) -> Floats:
    return np.asarray(state / np.sqrt((state**2).mean(axis=-1, keepdims=True) + 1e-5) * weight)


def _attend(state: Floats, weights: Mapping[str, Floats], at: str, config: Mapping[str, object]) -> Floats:
    heads, groups = (adapters.number(config, key) for key in ("num_attention_heads", "num_key_value_heads"))
    size = adapters.number(config, "head_dim")
    count = len(state)

    def projected(name: str, number: int) -> Floats:
        values = state @ weights[f"{at}.self_attn.{name}_proj.weight"].T
        return values.reshape(count, number, size).transpose(1, 0, 2)

    queries, keys = _turned(projected("q", heads)), _turned(projected("k", groups))
    keys, values = (np.repeat(each, heads // groups, axis=0) for each in (keys, projected("v", groups)))
    scores = queries @ keys.transpose(0, 2, 1) / math.sqrt(size)
    scores = np.where(np.tri(count, dtype=bool), scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    mixed = (shares @ values).transpose(1, 0, 2).reshape(count, heads * size)
    return np.asarray(mixed @ weights[f"{at}.self_attn.o_proj.weight"].T)


def _turned(values: Floats) -> Floats:
    """The rotary embedding as published checkpoints have it: a head's first half turns with its second."""
    half = values.shape[-1] // 2
    angles = np.arange(values.shape[1])[:, None] * 10000.0 ** (-np.arange(half) / half)
    cos, sin = np.cos(angles), np.sin(angles)
    first, second = values[..., :half], values[..., half:]
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)
