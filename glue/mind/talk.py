"""DECISION -> TEXT: one character's side of the conversation, laid out for the server's prefix cache.

Persona, rules and examples come first and never change by a byte; then the history, which only grows, and is
cut rarely and in one large step; the new line comes last. So a reply costs the prefill of its own line and
little else.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from glue.chat_events import SAYING
from glue.events import ChatLine, Source
from glue.mind.asides import Asides
from glue.mind.clauses import cut
from glue.mind.persona import Persona
from glue.mind.topics import Topics
from glue.news import UNSPOKEN
from glue.ports import Message, Prompt, Whose
from glue.sight_events import unquoted
from glue.template_marks import unmarked

Scrolled = Callable[[Sequence[tuple[ChatLine, str]]], None]  # lines and what was heard of the answers
TRACE = 160  # characters of what another one of the cast said
RETORT = 2  # sentences at most of an answer to that
BRACKETS = re.compile(r"[()\[\]\uff08\uff09\uff3b\uff3d]")  # notes of ours stand in them
OPENED = re.compile(r"(?<![:;=8'-])[(\[\uff08\uff3b]|[(\[\uff08\uff3b]\w")  # and no smiley's mouth
WORDED, WORDS = 2, 120  # of viewers who are thanked together: whose words she answers, and characters of each


@dataclass(frozen=True, slots=True)
class Trace:
    """A `note` of what another one of the cast said to `line`, which it may have to be forgotten with."""

    note: str
    line: ChatLine


@dataclass(frozen=True, slots=True)
class Exchange:
    """A line, as it is `asked`, and what was heard of the answer; what another one had said `before`."""

    asked: str
    heard: str
    line: ChatLine | None = None
    before: Trace | None = None

    @property
    def content(self) -> str:
        """What stands in the prompt."""
        return f"{self.before.note if self.before else ''}{self.asked}"


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
        self._asides = Asides(persona.asides, seed)
        self._core = self._next = ""
        self._length = persona.length  # of the reply in work
        self._trace: Trace | None = None  # what another one said since she last spoke
        self._topics = Topics(persona.topics, seed)
        self.steer()

    def steer(self, topic: str = "", mood: str = "") -> None:
        """What she talks about and how she feels, from the next reply on; "" is as she likes. It stands with
        the nudge, just before the line: what is cached before it stays as it is."""
        topic, mood = plain(topic), plain(mood)
        notes = [f"(Tonight's topic: {topic}.)"] if topic else []
        notes += [f"({self._persona.name} is in a {mood} mood now.)"] if mood else []
        self._topics.steer(topic)
        self._nudge = "".join(f"{note}\n" for note in [*notes, self._persona.nudge] if note)
        banter = self._persona.banter or self._persona.nudge
        self._retort = "".join(f"{note}\n" for note in [*notes, banter] if note)

    def prompt(self, line: ChatLine, recalled: Sequence[str]) -> Prompt:
        """What to ask for a reply to `line`; what is recalled stands behind all that is cached."""
        self._turns += 1
        self._length = self._persona.length
        if line.source is Source.TWIN:  # viewers wait for what they say to each other
            self._length = replace(self._length, sentences=min(self._length.sentences, RETORT))
        asked = Exchange(self._asked(line, recalled), "", line, self._before(line))
        return self._prompt(self._history, asked.content, self._core)

    def prefix(
        self,
        line: ChatLine | None = None,
        reply: str = "",
        likely: ChatLine | None = None,
        recalled: Sequence[str] = (),
    ) -> Prompt:
        """All of the next prompt but its line: the last message ends where the line will begin."""
        history, core, trace = self._history, self._core, self._trace
        if line is not None and reply:
            longer = [*history, Exchange(self._asked(line), reply, before=self._before(line))]
            history = self._kept(longer)
            core = self._next if len(history) < len(longer) else core
            trace = trace if line.certain else None
        before = trace if likely is None or _takes(likely) else None
        asked = self._asked(likely, recalled) if likely else self._nudge
        return self._prompt(history, Exchange(asked, "", before=before).content, core)

    def aside(self, line: ChatLine) -> str:
        """See ports.Mind."""
        return self._asides.after(line.text)

    def clauses(self, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
        """Cut her text into clauses that can be spoken."""
        return cut(pieces, self._length, self._persona.name)

    def remember(self, line: ChatLine, heard: str, cut: bool) -> None:
        """Add an exchange; a reply that was cut ends in a dash. Where nothing was heard, no trace is left:
        a small model that reads of unanswered lines goes on to answer none."""
        reply = f"{heard.rstrip('.,;')}—" if cut else heard
        if heard:
            longer = [*self._history, Exchange(self._asked(line), reply, line, self._before(line))]
            self._history = self._kept(longer)
            self._trace = self._trace if line.certain else None
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

        def of(trace: Trace | None) -> Trace | None:
            return None if trace and gone(Exchange("", "", trace.line)) else trace

        left = [exchange for exchange in self._history if not gone(exchange)]
        self._history = [replace(exchange, before=of(exchange.before)) for exchange in left]
        self._trace = of(self._trace)

    def overhear(self, name: str, line: ChatLine, said: str) -> None:
        """See ports.Mind. A note of it stands before her next line, and stays there with that."""
        words = inside(said)
        words = words if len(words) <= TRACE else f"{words[:TRACE].rpartition(' ')[0]}..."
        whom = inside(line.author) if line.source not in UNSPOKEN else "chat"
        whom = "you" if line.source is Source.TWIN and line.author == self._persona.name else whom
        self._trace = Trace(f"({name} just told {whom}: {words})\n", line) if said else None

    def _before(self, line: ChatLine) -> Trace | None:
        return self._trace if _takes(line) else None

    def know(self, core: str) -> bool:
        """What she knows at any time, behind the examples. It changes when the history is cut, for then all
        that stands behind it is evaluated anyway; what has to be forgotten (`core` "") is gone at once.
        Returns whether the next prompt has it."""
        self._next = core
        if not core or not self._history:
            self._core = core
        return self._core == core

    def _asked(self, line: ChatLine, recalled: Sequence[str] = ()) -> str:
        if line.certain:  # nobody is asked, so that few words say what it was: those behind it wait for them
            return f"(You play {inside(line.author)}.)"
        memory = f"(You remember: {' '.join(map(inside, recalled))})\n" if recalled else ""
        nudge = self._retort if line.source is Source.TWIN else self._nudge
        return f"{nudge}{memory}{self._said(line)}"

    def _said(self, line: ChatLine) -> str:
        if line.source is Source.EYES:
            return f'(Chat is quiet. On the screen: "{quoted(line.text)}". Make a short remark about it.)'
        if line.deed:
            return thanks(line)
        if line.source is Source.GAME:
            game, happened = inside(line.author), inside(line.text)
            # what happened comes last: a small model repeats what it read last
            return f"(You play {game}. Tell chat in one short sentence just what happened: {happened})"
        if line.source is not Source.HERSELF:
            return f"{inside(line.author)}: {chatted(line.text)}"
        if line.text:  # something that she should tell chat
            return f"({line.text})"
        return f"(Chat is quiet. {self._topics.of(line.id)})"

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
            later += [Message("user", exchange.content), Message("assistant", exchange.heard)]
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
    return len(exchange.content.encode()) + len(exchange.heard.encode())


def _takes(line: ChatLine) -> bool:
    """Whether it is asked with what another one said before; that is all that one who answers her is asked,
    and few words stand before what is certain."""
    return not line.certain and line.source is not Source.TWIN


def _head(persona: Persona) -> tuple[Message, ...]:
    rules = "\n".join(f"- {rule}" for rule in persona.rules)
    messages = [Message("system", f"{persona.prompt.strip()}\n\n{rules}")]
    for shot in persona.shots:
        messages += [Message("user", f"{shot.author}: {shot.text}"), Message("assistant", shot.reply)]
    return tuple(messages)


def thanks(line: ChatLine) -> str:
    """The note for a deed. What the giver wrote with it comes last, quoted: it may be a question, and whoever
    paid for one gets an answer."""
    who, did = inside(line.author), inside(line.text.partition(SAYING)[0])
    said: dict[str, tuple[str, str]] = {}  # viewer -> name and words
    for part in line.parts:
        if words := quoted(part.text.partition(SAYING)[2]):
            said.setdefault(part.viewer, (quoted(part.author), words))
    if not said:
        return f"(Thank them in one short sentence, by name: {who} {did})"
    theirs = [f'{name}: "{words[:WORDS].rstrip()}"' for name, words in list(said.values())[:WORDED]]
    words = ", ".join(theirs) if line.joined else f'"{next(iter(said.values()))[1]}"'
    return f"(Thank {who}, who {did}, by name, and answer their words: {words})"


def plain(text: str) -> str:
    """Viewers' text as data: one line, without the marks that a chat template is made of."""
    return " ".join(unmarked(text).split())


def inside(text: str) -> str:
    """What stands in a note of ours, or is a name: it can neither end that note nor begin one."""
    return " ".join(BRACKETS.sub(" ", unmarked(text)).split())


def chatted(text: str) -> str:
    """A viewer's words behind their name: without brackets, where these open more than a smiley."""
    return inside(text) if OPENED.search(text) else plain(text)


def quoted(text: str) -> str:
    """What stands on a screen, kept inside its quotation marks: it may want to be an instruction."""
    return inside(unquoted(unmarked(text)))
