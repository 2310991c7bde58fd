"""Our puppet begins with what the first of the cast wears: conf/persona/ alone says who looks how."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig

from engines.avatar.options import MODELS
from engines.options import OptionError


def dress(cfg: DictConfig) -> None:
    """Let the puppet start in that look. Raises OptionError for one that it has not; a VTube Studio of the
    user's has models of its own, and is asked when it is connected."""
    engine, adapter = cfg.avatar.get("engine"), cfg.avatar.adapter
    if not engine or adapter.get("address") != f"ws://{engine.host}:{engine.port}":
        return
    asked, *worn = [_look(key, name) if name else "" for key, name in _wanted(cfg)]
    if look := asked or next(iter(worn), ""):
        engine.model = look


def _wanted(cfg: DictConfig) -> Iterator[tuple[str, str]]:
    yield "avatar.adapter.model", str(cfg.avatar.adapter.get("model") or "")
    for who, persona in cfg.cast.items():
        yield f"cast.{who}.avatar", str(persona.get("avatar") or "")


def _look(key: str, name: str) -> str:
    for model in MODELS:
        if model.casefold() == name.casefold():
            return model
    raise OptionError(f"{key}: the puppet has no look '{name}'; it has: {', '.join(MODELS)}")
