"""The composition root of obs_setup: no engine, no show; only OBS and the address of the stage's page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from omegaconf import DictConfig

from glue.checks import adapters
from glue.errors import ConfigError, PortError
from glue.games.chess_chat import board_token
from glue.make import make
from glue.stage.console_guard import kept_token, token_path
from glue.stage.obs_layout import Pages


async def set_up(cfg: DictConfig, say: Callable[[str], None]) -> None:
    """Put her scenes into a running OBS; `say` is told each change. Raises ConfigError with the cure."""
    if not cfg.console:
        raise ConfigError("console: OBS shows its page /stage; cure: console=page")
    where = cfg.console
    token = kept_token(token_path(where.token_file))
    page, twins = stage(where, token), cfg.obs_setup.twins
    if len(twins) != 2:
        raise ConfigError("obs_setup.twins: must be two of the cast, such as [main, evil]")
    pages = Pages(page, game(cfg), [f"{page}&sound=0&who={quote(who)}" for who in twins])
    async with make("broadcast", adapters(cfg)["broadcast"], {}) as obs:
        try:
            await obs.set_up(cfg.obs_setup.collection, pages, say)
        except PortError as error:
            raise ConfigError(str(error)) from error


def game(cfg: DictConfig) -> str:
    """The address of a page that shows the game, of ours where one of them is played: its token is made here
    where its first show is still to come. "": a capture shows it. Raises ConfigError."""
    if cfg.obs_setup.game:
        return str(cfg.obs_setup.game)
    if cfg.chess:
        address = cfg.chess.adapter.address.rstrip("/").replace("ws", "http", 1)
        token = kept_token(board_token(cfg.chess.adapter.token_file), "chess.engine.token_file")
        return f"{address}/?token={token}"
    if cfg.minecraft:
        return f"http://{cfg.minecraft.engine.host}:{cfg.minecraft.engine.port}/map"
    return ""


def stage(where: DictConfig, token: str) -> str:
    """The address of the stage's page; OBS has a text source for the captions."""
    asked = "&asked=1" if where.asked else ""
    return f"http://{where.host}:{where.port}/stage?token={token}&captions=0{asked}"
