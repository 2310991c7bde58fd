"""Neighbours for the core's tests: scripted, and as slow as they are told, in virtual time."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
import numpy as np

from glue.events import ChatLine, Event, Source
from glue.gate import Gate
from glue.member import Member
from glue.ports import Message, Prompt, Role, Speech, Usage, Whose
from glue.settings import TurnSettings
from glue.stage.mixer import Mixer
from glue.stage.stand import together
from glue.stage.track import Track
from glue.turn import Turn

RATE = 24000


def line(text: str = "Hi Spark!", author: str = "mika", id: str = "l1") -> ChatLine:
    return ChatLine(id, author, text, Source.CONSOLE)


@dataclass
class Tape:
    """An Output that keeps what it was given."""

    blocks: list[tuple[float, np.ndarray]] = field(default_factory=list)
    flushed: list[float] = field(default_factory=list)

    def play(self, pcm: np.ndarray, at: float) -> None:
        self.blocks.append((at, pcm))

    def flush(self, at: float) -> None:
        self.flushed.append(at)

    def latency(self) -> float:
        return 0.0


@dataclass
class SlowLlm:
    """Says its words one by one; `closed` counts the answers that were closed before their end."""

    words: Sequence[str] = ("Oh ", "hello ", "Mika. ", "Nice ", "hat ", "today.")
    first: float = 0.2
    each: float = 0.03
    fails: Exception | None = None
    closed: int = 0
    warmed: list[Prompt] = field(default_factory=list)
    asked: list[Prompt] = field(default_factory=list)
    stilled: list[tuple[float, float]] = field(default_factory=list)  # from, until

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
        done = False
        self.asked.append(prompt)
        try:
            await anyio.sleep(self.first)
            for word in self.words:
                yield word
                await anyio.sleep(self.each)
            if self.fails is not None:
                raise self.fails
            yield Usage(100, 80, 20)
            done = True
        finally:
            self.closed += not done

    async def warm(self, prompt: Prompt) -> int:
        self.warmed.append(prompt)
        return 0

    async def settle(self, prompt: Prompt) -> int:
        return await self.warm(prompt)

    @contextmanager
    def still(self) -> Iterator[None]:
        began = anyio.current_time()
        try:
            yield
        finally:
            self.stilled.append((began, anyio.current_time()))

    async def count(self, text: str) -> int:
        return len(text.split())


@dataclass
class SlowTts:
    """A tone of `word` seconds a word, in three chunks."""

    first: float = 0.1
    word: float = 0.3
    fails: Exception | None = None
    spoken: list[str] = field(default_factory=list)
    closed: int = 0

    async def speak(self, text: str, voice: str) -> AsyncIterator[Speech]:
        done = False
        try:
            await anyio.sleep(self.first)
            self.spoken.append(text)
            if self.fails is not None:
                raise self.fails
            for _ in range(3 * len(text.split())):
                yield Speech(np.full(round(RATE * self.word / 3), 8000, np.int16))
                await anyio.sleep(0.01)
            done = True
        finally:
            self.closed += not done


class PlainMind:
    """A mind that cuts at full stops and keeps what it is told."""

    voice = "voice"

    def __init__(self, says: str = "") -> None:
        self.says = says  # behind what happened
        self.history: list[tuple[str, str, bool]] = []
        self.forgotten: list[str] = []
        self.overheard = ""

    def prompt(self, line: ChatLine, recalled: Sequence[str]) -> Prompt:
        known = [Message("system", each) for each in recalled]
        return Prompt("main", (Message("user", f"{line.author}: {line.text}"), *known))

    def prefix(
        self,
        line: ChatLine | None = None,
        reply: str = "",
        likely: ChatLine | None = None,
        recalled: Sequence[str] = (),
    ) -> Prompt:
        asked = " ".join([*recalled, likely.text if likely else ""])
        return Prompt("main", (Message("assistant", reply), Message("user", asked)))

    async def clauses(self, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
        text = ""
        async for piece in pieces:
            text += piece
            if text.rstrip().endswith("."):
                yield text.strip()
                text = ""
        if text.strip():
            yield text.strip()

    def aside(self, line: ChatLine) -> str:
        return self.says

    def remember(self, line: ChatLine, heard: str, cut: bool) -> None:
        self.history.append((line.text, heard, cut))

    def overhear(self, name: str, line: ChatLine, said: str) -> None:
        self.overheard = said and f"{name}: {said}"

    def shed(self) -> None:
        self.history.clear()

    def know(self, core: str) -> bool:
        """She lives in the moment."""
        return False

    def forget(self, line_ids: Sequence[str], whose: Whose | None = None) -> None:
        self.forgotten += line_ids


@dataclass
class NoMemory:
    takes: float = 0.0
    knows: Sequence[str] = ()  # at every line

    async def recall(self, who: str, line: ChatLine) -> Sequence[str]:
        await anyio.sleep(self.takes)
        return self.knows


class PlainStand:
    """A Stand on a real track and mixer; a word is heard when its `word` seconds have been."""

    def __init__(self, mixer: Mixer, word: float = 0.3) -> None:
        self.word = word
        self.mixer = mixer
        self.track: Track = mixer.track()
        self._text: list[str] = []
        self._begun: set[int] = set()
        self._first = 0
        self._since = 0.0

    def enter(self, turn: str, audible: Callable[[float], None]) -> None:
        self._begun = set()
        self._text, self._first, self._since = [], self.track.written, anyio.current_time()
        self.track.on_audible(audible)

    async def play(self, index: int, text: str, speech: Speech) -> None:
        if index not in self._begun:
            self._begun.add(index)
            self._text.append(text)
        await self.track.write(together(speech))

    async def finished(self) -> None:
        await self.track.drained(0.0)

    def cut(self) -> None:
        self.mixer.flush(self.track)

    def heard(self) -> str:
        seconds = self.played()
        return " ".join(" ".join(self._text).split()[: int(seconds / self.word + 1e-3)])

    def played(self) -> float:
        return self.track.audible(anyio.current_time()) - self._first / RATE

    def gaps(self) -> tuple[float, ...]:
        return tuple(self.track.silences(self._since))


@dataclass
class Scene:
    """A character with all her neighbours, and a tape of what happened."""

    llm: SlowLlm = field(default_factory=SlowLlm)
    tts: SlowTts = field(default_factory=SlowTts)
    mind: PlainMind = field(default_factory=PlainMind)
    memory: NoMemory = field(default_factory=NoMemory)
    gate: Gate = field(default_factory=Gate)
    tape: Tape = field(default_factory=Tape)
    settings: TurnSettings = field(default_factory=TurnSettings)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mixer = Mixer([self.tape], RATE, ahead=1.0)
        self.stand = PlainStand(self.mixer, self.tts.word)

    def member(self) -> Member:
        return Member("main", self.mind, self.llm, self.tts, self.memory, self.gate, self.stand)

    def turn(self, said: ChatLine | None = None) -> Turn:
        return Turn("t1", self.member(), said or line(), self.settings, self.events.append)
