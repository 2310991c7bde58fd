"""DECISION -> TEXT: one character's side of the conversation, laid out for the server's prefix cache.

Persona, rules and examples come first and never change by a byte; then the history, which only grows, and is
cut rarely and in one large step; the new line comes last. So a reply costs the prefill of its own line and
little else.
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from glue.events import ChatLine, Source
from glue.mind.clauses import cut
from glue.mind.persona import Persona
from glue.ports import Message, Prompt

MARKS = re.compile(r"<\|[^|]*\|?>|</?s>|\[/?INST\]|<</?SYS>>", re.IGNORECASE)
UNHEARD = "(nobody heard the answer)"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A line and what was heard of the answer."""

    asked: str
    heard: str


class Talk:
    """The `Mind` port: prompts from a persona and a history of what was heard."""

    def __init__(self, who: str, persona: Persona, voice: str, budget: int = 2400, seed: int = 0) -> None:
        """`budget`: characters of history before all but its newest fifth is dropped; `seed` 0: by chance."""
        self.voice = voice
        self._who = who
        self._persona = persona
        self._budget = budget
        self._seed = seed
        self._turns = 0
        self._history: list[Exchange] = []
        self._head = _head(persona)

    def prompt(self, line: ChatLine, recalled: Sequence[str]) -> Prompt:
        """What to ask for a reply to `line`; what is recalled stands behind all that is cached."""
        self._turns += 1
        asked = self._asked(line)
        if recalled:
            asked = f"(You remember: {' '.join(map(plain, recalled))})\n{asked}"
        return self._prompt(self._history, asked)

    def prefix(self, line: ChatLine | None = None, reply: str = "", likely: ChatLine | None = None) -> Prompt:
        """All of the next prompt but its line. An empty last message ends where the line will begin."""
        history = self._history
        if line is not None:
            history = self._kept([*history, Exchange(self._asked(line), reply or UNHEARD)])
        return self._prompt(history, self._asked(likely) if likely else "")

    def clauses(self, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
        """Cut her text into clauses that can be spoken."""
        return cut(pieces, self._persona.length, self._persona.name)

    def remember(self, line: ChatLine, heard: str, cut: bool) -> None:
        """Add an exchange; a reply that was cut ends in a dash."""
        reply = f"{heard.rstrip('.,;')}—" if cut and heard else heard
        self._history = self._kept([*self._history, Exchange(self._asked(line), reply or UNHEARD)])

    def _asked(self, line: ChatLine) -> str:
        if line.source is not Source.HERSELF:
            return f"{plain(line.author)}: {plain(line.text)}"
        # the id decides, so that the prompt and later the history name the same topic
        topic = random.Random(f"{line.id}{self._seed}").choice(self._persona.topics)
        return f"(Chat is quiet. {topic})"

    def _kept(self, history: list[Exchange]) -> list[Exchange]:
        """All of it, or, over the budget, the newest fifth: what is kept is evaluated again, in the time of
        one spoken reply (half of it took 4.5 s, and the next line waited for that)."""
        if sum(map(_size, history)) <= self._budget:
            return history
        kept = history[-1:]
        while (
            len(kept) < len(history)
            and sum(map(_size, kept)) + _size(history[-len(kept) - 1]) <= self._budget / 5
        ):
            kept = history[-len(kept) - 1 :]
        return kept

    def _prompt(self, history: Sequence[Exchange], asked: str) -> Prompt:
        messages = list(self._head)
        for exchange in history:
            messages += [Message("user", exchange.asked), Message("assistant", exchange.heard)]
        messages.append(Message("user", asked))
        persona = self._persona
        return Prompt(
            self._who,
            tuple(messages),
            max_tokens=persona.max_tokens,
            temperature=persona.temperature,
            seed=self._seed + self._turns if self._seed else None,
            stop=("\n",),
            sampling=persona.sampling,
        )


def _size(exchange: Exchange) -> int:
    return len(exchange.asked) + len(exchange.heard)


def _head(persona: Persona) -> tuple[Message, ...]:
    rules = "\n".join(f"- {rule}" for rule in persona.rules)
    messages = [Message("system", f"{persona.prompt.strip()}\n\n{rules}")]
    for shot in persona.shots:
        messages += [Message("user", f"{shot.author}: {shot.text}"), Message("assistant", shot.reply)]
    return tuple(messages)


def plain(text: str) -> str:
    """Viewers' text as data: one line, without the marks that a chat template is made of."""
    return " ".join(MARKS.sub(" ", text).split())
