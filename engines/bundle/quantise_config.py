"""The configuration beside NVFP4 weights, as ModelOpt's unified export writes it and servers read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engines.bundle.errors import BundleError

# Dense decoders whose layers are named alike.
ARCHITECTURES = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")
PRODUCER = {"name": "modelopt", "version": "0.47.0"}  # the layout's version: what the tests compare with
ALGORITHM = "W4A16_NVFP4"
GROUP = 16
LEFT_ALONE = ["lm_head", "model.embed_tokens"]


def check(config: Mapping[str, object], source: Path) -> None:
    """Raises BundleError for a model that the quantiser does not know."""
    names = config.get("architectures")
    if not isinstance(names, list) or len(names) != 1 or names[0] not in ARCHITECTURES:
        raise BundleError(
            f"{source / 'config.json'} has the architectures {names}; known are {', '.join(ARCHITECTURES)};"
            " cure: quantise with ModelOpt"
        )
    if "quantization_config" in config:
        raise BundleError(f"{source} is quantised already; cure: start from the published bf16 weights")


def changed(config: Mapping[str, object]) -> dict[str, object]:
    """The model's config.json, with what a server must know."""
    weights = {"dynamic": False, "num_bits": 4, "type": "float", "group_size": GROUP}
    return dict(config) | {
        "quantization_config": {
            "config_groups": {"group_0": {"weights": weights, "targets": ["Linear"]}},
            "ignore": LEFT_ALONE,
            "quant_algo": ALGORITHM,
            "kv_cache_scheme": {"dynamic": False, "num_bits": 8, "type": "float"},
            "producer": PRODUCER,
            "quant_method": "modelopt",
        }
    }


def described() -> dict[str, object]:
    """hf_quant_config.json."""
    return {
        "producer": PRODUCER,
        "quantization": {
            "quant_algo": ALGORITHM,
            "kv_cache_quant_algo": "FP8",
            "group_size": GROUP,
            "exclude_modules": LEFT_ALONE,
        },
    }
