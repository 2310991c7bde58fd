"""The config, checked whole before anything is started: adapters, personas, and what types cannot say."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError

from glue.errors import ConfigError
from glue.make import check as check_adapter
from glue.mind.persona import Length, Persona
from glue.ranges import check_numbers
from glue.safety.lists import read as read_list
from glue.settings import Config, SafetySettings, When
from glue.song_ports import NONE
from glue.stage.songs import CURE, look

# What app has on offer for constructors that ask for it by name.
OF_THE_CONSOLE = {"console", "desk", "microphones"}
OFFER = frozenset(
    {"run_dir", "rate"}
    | OF_THE_CONSOLE
    | {"llm", "unlearn", "know", "unknow", "selves", "tts", "asr", "floor", "main", "small", "mood", "vision"}
    | {"cast", "clears", "mends", "screens", "refuses", "forgets", "emit", "broadcast"}
)
SINGLE = ("llm", "speech", "avatar")  # groups with one choice; its adapter lies under `adapter`
OPTIONAL = ("console", "captions", "broadcast")  # one choice, which may be none
MAYBE = ("asr", "games", "chess", "memory")  # as the first kind, and may be none
SEVERAL = ("speaker", "chat", "ears")  # groups of which several may be chosen
ASKED = {"channel", "video"}  # what a choice of chat asks for: chat.channel=NAME
OF_THE_PAGE = {("ears", "page")}  # there is nothing to hear from no page
EYES = ("adapter", "eyes")  # what vision holds beside its engine, unless it is none
PARTS = {"engine", "adapter", "voices"}  # what a choice of the first kind may hold
OPENER = {"opener", "small", "opening"}  # and the language model beside it: who says the first words
MORE = {"llm": OPENER, "games": {"llm_slots"}, "chess": {"games", "opponent", "brain"}}
MINECRAFT = {"engine", "host", "port", "version", "username", "auth", "exam", "seeds"}
EMBEDDINGS = {"address", "model", "engine"}
PACE = {"engine", "goals", "voice"}
PACED_VOICE = {"model", "first_chunk_ms", "real_time_factor"}
CONF = Path(__file__).parent.parent / "conf"
UNLOADED = re.compile(r"Could not load '([\w/]+)/([^'/]+)'")


def check(cfg: DictConfig) -> None:
    """Raises ConfigError: one line with the key and the choices."""
    _known(cfg, "", set(Config.__dataclass_fields__))
    for group in (*SINGLE, *MAYBE):
        _known(cfg[group], f"{group}.", PARTS | MORE.get(group, set()))
    _known(cfg.vision, "vision.", {"engine", *EYES})
    _known(cfg.minecraft, "minecraft.", MINECRAFT)
    _known(cfg.embeddings, "embeddings.", EMBEDDINGS)
    _known(cfg.pace, "pace.", PACE)
    _known(cfg.pace.get("voice") or {}, "pace.voice.", PACED_VOICE)
    for group, knobs in typed().items():  # a + on the command line adds a key to a typed group, too
        _known(cfg[group], f"{group}.", {each.name for each in fields(knobs)})
    if cfg.minecraft and not cfg.games:
        raise ConfigError("minecraft: nobody is there to play; choose games=neuro, or minecraft=none")
    check_numbers(cfg)
    if (stated := cfg.pace.get("voice")) and min(stated.first_chunk_ms, stated.real_time_factor) <= 0:
        raise ConfigError("pace.voice: first_chunk_ms and real_time_factor must be above 0")
    for name in safety(cfg).lists:
        read_list(Path(name))
    offer = OFFER if cfg.console else OFFER - OF_THE_CONSOLE
    for key, section in adapters(cfg).items():
        check_adapter(key, section, offer)
    for who, persona in personas(cfg).items():
        if persona.voice not in cfg.speech.get("voices", {}):
            choices = ", ".join(cfg.speech.get("voices", {}))
            raise ConfigError(f"cast.{who}.voice: this speech has no '{persona.voice}'; it has: {choices}")


def typed() -> dict[str, type[Any]]:
    """The groups of the core's own knobs, by name."""
    made: dict[str, Any] = {each.name: each.default_factory for each in fields(Config)}
    return {name: knobs for name, knobs in made.items() if is_dataclass(knobs) and isinstance(knobs, type)}


