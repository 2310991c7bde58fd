"""The core's own knobs, typed: Hydra refuses a wrong type or an unknown key before anything is launched."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hydra.core.config_store import ConfigStore


class When(Enum):
    """Words for modes; YAML reads on and off as booleans."""

    never = "never"
    always = "always"
    auto = "auto"


@dataclass
class DirectorSettings:
    """Which line she answers, and when she speaks by herself. Times in seconds."""

    inbox: int = 200  # lines that may wait; beyond it the least interesting one is dropped
    patience: float = 45.0  # a line that waited this long is let go
    bar: float = 0.6  # a line below this score is left alone while chat is lively ...
    lull: float = 4.0  # ... and answered all the same after this much quiet
    burst: int = 4  # lines of one author within `burst_window`; more is spam
    burst_window: float = 5.0
    repeat_window: float = 30.0  # the same words again within this are a duplicate
    lonely: float = 25.0  # quiet before she speaks by herself; each time without an answer it grows
    lonely_most: float = 180.0


@dataclass
class TurnSettings:
    """One reply. Times in seconds."""

    ahead: int = 2  # clauses that may be written before they are spoken
    recall_within: float = 0.05  # what is remembered later than this does not hold up the reply
    tries: int = 2  # answers that are asked for when the gate holds all of the first
    reply_within: float = 60.0  # a reply that takes longer is cut


@dataclass
class StageSettings:
    """Sound and picture."""

    rate: int = 24000  # samples a second, everywhere between the voice and the outputs
    ahead: float = 1.0  # seconds of speech that may wait in front of the mixer
    delay: float = 0.0  # broadcast delay, 0 to 10 seconds, that the operator can dump
    tick_hz: float = 60.0  # the avatar while she speaks
    idle_hz: float = 30.0  # and while she does not
    lead: float = 0.03  # the mouth is asked this far ahead of the sound: a tick and a drawn frame


@dataclass
class EngineSettings:
    """The engines that the show starts itself."""

    start: bool = True  # false: they run already, here or elsewhere
    ready_within: float = 120.0


@dataclass
class RehearsalSettings:
    """A chat log played against the real engines (`+show=rehearsal`)."""

    log: str = ""  # JSON lines of t, author, text; empty: the one that is shipped
    minutes: float = 0.0  # loop the log for so long; 0: once
    lines: int = 0  # only the first lines of it; 0: all
    floor: bool = True  # measure the bare loop between the turns
    busy: bool = False  # keep the background lane busy meanwhile


@dataclass
class Config:
    """All top-level keys; the groups' own keys are checked against their adapters' signatures."""

    llm: dict[str, Any] = field(default_factory=dict)
    speech: dict[str, Any] = field(default_factory=dict)
    avatar: dict[str, Any] = field(default_factory=dict)
    console: dict[str, Any] = field(default_factory=dict)
    captions: dict[str, Any] = field(default_factory=dict)
    speaker: dict[str, Any] = field(default_factory=dict)
    chat: dict[str, Any] = field(default_factory=dict)
    cast: dict[str, Any] = field(default_factory=dict)
    director: DirectorSettings = field(default_factory=DirectorSettings)
    turn: TurnSettings = field(default_factory=TurnSettings)
    stage: StageSettings = field(default_factory=StageSettings)
    engines: EngineSettings = field(default_factory=EngineSettings)
    rehearsal: RehearsalSettings = field(default_factory=RehearsalSettings)
    ends_with_chat: bool = False  # the show ends when its chat has ended and was answered
    report: When = When.auto  # auto: when the show ends by itself
    seed: int = 0  # of what she does by chance; 0: a new one each time


def register() -> None:
    """Make `Config` the schema that conf/config.yaml extends."""
    ConfigStore.instance().store(name="schema", node=Config)
