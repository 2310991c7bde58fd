"""What the flow needs of its neighbours: one Protocol each. YAML names the adapters; only app builds them.

Every adapter is an async context manager: its constructor takes its YAML's keywords and does no I/O.
Iterators must be closed by whoever reads them (`contextlib.aclosing`): closing one on cancel is what makes
the server behind it stop working.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glue.events import ChatLine, Event

Pcm = NDArray[np.int16]  # mono, shape [samples]
Whose = Callable[[ChatLine], bool]  # whether a line is one viewer's


class Role(StrEnum):
    """What a request to the language model is for; config maps roles to servers and slots."""

    SPEECH = "speech"
    BACKGROUND = "background"  # gives way whenever a line is chosen
    ACT = "act"  # a decision in a game: gives way only while a reply's first words are written
    URGENT = "urgent"  # a decision that a game wants at once: gives way to nothing


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message; `role` is "system", "user" or "assistant" (the OpenAI wire's words)."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is asked. `who` picks the slot and the adapter; sampling is the persona's."""

    who: str
    messages: tuple[Message, ...]
    max_tokens: int = 120
    temperature: float = 0.8
    seed: int | None = None
    stop: tuple[str, ...] = ()
    sampling: Mapping[str, float | Mapping[str, float]] = field(default_factory=dict)  # the wire's words
    opening: str = ""  # the answer's first words, spoken already: only what follows them is asked for
    opening_ids: tuple[int, ...] = ()  # the very tokens of `opening`, where this model has them, too
    tell_ids: bool = False  # the answer's pieces are wanted as Sampled, where the server tells tokens
    schema: Mapping[str, Any] | None = None  # JSON schema that the answer, JSON then, has to follow


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts that the server reports at the end of an answer."""

    prompt_tokens: int
    cached_tokens: int
    answer_tokens: int


class Sampled(str):
    """A piece of an answer that knows which tokens it is."""

    __slots__ = ("ids",)
    ids: tuple[int, ...]

    def __new__(cls, text: str, ids: Sequence[int]) -> Sampled:
        piece = super().__new__(cls, text)
        piece.ids = tuple(ids)
        return piece


@dataclass(frozen=True, slots=True)
class Opened:
    """In an answer: here `text`, its first words, came from a small model; what follows continues it. The
    main model was given them as `tokens` token ids; 0: as text."""

    text: str
    tokens: int = 0


Piece = str | Usage | Opened


class Llm(Protocol):
    """A language model behind the OpenAI wire."""

    def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[Piece]:
        """Yield pieces of text, then one Usage. Closing it stops the server's decoding.

        Raises Unreachable, Refused, TooSlow (no first token, or a stall between two)."""

    async def warm(self, prompt: Prompt) -> int:
        """Prefill a prompt's prefix into `prompt.who`'s slot, generating nothing; returns tokens evaluated.

        Raises as stream()."""

    async def settle(self, prompt: Prompt) -> int:
        """As warm(), once at the start, where a server may know the prefix from an earlier start."""

    def still(self) -> AbstractContextManager[None]:
        """Around a moment before a reply that is prepared: nothing else is computed meanwhile."""

    async def count(self, text: str) -> int:
        """Tokens of a plain text, by the server's own tokenizer; 0 where the server cannot say."""


