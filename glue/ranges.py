"""Between what the core's own numbers must lie; their types are in glue/settings.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from glue.errors import ConfigError

DAY = 86_400
MANY = 100_000_000
RANGES: dict[str, tuple[float, float]] = {
    "stage.rate": (8000, 96000),
    "stage.ahead": (0.05, 10),
    "stage.delay": (0, 10),
    "stage.tick_hz": (1, 240),
    "stage.idle_hz": (2, 240),
    "stage.lead": (0, 1),
    "stage.sounds_gain": (0, 4),
    "stage.songs_gain": (0, 4),
    "stage.songs_again": (0, DAY),
    "stage.songs_apart": (0, DAY),
    "director.inbox": (1, 100_000),
    "director.patience": (1, 3600),
    "director.bar": (0, 100),
    "director.lull": (0, 3600),
    "director.burst": (1, 100_000),
    "director.burst_window": (0, 3600),
    "director.repeat_window": (0, DAY),
    "director.wave": (1, 100_000),
    "director.thanks": (0, 300),
    "director.listen": (0, 60),
    "director.listen_most": (0, 3600),
    "director.lonely": (1, DAY),
    "director.lonely_most": (1, DAY),
    "director.banter": (0, DAY),
    "director.banter_depth": (0, 100),
    "director.banter_after": (0, 300),
    "director.glance": (0, DAY),
    "director.glance_fresh": (0, DAY),
    "director.glance_apart": (0, DAY),
    "director.goodbye": (0, 300),
    "director.ending": (0, 300),
    "safety.wall": (20, 500),
    "safety.doubt": (0.5, 1.0),
    "safety.overall": (0, 100_000),
    "safety.strikes": (0, 1000),
    "safety.strike_window": (0, DAY),
    "safety.timeout": (0, DAY),
    "safety.slow_above": (0, 100_000),
    "safety.slow_window": (0, 3600),
    "safety.slow_gap": (0, 3600),
    "turn.ahead": (1, 100),
    "turn.recall_within": (0, 10),
    "turn.tries": (1, 5),
    "turn.reply_within": (1, 3600),
    "turn.held_within": (1, DAY),
    "turn.anyway_within": (0, DAY),
    "engines.ready_within": (1, 7200),
    "eyes.every_s": (0.1, 3600),
    "eyes.apart_s": (0, 3600),
    "eyes.changed": (0, 1),
    "rehearsal.minutes": (0, 7 * DAY / 60),
    "rehearsal.lines": (0, MANY),
    "rehearsal.memory_entries": (0, MANY),
    "rehearsal.memory_every": (1, MANY),
    "bait_exam.lines": (0, MANY),
    "memory_exam.viewers": (1, MANY),
    "memory_exam.lines": (1, MANY),
    "memory_exam.questions": (1, MANY),
}
PORTS = ("console.port", "games.adapter.port")  # that the show itself listens on; 0: whichever is free
OF_A_PERSONA: dict[str, tuple[float, float]] = {
    "temperature": (0, 5),
    "max_tokens": (1, 100_000),
    "length.first": (1, 1000),
    "length.clause": (1, 1000),
    "length.sentences": (1, 1000),
    "length.reply": (1, 10_000),
}


def check_numbers(cfg: DictConfig) -> None:
    """Raises ConfigError: one line with the key and its bounds."""
    for key, bounds in RANGES.items():
        _check(key, OmegaConf.select(cfg, key), bounds)
    for key in PORTS:
        _check(key, OmegaConf.select(cfg, key), (0, 65_535))
    for who in cfg.cast:
        for key, bounds in OF_A_PERSONA.items():
            _check(f"cast.{who}.{key}", _select(cfg.cast[who], key), bounds)


def _select(section: Any, key: str) -> Any:
    """What is not given has its default, which lies between them; what is no section at all has another
    fault, which checks.personas() tells."""
    first, _, rest = key.partition(".")
    found = section.get(first) if isinstance(section, Mapping) else None
    return _select(found, rest) if rest and found is not None else found


def _check(key: str, value: Any, bounds: tuple[float, float]) -> None:
    low, high = bounds
    if isinstance(value, int | float) and not low <= value <= high:
        raise ConfigError(f"{key}: must lie between {low:g} and {high:g}, not {value}")