def precheck(cfg: DictConfig) -> None:
    """What only an adapter itself can say of its arguments (a file that is not there), before engines are
    loaded for nothing: each that has a `precheck` is asked. An exam builds none of those. Raises
    ConfigError."""
    if cfg.bait_exam.run or cfg.memory_exam.run or cfg.minecraft.get("exam"):
        return
    if (folder := cfg.stage.songs) and not Path(folder).expanduser().is_dir():
        raise ConfigError(f"stage.songs: there is no folder '{folder}'; {CURE}")
    offer = OFFER if cfg.console else OFFER - OF_THE_CONSOLE
    for key, section in adapters(cfg).items():
        target, arguments = check_adapter(key, section, offer)
        if refuses := getattr(target, "precheck", None):
            given = {word: each.default for word, each in inspect.signature(target).parameters.items()}
            given |= arguments
            refuses(**{word: given[word] for word in inspect.signature(refuses).parameters})


def songs(cfg: DictConfig) -> Iterator[tuple[Literal["ok", "warn", "bad"], str, str]]:
    """What lies in stage.songs, for the doctor: its verdict, what it sees, the cure."""
    if not cfg.stage.songs:
        return
    found = look(cfg.stage.songs, cfg.stage.rate)
    if found.songs:
        yield "ok", f"{len(found.songs)} in {cfg.stage.songs}", ""
    for why in found.wrong if found.songs or found.wrong else [NONE]:
        seen, _, cure = why.partition("; cure: ")
        yield "warn" if found.songs else "bad", seen, cure


def adapters(cfg: DictConfig) -> dict[str, dict[str, Any]]:
    """Every section that names an adapter, by its key, in the order in which they are built."""
    return dict(_sections(cfg))


def _sections(cfg: DictConfig) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((group, plain(cfg[group])) for group in OPTIONAL if cfg[group])
    for group in SINGLE:
        if not cfg[group].get("adapter"):
            raise ConfigError(f"{group}.adapter: is missing; choose {group}=... from conf/{group}")
        yield f"{group}.adapter", _worn(cfg) if group == "avatar" else plain(cfg[group].adapter)
    yield from _opening(cfg)
    if cfg.ears and not cfg.asr:
        raise ConfigError("ears: there is nobody behind them; choose asr=tiny, or ears=[]")
    if cfg.chess and not cfg.games:
        raise ConfigError("chess: nobody is there to play; choose games=neuro, or chess=none")
    yield from ((f"{group}.adapter", plain(cfg[group].adapter)) for group in MAYBE if cfg[group])
    yield from _eyes(cfg)
    for group in SEVERAL:
        yield from _several(group, cfg[group], bool(cfg.console))


def _worn(cfg: DictConfig) -> dict[str, Any]:
    """The avatar's adapter; where it is told no model, it loads that of the first of the cast."""
    section = plain(cfg.avatar.adapter)
    if section.get("model") == "":
        section["model"] = next((persona.avatar for persona in personas(cfg).values()), "")
    return section


def _opening(cfg: DictConfig) -> Iterator[tuple[str, dict[str, Any]]]:
    if opener(cfg) is When.never:
        return
    for name in ("small", "opening"):
        if not cfg.llm.get(name):
            raise ConfigError(f"llm.{name}: is missing; cure: llm.opener=never, or stack=paced or spark")
        yield f"llm.{name}", plain(cfg.llm[name])


