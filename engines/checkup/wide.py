"""The doctor on llama.cpp's build: the wheel's leaves out what only some CPUs can do."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig, OmegaConf

from engines.bundle.native import cpu
from engines.bundle.words import bundles
from engines.checkup.finding import Finding
from engines.llm.options import SERVER, Options, bundled
from engines.options import build

WIDE = {"amx_int8": "AMX", "avx512_vnni": "AVX-512", "i8mm": "I8MM", "asimddp": "dot product"}  # best first


def compiled(cfg: DictConfig) -> Iterator[Finding]:
    """Whether the embedded language model could be faster on this CPU."""
    if not cfg.engines.start or "engine" not in cfg.get("llm", {}):
        return
    options = build(Options, OmegaConf.to_container(cfg.llm.engine, resolve=True))
    if bundled(options, SERVER):
        yield Finding("llama.cpp", "ok", "compiled for this CPU")
        return
    there = [name for flag, name in WIDE.items() if flag in cpu()]
    if there and options.model in bundles():
        seen = f"the wheel's build leaves out this CPU's {there[0]}: prefilling takes about twice as long"
        cure = f"./build_engines.sh bundle={options.model} native=true (4 minutes on two cores)"
        yield Finding("llama.cpp", "warn", seen, cure)
