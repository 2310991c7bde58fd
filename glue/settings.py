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

    # What she is called beside her persona's name and, on Twitch, her account's: nicknames, a YouTube handle.
    # Whoever writes one calls her; a line that begins with another @name, or commands a bot, is not for her.
    aliases: list[str] = field(default_factory=list)
    inbox: int = 200  # lines that may wait; beyond it the least interesting one is dropped
    patience: float = 45.0  # a line that waited this long is let go
    bar: float = 0.6  # a line below this score is left alone while chat is lively ...
    lull: float = 4.0  # ... and answered all the same after this much quiet
    burst: int = 4  # lines of one author within `burst_window`; more is spam, of a supporter twice as many
    burst_window: float = 5.0
    repeat_window: float = 30.0  # the same viewer's same words again within this are a duplicate ...
    wave: int = 8  # ... and anybody's, where so many lines came within `burst_window`: a wave of copies
    thanks: float = 3.0  # a supporter waits so long before what she says is cut: thanks are heard within 5 s
    listen: float = 1.5  # after the last word of somebody who speaks, until others are answered again
    listen_most: float = 20.0  # of one who does not stop: then others are answered, beside them
    lonely: float = 25.0  # quiet before she speaks by herself; each time without an answer it grows
    lonely_most: float = 180.0
    banter: float = 40.0  # since two of the cast last talked to each other, before they do again; 0: never
    banter_depth: int = 2  # replies to each other, one behind the other
    # quiet before one answers what the other just said; a viewer's line comes first
    banter_after: float = 2.0
    glance: float = 6.0  # quiet before she remarks on what she sees; a waiting line comes first
    glance_fresh: float = 20.0  # what she saw longer ago is no matter for a remark
    glance_apart: float = 45.0  # between two remarks on what she sees
    waits: bool = False  # true: the show stays at its starting scene until the operator's Go
    greets: When = When.auto  # when the show goes live; auto: unless it ends with its chat
    goodbye: float = 20.0  # at the end, at most for thanks that are due, and once more for her goodbye
    ending: float = 5.0  # that the ending scene is on before stream and recording are stopped


@dataclass
class TurnSettings:
    """One reply. Times in seconds."""

    ahead: int = 2  # clauses that may be written before they are spoken
    recall_within: float = 0.05  # what is remembered later than this does not hold up the reply
    tries: int = 2  # answers that are asked for when the gate holds all of the first
    goes_on: bool = False  # behind what happened in a game: a model that invents nothing; else an aside
    reply_within: float = 60.0  # a reply that takes longer is cut
    held_within: float = 120.0  # a clause that the operator holds and forgets is left out
    anyway_within: float = 30.0  # what the gate refused may be said after all


@dataclass
class StageSettings:
    """Sound and picture."""

    rate: int = 24000  # samples a second, everywhere between the voice and the outputs
    ahead: float = 1.0  # seconds of speech that may wait in front of the mixer
    delay: float = 0.0  # broadcast delay, 0 to 10 seconds, that the operator can dump
    tick_hz: float = 60.0  # the avatar while she speaks
    idle_hz: float = 30.0  # and while she does not
    away: str = "Be right back!"  # the caption while the operator has stopped everything in alarm
    lead: float = 0.03  # the mouth is asked this far ahead of the sound: a tick and a drawn frame
    # folder of the operator's sounds, NAME.wav each, for /play NAME and the desk; empty: none
    sounds: str = ""
    sounds_gain: float = 0.7  # their loudness; 1: as the file is
    # folder of songs that she sings: NAME.wav, with NAME.backing.wav and NAME.lrc or without; empty: none
    songs: str = ""
    songs_gain: float = 0.7  # their loudness, vocals and accompaniment; 1: as the files are
    songs_asked: bool = True  # chat may ask for one, by its name: "!sing NAME"; "!songs" lists them
    songs_again: float = 900.0  # seconds after which chat may have the same song again
    songs_apart: float = 180.0  # and between two songs of chat's


@dataclass
class EngineSettings:
    """The engines that the show starts itself."""

    start: bool = True  # false: they run already, here or elsewhere
    ready_within: float = 120.0
    services: list[str] = field(default_factory=list)  # of engines/compose.yaml; started, and left running


@dataclass
class CheckSettings:
    """The doctor: +show=check."""

    run: bool = False
    json: str = ""  # a file that gets its lines


@dataclass
class ObsSetupSettings:
    """Scenes and sources put into a running OBS (`+show=obs_setup`)."""

    run: bool = False
    collection: str = "Spark VTuber"  # a scene collection of its own; empty: the one that is on
    game: str = ""  # address of a page that shows the game; empty: chess' or Minecraft's, else a capture
    twins: list[str] = field(default_factory=lambda: ["main", "evil"])  # left and right where two are on


