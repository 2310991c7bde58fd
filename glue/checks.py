"""The config, checked whole before anything is started: adapters, personas, and what types cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError

from glue.errors import ConfigError
from glue.make import check as check_adapter
from glue.mind.persona import Persona
from glue.settings import Config

# What app has on offer for constructors that ask for it by name.
OFFER = frozenset({"run_dir", "rate", "console", "desk", "llm", "tts", "floor"})
SINGLE = ("llm", "speech", "avatar")  # groups with one choice; its adapter lies under `adapter`
OPTIONAL = ("console", "captions")  # one choice, which may be none
SEVERAL = ("speaker", "chat")  # groups of which several may be chosen
PARTS = {"engine", "adapter", "voices"}  # what a choice of the first kind may hold
RANGES = {
    "stage.rate": (8000, 96000),
    "stage.ahead": (0.05, 10),
    "stage.delay": (0, 10),
    "stage.tick_hz": (1, 240),
    "stage.idle_hz": (2, 240),
    "stage.lead": (0, 1),
    "director.inbox": (1, 100_000),
    "turn.ahead": (1, 100),
    "turn.tries": (1, 5),
    "turn.reply_within": (1, 3600),
    "engines.ready_within": (1, 7200),
}


def check(cfg: DictConfig) -> None:
    """Raises ConfigError: one line with the key and the choices."""
    _known(cfg, "", set(Config.__dataclass_fields__))
    for group in SINGLE:
        _known(cfg[group], f"{group}.", PARTS)
    for key, (low, high) in RANGES.items():
        value = OmegaConf.select(cfg, key)
        if not low <= value <= high:
            raise ConfigError(f"{key}: must lie between {low} and {high}, not {value}")
    for key, section in adapters(cfg).items():
        check_adapter(key, section, OFFER)
    for who, persona in personas(cfg).items():
        if persona.voice not in cfg.speech.get("voices", {}):
            choices = ", ".join(cfg.speech.get("voices", {}))
            raise ConfigError(f"cast.{who}.voice: this speech has no '{persona.voice}'; it has: {choices}")


def adapters(cfg: DictConfig) -> dict[str, dict[str, Any]]:
    """Every section that names an adapter, by its key, in the order in which they are built."""
    return dict(_sections(cfg))


def _sections(cfg: DictConfig) -> Iterator[tuple[str, dict[str, Any]]]:
    for group in OPTIONAL:
        if cfg[group]:
            yield group, plain(cfg[group])
    for group in SINGLE:
        if not cfg[group].get("adapter"):
            raise ConfigError(f"{group}.adapter: is missing; choose {group}=... from conf/{group}")
        yield f"{group}.adapter", plain(cfg[group].adapter)
    for group in SEVERAL:
        for name, section in cfg[group].items():
            yield f"{group}.{name}", plain(section)


def personas(cfg: DictConfig) -> dict[str, Persona]:
    """The cast, checked. Raises ConfigError."""
    if not cfg.cast:
        raise ConfigError("persona: nobody is on stage; choose persona=[main]")
    return {str(who): _persona(str(who), plain(section)) for who, section in cfg.cast.items()}


def _persona(who: str, section: Mapping[str, Any]) -> Persona:
    for word in section:
        if word not in Persona.__dataclass_fields__:
            raise ConfigError(_unknown(f"cast.{who}.{word}", word, set(Persona.__dataclass_fields__)))
    try:
        return TypeAdapter(Persona).validate_python(section)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(["cast", who, *map(str, first["loc"])])
        raise ConfigError(f"{where}: {first['msg'].lower()}") from error


def plain(section: Any) -> dict[str, Any]:
    """A section as plain values, its interpolations resolved. Raises ConfigError."""
    if not isinstance(section, DictConfig):
        return dict(section)
    try:
        return cast(dict[str, Any], OmegaConf.to_container(section, resolve=True))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key}: {str(error).splitlines()[0]}") from error


def _known(section: Mapping[Any, Any], path: str, choices: set[str]) -> None:
    for word in section:
        if word not in choices:
            raise ConfigError(_unknown(f"{path}{word}", str(word), choices))


def _unknown(where: str, word: str, choices: set[str]) -> str:
    close = get_close_matches(word, choices, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else "."
    return f"{where}: no such option{hint} The options are: {', '.join(sorted(choices))}"


def explain(error: BaseException) -> str:
    """What Hydra or OmegaConf refused, in one line with the choices, where it can be told."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    kind = getattr(cause, "object_type", None)
    key, full = getattr(cause, "key", None), getattr(cause, "full_key", None)
    if isinstance(cause, ConfigKeyError | ConfigAttributeError) and kind is not None:
        fields = getattr(kind, "__dataclass_fields__", None)
        if fields:
            return _unknown(str(full or key), str(key), set(fields))
    noise = ("full_key", "reference_type", "object_type", "provider", "Config search path")
    said = f"{error}\n{'' if cause is error else cause}".splitlines()
    words = (line.strip() for line in said if line.strip() and not line.strip().startswith(noise))
    return "; ".join(dict.fromkeys(words)).replace(":;", ":")
