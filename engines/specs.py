"""From the config's `engine` sections to engines that can be run: options checked, before anything starts."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import cast

from omegaconf import DictConfig, OmegaConf

from engines.options import OptionError, build, parse, words
from engines.process import Spec

SCHEMES = {
    "llm": "http://",
    "pace": "http://",
    "embeddings": "http://",
    "avatar": "ws://",
    "chess": "http://",
    "minecraft": "http://",
}  # others are plain host:port (gRPC)


def specs(cfg: DictConfig, only: Iterable[str] = ()) -> list[Spec]:
    """The engines of a composed config: every group with an `engine` section. Raises OptionError.

    `only` names some of them; none named: all."""
    there = {
        str(name): cast(Mapping[str, object], OmegaConf.to_container(section.engine, resolve=True))
        for name, section in cfg.items()
        if isinstance(section, DictConfig) and section.get("engine")
    }
    unknown = [name for name in only if name not in there]
    if unknown:
        raise OptionError(f"no engine '{unknown[0]}'; the engines are: {', '.join(there)}")
    return [spec(name, options) for name, options in there.items() if name in (tuple(only) or there)]


def spec(name: str, values: Mapping[str, object]) -> Spec:
    """One engine from its options. Raises OptionError, its text led by the engine's name."""
    module = importlib.import_module(f"engines.{name}.options")
    try:
        options = build(module.Options, dict(values))
        argv = words({key: _plain(value) for key, value in values.items()})
        if parse(module.Options, argv) != options:
            raise OptionError("an option's value cannot be handed over on a command line")
    except OptionError as error:
        raise OptionError(f"{name}.engine: {error}") from error
    probe = importlib.import_module(f"engines.{name}.probe")
    needs = tuple(module.models(options)) if hasattr(module, "models") else ()
    return Spec(
        name=name,
        argv=(sys.executable, "-m", f"engines.{name}", *argv),
        address=f"{SCHEMES.get(name, '')}{options.host}:{options.port}",
        host=options.host,
        port=options.port,
        ready=partial(probe.ready, options),
        port_key=f"{name}.engine.port",
        models=needs,
        prepare=partial(module.prepare, options) if hasattr(module, "prepare") else None,
    )


def prepare(found: Iterable[Spec], say: Callable[[str], None]) -> None:
    """What engines need beside models, such as an environment of their own. Raises ModelError."""
    for each in found:
        if each.prepare is not None:
            each.prepare(say)


def _plain(value: object) -> object:
    """A value as its option's text: an enum by name."""
    return getattr(value, "name", value)