def _several(group: str, chosen: DictConfig, page: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in map(str, chosen):
        if OmegaConf.is_missing(chosen, name):
            raise ConfigError(f"{group}.{name}: is missing; cure: {group}.{name}=NAME")
        if (group, name) == ("speaker", "page") and not page:
            raise ConfigError(
                "speaker.page: there is no page that plays it; choose speaker=[device], or [wav]"
            )
        if isinstance(chosen[name], DictConfig):
            if page or (group, name) not in OF_THE_PAGE:
                yield f"{group}.{name}", plain(chosen[name])
        elif group != "chat" or name not in ASKED:
            raise ConfigError(_unknown(f"{group}.{name}", name, ASKED if group == "chat" else set()))


def _eyes(cfg: DictConfig) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in EYES if cfg.vision else ():
        if not cfg.vision.get(name):
            raise ConfigError(f"vision.{name}: is missing; choose vision=... from conf/vision")
        yield f"vision.{name}", plain(cfg.vision[name])


def opener(cfg: DictConfig) -> When:
    """Whether a small model says the first words. Raises ConfigError."""
    said = str(cfg.llm.get("opener", When.never.value))
    try:
        return When(said)
    except ValueError as error:
        choices = ", ".join(when.value for when in When)
        raise ConfigError(f"llm.opener: must be one of {choices}, not {said}") from error


def safety(cfg: DictConfig) -> SafetySettings:
    """What may come in and go out, as plain values: it is asked for with every line and clause."""
    found = OmegaConf.to_object(cfg.safety)
    if not isinstance(found, SafetySettings):
        raise ConfigError("safety: must be a choice of conf/safety")
    return found


def personas(cfg: DictConfig) -> dict[str, Persona]:
    """The cast, checked. Raises ConfigError."""
    if not cfg.cast:
        raise ConfigError("persona: nobody is on stage; choose persona=[main]")
    for who, section in cfg.cast.items():
        if not isinstance(section, DictConfig):
            raise ConfigError(f"cast.{who}: must be a persona, as in conf/persona, not {section}")
    return {str(who): _persona(str(who), plain(section)) for who, section in cfg.cast.items()}


def _persona(who: str, section: Mapping[str, Any]) -> Persona:
    for word in section:
        if word not in Persona.__dataclass_fields__:
            raise ConfigError(_unknown(f"cast.{who}.{word}", word, set(Persona.__dataclass_fields__)))
    if isinstance(length := section.get("length"), Mapping):
        _known(length, f"cast.{who}.length.", set(Length.__dataclass_fields__))
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


def _near(error: OmegaConfBaseException) -> list[str]:
    """The keys beside one that is not there, where it looks like one of them: a mapping may have others, and
    Hydra says how to add one."""
    there = list(map(str, error.parent_node)) if isinstance(error.parent_node, DictConfig) else []
    return there if get_close_matches(str(error.key), there, n=1) else []


def explain(error: BaseException) -> str:
    """What Hydra or OmegaConf refused, in one line with the choices, where it can be told."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    kind = getattr(cause, "object_type", None)
    key, full = getattr(cause, "key", None), getattr(cause, "full_key", None)
    if isinstance(cause, ConfigKeyError | ConfigAttributeError):
        fields = getattr(kind, "__dataclass_fields__", None) or _near(cause)
        if fields:
            return _unknown(str(full or key), str(key), set(map(str, fields)))
    if several := UNLOADED.search(str(error)):  # Hydra names the choices of one that is not in a list
        group, name = several.groups()
        choices = {path.stem for path in (CONF / group).glob("*.yaml")}
        return _unknown(f"{group}={name}", name, choices)
    noise = ("full_key", "reference_type", "object_type", "provider", "Config search path")
    said = f"{error}\n{'' if cause is error else cause}".splitlines()
    words = (line.strip() for line in said if line.strip() and not line.strip().startswith(noise))
    return "; ".join(dict.fromkeys(words)).replace(":;", ":")
