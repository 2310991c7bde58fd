"""A built bundle's adapters in the show's config: each character speaks with her own, no path is typed.

What the config names by hand stays as it is. Engines started by hand (`python -m engines.llm`) load what they
are told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from omegaconf import DictConfig, OmegaConf

from engines import services
from engines.bundle.places import BUNDLE, FOLDER
from engines.llm.options import BUNDLES, MODEL, Options, bundled, is_path
from engines.options import OptionError, build

SERVED = ("llm.adapter", "llm.small")  # what a server of compose.yaml may stand behind
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def adopt(cfg: DictConfig) -> None:
    """Fill in `llm.engine.adapters`, or those of the servers in compose.yaml, where none is given.

    Raises OptionError where a character of the cast would speak with another one's merged weights."""
    if cfg.llm.get("engine"):
        _fill(cfg, "llm.engine", _ours(cfg))
    for key in SERVED:
        if folder := _served(cfg, key):
            _own_weights(cfg, folder)
            _fill(cfg, key, {who: f"{BUNDLE}/{FOLDER}/{who}" for who in _folders(folder)})


def folders(cfg: DictConfig) -> dict[Path, bool]:
    """The bundles that the config loads, and whether it cannot do without. Raises OptionError."""
    found: dict[Path, bool] = {}
    if cfg.llm.get("engine") and cfg.engines.start:
        options = _options(cfg)
        if options.bundle not in ("auto", "none"):
            found[Path(options.bundle).expanduser()] = True
        elif options.bundle == "auto" and not is_path(options.model):
            found[BUNDLES / options.model] = False
    return found | {folder: True for key in SERVED if (folder := _served(cfg, key))}


def _served(cfg: DictConfig, key: str) -> Path | None:
    """The bundle behind an adapter's address, where that is a service of compose.yaml's on this machine."""
    section = OmegaConf.select(cfg, key)
    names = cfg.engines.get("services") or ()
    if not section or not names:
        return None
    url = urlsplit(str(section.url))
    there = services.described(names)
    for name in names:
        serves = services.bundle(there[name], os.environ)
        if serves and url.hostname in LOOPBACK and url.port in dict(_numbers(there[name])):
            return serves.folder
    return None


def _numbers(service: Mapping[str, object]) -> Iterable[tuple[int, str]]:
    return ((number, host) for host, number in services.ports(service))


def _ours(cfg: DictConfig) -> dict[str, str]:
    """The adapters of the bundle that our own engine takes its model from."""
    options = _options(cfg)
    model = bundled(options, MODEL)
    found = sorted((model.parent / FOLDER).glob("*.gguf")) if model else []
    return {path.stem: str(path.absolute()) for path in found}


def _options(cfg: DictConfig) -> Options:
    try:
        return build(Options, OmegaConf.to_container(cfg.llm.engine, resolve=True))
    except OptionError as error:
        raise OptionError(f"llm.engine: {error}") from error


def _folders(bundle: Path) -> list[str]:
    """The characters whose PEFT adapters a bundle for trtllm-serve holds."""
    return sorted(path.parent.name for path in (bundle / FOLDER).glob("*/adapter_config.json"))


def _own_weights(cfg: DictConfig, bundle: Path) -> None:
    """A bundle of merged personas has weights for each, and one of them is served at a time. Raises
    OptionError."""
    who = services.speaker(bundle, os.environ)  # "": not built yet, or torn; the start refuses it
    if not who or not (bundle / f"checkpoint-{who}").is_dir():
        return
    if others := sorted(set(cfg.cast) - {who}):
        other = others[0]
        has = (bundle / f"checkpoint-{other}").is_dir()
        raise OptionError(
            f"{bundle.name} has its personas merged into the weights: its server speaks as {who}, not as"
            f" {other}; cure: persona=[{who}],"
            f"{f' or SPARK_PERSONA={other} persona=[{other}] (one at a time),' if has else ''}"
            f" or ./build_engines.sh bundle={bundle.name} adapters=lora"
        )


def _fill(cfg: DictConfig, key: str, found: Mapping[str, str]) -> None:
    if found and not OmegaConf.select(cfg, f"{key}.adapters"):
        OmegaConf.update(cfg, f"{key}.adapters", dict(found), merge=False)
