"""Step "serve config": serve.yaml and serve.json (command, environment) of trtllm-serve, by version.

Paths are those inside the container, where the bundle is mounted read-only at /bundle and a folder for the
autotuner's cache at /cache.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from engines.bars import Bars
from engines.bundle import hashes, personas, schema, weights
from engines.bundle.config import Config, Drafting, Mode
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes
from engines.bundle.places import BUNDLE, FOLDER
from engines.bundle.steps import Journal
from engines.bundle.versions import since

CACHE = "/cache"
LORA_WITH_DRAFT = "1.3"  # from 1.3.0rc13 on
CAPABILITY = "sm_121"  # of a GB10
# PEFT's names of linear layers -> the server's
MODULES = {
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_dense",
    "gate_proj": "mlp_h_to_4h",
    "up_proj": "mlp_gate",
    "down_proj": "mlp_4h_to_h",
}


def inputs(config: Config, known: Hashes) -> Mapping[str, object]:
    """Every key that the files are written from, and the weights (the autotuner's cache is theirs)."""
    serve = config.serve
    return {
        "serve": [serve.version, serve.port, serve.kv_tokens, serve.kv_dtype, serve.batches, serve.sequence],
        "extra": dict(serve.extra),
        "draft": [config.draft.kind.value, config.draft.length],
        "weights": weights.inputs(config, known),
        "adapters": personas.inputs(config, known),
        "dims": config.dims,
    }


def run(config: Config, work: Path, bars: Bars) -> Mapping[str, object]:
    """Write both files, checked. Raises BundleError."""
    values = written(config, targets(config, work))
    schema.check(values, config.serve.version)
    head = f"# trtllm-serve {config.serve.version}, bundle {config.name}"
    text = f"{head}\n{OmegaConf.to_yaml(values)}"
    (work / "serve.yaml").write_text(text)
    model = hashes.key(Journal(work).entries["quantise"]["outputs"])
    commands = {
        who or "main": {
            "command": command(config, folder),
            "environment": {"TLLM_AUTOTUNER_CACHE_PATH": f"{CACHE}/autotuner-{tuned(config, model)}.json"},
        }
        for who, folder in weights.names(config).items()
    }
    (work / "serve.json").write_text(json.dumps(commands, indent=2) + "\n")
    bars.say(" ".join(next(iter(commands.values()))["command"]))
    return {"version": config.serve.version, "servers": list(commands)}


def targets(config: Config, work: Path) -> list[str]:
    """The modules that the adapters change, in the server's names; all seven where none is there yet."""
    given = config.adapters.given
    if not given or config.adapters.mode is not Mode.lora:
        return list(MODULES.values())
    folder = work / FOLDER / next(iter(given))
    found = json.loads((folder / "adapter_config.json").read_text()).get("target_modules")
    if not isinstance(found, list):
        return list(MODULES.values())
    return [ours for theirs, ours in MODULES.items() if any(str(name).endswith(theirs) for name in found)]


def written(config: Config, modules: list[str]) -> dict[str, Any]:
    """The server's config. Raises BundleError for what this version cannot do together."""
    serve = config.serve
    values: dict[str, Any] = {
        "max_batch_size": max(serve.batches),
        "max_seq_len": serve.sequence,
        "kv_cache_config": {
            "dtype": serve.kv_dtype,
            "enable_block_reuse": True,
            "max_tokens": serve.kv_tokens,
        },
        "cuda_graph_config": {"enable_padding": True, "batch_sizes": list(serve.batches)},
        "guided_decoding_backend": "xgrammar",
        "return_perf_metrics": True,
        "enable_iter_perf_stats": True,
        "stream_interval": 1,
    }
    lora = config.adapters.given and config.adapters.mode is Mode.lora
    if lora:
        count = len(config.adapters.given)
        values["lora_config"] = {
            "lora_dir": [f"{BUNDLE}/{FOLDER}/{who}" for who in config.adapters.given],
            "lora_target_modules": modules,
            "max_lora_rank": config.adapters.max_rank,
            "max_loras": count,
            "max_cpu_loras": count,
        }
    if config.draft.kind is not Drafting.never:
        if lora and not since(serve.version, LORA_WITH_DRAFT):
            raise BundleError(
                f"draft.kind={config.draft.kind.value}: TensorRT-LLM {serve.version} has no speculative"
                f" decoding with LoRA; cure: serve.version={LORA_WITH_DRAFT}, or draft.kind=never"
            )
        values["speculative_config"] = _speculative(config)
    if config.draft.kind is Drafting.draft_target:
        values["disable_overlap_scheduler"] = True
    return _joined(values, dict(serve.extra))


def _speculative(config: Config) -> dict[str, object]:
    new = since(config.serve.version, "1.3")
    eagle = "Eagle3" if new else "Eagle"
    return {
        "decoding_type": eagle if config.draft.kind is Drafting.eagle3 else "DraftTarget",
        "max_draft_len": config.draft.length,
        "speculative_model" if new else "speculative_model_dir": f"{BUNDLE}/draft",
    }


def _joined(values: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` over `values`, tables key by key."""
    for key, value in extra.items():
        both = isinstance(value, Mapping) and isinstance(values.get(key), dict)
        values[key] = _joined(values[key], value) if both else value
    return values


def command(config: Config, folder: str) -> list[str]:
    """How the server of a checkpoint is started, inside the container."""
    flag = "--config" if since(config.serve.version, "1.3") else "--extra_llm_api_options"
    words = ["trtllm-serve", f"{BUNDLE}/{folder}", "--backend", "pytorch", flag, f"{BUNDLE}/serve.yaml"]
    return [*words, "--host", "127.0.0.1", "--port", str(config.serve.port)]


def tuned(config: Config, model: str) -> str:
    """The name of an autotuner cache: the file does not check that it was made for this."""
    serve = config.serve
    facts = {"version": serve.version, "gpu": CAPABILITY, "model": model, "batches": serve.batches}
    return f"{serve.version}-{CAPABILITY}-{hashes.key({**facts, 'sequence': serve.sequence})[:16]}"