class Mind(Protocol):
    """One character's side of the conversation: lays out the prompt, keeps the history of what was heard."""

    voice: str  # the voice's name on the speech server

    def prompt(self, line: ChatLine, recalled: Sequence[str]) -> Prompt:
        """What to ask for a reply to `line`; everything before the line is byte-identical to prefix()."""

    def prefix(
        self,
        line: ChatLine | None = None,
        reply: str = "",
        likely: ChatLine | None = None,
        recalled: Sequence[str] = (),
    ) -> Prompt:
        """What can be prefilled before the next line is chosen (Llm.warm), given that `reply` to `line`,
        not yet in the history, is going to be heard in full; with what is `likely` chosen and `recalled`."""

    def clauses(self, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
        """Cut the model's text into clauses that can be spoken; ends a reply that runs on."""

    def aside(self, line: ChatLine) -> str:
        """What she adds to a line that is certain, which she has told as it is; "" for nothing."""

    def remember(self, line: ChatLine, heard: str, cut: bool) -> None:
        """Add an exchange to the history: what was heard of the reply; `cut` where she did not finish."""

    def overhear(self, name: str, line: ChatLine, said: str) -> None:
        """Another one of the cast, called `name`, `said` this to `line`: she knows it when she speaks next.
        Of what was said before that, and where it is "", nothing is left."""

    def shed(self) -> None:
        """Drop the history: the server refused a prompt with it."""

    def know(self, core: str) -> bool:
        """What stands in every prompt from the next cut of the history on; "" is obeyed at once. Returns
        whether the next prompt has it."""

    def forget(self, line_ids: Sequence[str], whose: Whose | None = None) -> None:
        """Drop these lines, all that are `whose()`, and the answers: they were removed, or forgotten."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A phoneme (IPA) or a word and when it is heard, in seconds from the start of its clause."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Speech:
    """A chunk of a clause's sound. The timings that came with it are relative to the clause's start."""

    pcm: Pcm
    phonemes: tuple[Timed, ...] = ()
    words: tuple[Timed, ...] = ()
    beside: Pcm | None = None  # as many samples: heard with it, and they move no mouth


class Tts(Protocol):
    """A voice behind the Riva wire."""

    def speak(self, text: str, voice: str) -> AsyncIterator[Speech]:
        """Yield a clause's sound in order, at the show's sample rate. Closing it stops the synthesis.

        Raises Unreachable, Refused, TooSlow (no first chunk in time, or a stall)."""


@dataclass(frozen=True, slots=True)
class Words:
    """What was understood of somebody's speech: so far, or, where it is `final`, of a whole utterance."""

    text: str
    final: bool
    until: float | None = None  # when the speaker fell silent, show clock; None: nobody says


class Asr(Protocol):
    """Ears behind the Riva wire."""

    def listen(self, sound: AsyncIterator[Pcm]) -> AsyncIterator[Words]:
        """Yield what is understood of `sound` (mono, 16 kHz, as it comes) until that ends. Closing it stops
        the recognition, and closes `sound`. No words, Words("", False), once it has heard for a while.

        Raises Unreachable, Refused, TooSlow."""


class Stand(Protocol):
    """One character's place on stage: takes her words and their sound, and knows what has been heard."""

    def enter(self, turn: str, audible: Callable[[float], None]) -> None:
        """A reply begins; `audible(at)` is told once when its first content sample leaves."""

    async def play(self, index: int, text: str, speech: Speech) -> None:
        """Add a chunk of clause `index`; waits while about a second is queued already."""

    async def finished(self) -> None:
        """Wait until all that was played has been heard."""

    def cut(self) -> None:
        """Silence, now. What was not heard yet is gone."""

    def heard(self) -> str:
        """The words of this reply that have been heard so far."""

    def played(self) -> float:
        """Seconds of this reply's sound that have been heard so far."""

    def gaps(self) -> tuple[float, ...]:
        """Seconds of silence between the clauses of this reply."""


class Fact(str):
    """Something that she knows for certain. Her answer begins with `said`, word for word: a small model that
    is only told of it says something else."""

    __slots__ = ("said",)
    said: str

    def __new__(cls, text: str, said: str = "") -> Fact:
        fact = super().__new__(cls, text)
        fact.said = said
        return fact


class Output(Protocol):
    """A place that sound goes to, behind the mixer. It never paces the show: the mixer's clock does."""

    def play(self, pcm: Pcm, at: float) -> None:
        """Take a block (10 ms) that becomes audible at `at` (show clock, seconds). Must not block."""

    def flush(self, at: float) -> None:
        """Drop everything that was handed over and is not audible yet at `at`."""

    def latency(self) -> float:
        """Seconds between play() and the sound; 0 for what cannot know."""


class Avatar(Protocol):
    """A face behind the VTube Studio wire."""

    def pose(self, values: Mapping[str, float]) -> None:
        """Set parameters (VTube Studio's input names) for the next tick; the newest wins. Never blocks."""

    async def express(self, name: str, active: bool) -> None:
        """Switch an expression on or off. Raises Refused for one that the model lacks."""


class Viewer(Protocol):
    """Somebody who watches the events: the console page, the terminal, the journal."""

    def show(self, event: Event) -> None:
        """Take note of an event. Must not block and must not raise for a slow reader."""


class Taker(Protocol):
    """Somebody whom some lines are for, and not her."""

    def wants(self, line: ChatLine) -> bool:
        """Whether `line` is such a one. Nothing is done with it."""

    def takes(self, line: ChatLine) -> bool:
        """Whether `line` is such a one; it is taken then, and not answered. Must not block."""


class Sense(Protocol):
    """A part of the world that makes events."""

    def events(self) -> AsyncIterator[Event]:
        """Yield what happened, for ever; ends when its source has ended. A sense that is no chat and has no
        end says `endless = True`: a show that ends with its chat does not wait for it."""


def ends(sense: Sense) -> bool:
    """Whether a show that ends with its chat waits for this sense."""
    return not getattr(sense, "endless", False)