@dataclass
class EyesSettings:
    """What she looks at, with vision=local or vision=cuda. Times in seconds."""

    # screen, screen:2, obs, obs:SOURCE, a picture that is written again, a folder of them
    source: str = "screen"
    every_s: float = 1.0  # between two looks
    apart_s: float = 10.0  # between two sights, at least
    changed: float = 0.02  # share of the picture that must differ from the last sight


@dataclass
class RehearsalSettings:
    """A chat log played against the real engines (`+show=rehearsal`)."""

    log: str = ""  # JSON lines of t, author, text; empty: the one that is shipped
    minutes: float = 0.0  # loop the log for so long; 0: once
    lines: int = 0  # only the first lines of it; 0: all
    floor: bool = True  # measure the bare loop between the turns
    busy: bool = False  # keep the background lane busy meanwhile
    # made-up ones in a memory of the run's own, with memory=milvus; 0: her real memory
    memory_entries: int = 0
    memory_every: int = 1  # at every so many lines she recalls; 2: with and without, line by line


@dataclass
class SafetySettings:
    """What may come in and go out (conf/safety says what each is). Times in seconds; a limit of 0 is none."""

    screen: bool = True
    swearing: bool = False
    blocked: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    desk: str = ""
    wall: int = 400
    doubt: float = 0.95
    allowed: list[str] = field(default_factory=list)
    overall: float = 60.0
    strikes: int = 3
    strike_window: float = 120.0
    timeout: float = 120.0
    slow_above: float = 6.0
    slow_window: float = 10.0
    slow_gap: float = 15.0
    topics: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class BaitExamSettings:
    """The ban-bait exam (`+show=bait_exam`)."""

    run: bool = False
    # always: lines that pass the screen are answered by the model, too; where its words do not say whether an
    # answer obeys, it is listed in report.json to be read, and counts as not held
    model: When = When.never
    file: str = ""  # JSON lines of text, family, benign; empty: the ones that are shipped
    part: str = "all"  # of the shipped ones: tuned (two thirds), held_out (the rest), all
    lines: int = 0  # of each family and kind at most; 0: all


@dataclass
class MemoryExamSettings:
    """The memory exam (`+show=memory_exam`)."""

    run: bool = False
    model: When = When.never  # always: lines pass the filters first, and the model answers the questions, too
    viewers: int = 300
    lines: int = 20_000  # of chat, in a year
    questions: int = 60  # of each of the five kinds, at most
    sizes: list[int] = field(default_factory=lambda: [1000, 20_000])  # at which recall is timed


@dataclass
class Config:
    """All top-level keys; the groups' own keys are checked against their adapters' signatures."""

    llm: dict[str, Any] = field(default_factory=dict)
    speech: dict[str, Any] = field(default_factory=dict)
    avatar: dict[str, Any] = field(default_factory=dict)
    console: dict[str, Any] = field(default_factory=dict)
    asr: dict[str, Any] = field(default_factory=dict)
    ears: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    embeddings: dict[str, Any] = field(default_factory=dict)  # what others are told of it, and its engine
    captions: dict[str, Any] = field(default_factory=dict)
    broadcast: dict[str, Any] = field(default_factory=dict)
    speaker: dict[str, Any] = field(default_factory=dict)
    chat: dict[str, Any] = field(default_factory=dict)
    games: dict[str, Any] = field(default_factory=dict)
    chess: dict[str, Any] = field(default_factory=dict)
    minecraft: dict[str, Any] = field(default_factory=dict)  # only what specs and its exam read
    cast: dict[str, Any] = field(default_factory=dict)
    pace: dict[str, Any] = field(default_factory=dict)  # what specs reads, and the voice and goals
    vision: dict[str, Any] = field(default_factory=dict)
    director: DirectorSettings = field(default_factory=DirectorSettings)
    turn: TurnSettings = field(default_factory=TurnSettings)
    stage: StageSettings = field(default_factory=StageSettings)
    engines: EngineSettings = field(default_factory=EngineSettings)
    check: CheckSettings = field(default_factory=CheckSettings)
    safety: SafetySettings = field(default_factory=SafetySettings)
    bait_exam: BaitExamSettings = field(default_factory=BaitExamSettings)
    memory_exam: MemoryExamSettings = field(default_factory=MemoryExamSettings)
    obs_setup: ObsSetupSettings = field(default_factory=ObsSetupSettings)
    eyes: EyesSettings = field(default_factory=EyesSettings)
    rehearsal: RehearsalSettings = field(default_factory=RehearsalSettings)
    ends_with_chat: bool = False  # the show ends when its chat has ended and was answered
    report: When = When.auto  # auto: unless it is ended by Ctrl-C; always: then, too
    seed: int = 0  # of what she does by chance; 0: a new one each time


def register() -> None:
    """Make `Config` the schema that conf/config.yaml extends."""
    ConfigStore.instance().store(name="schema", node=Config)
