"""DECISION -> TEXT: one character's side of the conversation, laid out for the server's prefix cache.

Persona, rules and examples come first and never change by a byte; then the history, which only grows, and is
cut rarely and in one large step; the new line comes last. So a reply costs the prefill of its own line and
little else.
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from glue.events import ChatLine, Source
from glue.mind.clauses import cut
from glue.mind.persona import Persona
from glue.ports import Message, Prompt, Whose

Scrolled = Callable[[Sequence[tuple[ChatLine, str]]], None]  # lines and what was heard of the answers
MARKS = re.compile(r"<\|[^|]*\|?>|</?s>|\[/?INST\]|<</?SYS>>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A line, as it is `asked`, and what was heard of the answer."""

    asked: str
    heard: str
    line: ChatLine | None = None


class Talk:
    """The `Mind` port: prompts from a persona and a history of what was heard."""

    def __init__(
        self,
        who: str,
        persona: Persona,
        voice: str,
        budget: int = 2400,
        seed: int = 0,
        scrolled: Scrolled = lambda said: None,
    ) -> None:
        """`budget`: bytes of history before all but its newest fifth is dropped; `seed` 0: by chance;
        `scrolled` is handed what is dropped."""
        self.voice = voice
        self._who = who
        self._persona = persona
        self._budget = budget
        self._seed = seed
        self._scrolled = scrolled
        self._turns = 0
        self._history: list[Exchange] = []
        self._head = _head(persona)
        self._core = self._next = ""
        self._topic = ""
        self.steer()

    def steer(self, topic: str = "", mood: str = "") -> None:
        """What she talks about and how she feels, from the next reply on; "" is as she likes. It stands with
        the nudge, just before the line: what is cached before it stays as it is."""
        topic, mood = plain(topic), plain(mood)
        notes = [f"(Tonight's topic: {topic}.)"] if topic else []
        notes += [f"({self._persona.name} is in a {mood} mood now.)"] if mood else []
        self._topic = topic
        self._nudge = "".join(f"{note}\n" for note in [*notes, self._persona.nudge] if note)

    def prompt(self, line: ChatLine, recalled: Sequence[str]) -> Prompt:
        """What to ask for a reply to `line`; what is recalled stands behind all that is cached."""
        self._turns += 1
        return self._prompt(self._history, self._asked(line, recalled), self._core)

    def prefix(
        self,
        line: ChatLine | None = None,
        reply: str = "",
        likely: ChatLine | None = None,
        recalled: Sequence[str] = (),
    ) -> Prompt:
        """All of the next prompt but its line: the last message ends where the line will begin."""
        history, core = self._history, self._core
        if line is not None and reply:
            longer = [*history, Exchange(self._asked(line), reply)]
            history = self._kept(longer)
            core = self._next if len(history) < len(longer) else core
        return self._prompt(history, self._asked(likely, recalled) if likely else self._nudge, core)

    def clauses(self, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
        """Cut her text into clauses that can be spoken."""
        return cut(pieces, self._persona.length, self._persona.name)

    def remember(self, line: ChatLine, heard: str, cut: bool) -> None:
        """Add an exchange; a reply that was cut ends in a dash. Where nothing was heard, no trace is left:
        a small model that reads of unanswered lines goes on to answer none."""
        reply = f"{heard.rstrip('.,;')}—" if cut else heard
        if heard:
            longer = [*self._history, Exchange(self._asked(line), reply, line)]
            self._history = self._kept(longer)
            if left := longer[: len(longer) - len(self._history)]:
                self._core = self._next
                self._leave(left)

    def shed(self) -> None:
        """The server refused the prompt, most likely for its length: go on without what was said. A line in
        a rare script has up to three tokens a character, and one that fails must not fail every later one."""
        left, self._history = self._history, []
        self._leave(left)

    def _leave(self, left: Sequence[Exchange]) -> None:
        self._scrolled([(each.line, each.heard) for each in left if each.line is not None])

    def forget(self, line_ids: Sequence[str], whose: Whose | None = None) -> None:
        """See ports.Mind. What comes after the exchanges is evaluated again, once."""

        def gone(exchange: Exchange) -> bool:
            parts = exchange.line.parts if exchange.line else ()
            return any(part.id in line_ids or (whose is not None and whose(part)) for part in parts)

        self._history = [exchange for exchange in self._history if not gone(exchange)]

    def know(self, core: str) -> bool:
        """What she knows at any time, behind the examples. It changes when the history is cut, for then all
        that stands behind it is evaluated anyway; what has to be forgotten (`core` "") is gone at once.
        Returns whether the next prompt has it."""
        self._next = core
        if not core or not self._history:
            self._core = core
        return self._core == core

    def _asked(self, line: ChatLine, recalled: Sequence[str] = ()) -> str:
        memory = f"(You remember: {' '.join(map(plain, recalled))})\n" if recalled else ""
        return f"{self._nudge}{memory}{self._said(line)}"

    def _said(self, line: ChatLine) -> str:
        if line.source is Source.EYES:
            return f'(Chat is quiet. On the screen: "{quoted(line.text)}". Make a short remark about it.)'
        if line.deed:
            return f"(Thank them in one short sentence, by name: {plain(line.author)} {plain(line.text)})"
        if line.source is Source.GAME:
            game, happened = plain(line.author), plain(line.text)
            # what happened comes last: a small model repeats what it read last
            return f"(You play {game}. Tell chat in one short sentence just what happened: {happened})"
        if line.source is not Source.HERSELF:
            return f"{plain(line.author)}: {plain(line.text)}"
        if line.text:  # something that she should tell chat
            return f"({line.text})"
        if self._topic:
            return f"(Chat is quiet. Say something about {self._topic}.)"
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

    def _prompt(self, history: Sequence[Exchange], asked: str, core: str) -> Prompt:
        later: list[Message] = []
        for exchange in history:
            later += [Message("user", exchange.asked), Message("assistant", exchange.heard)]
        later.append(Message("user", asked))
        if core:
            later[0] = Message("user", f"{core}\n{later[0].content}")
        messages = (*self._head, *later)
        persona = self._persona
        return Prompt(
            self._who,
            messages,
            max_tokens=persona.max_tokens,
            temperature=persona.temperature,
            seed=self._seed + self._turns if self._seed else None,
            stop=("\n",),
            sampling=persona.sampling,
        )


def _size(exchange: Exchange) -> int:
    """Bytes: a token is four letters of English, and hardly more than one of Burmese."""
    return len(exchange.asked.encode()) + len(exchange.heard.encode())


def _head(persona: Persona) -> tuple[Message, ...]:
    rules = "\n".join(f"- {rule}" for rule in persona.rules)
    messages = [Message("system", f"{persona.prompt.strip()}\n\n{rules}")]
    for shot in persona.shots:
        messages += [Message("user", f"{shot.author}: {shot.text}"), Message("assistant", shot.reply)]
    return tuple(messages)


def plain(text: str) -> str:
    """Viewers' text as data: one line, without the marks that a chat template is made of."""
    return " ".join(MARKS.sub(" ", text).split())


def quoted(text: str) -> str:
    """What stands on a screen, kept inside its quotation marks: it may want to be an instruction."""
    return plain(re.sub(r"[\"()\[\]{}<>`“”„]", " ", text))
