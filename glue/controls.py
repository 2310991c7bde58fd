"""The operator's wishes, tied to what they act on: part of the composition root, beside app.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import anyio

from glue import curbs
from glue.booth import Booth, Deed, seconds_of
from glue.called import given
from glue.carrier import NO_MEMORY, Carrier
from glue.course import Course
from glue.cues import Cues, Script
from glue.desk_events import Wish
from glue.director import Director
from glue.errors import Declined
from glue.events import ChatLine, Source
from glue.health import Health
from glue.jukebox import Jukebox
from glue.lookup import Lookup
from glue.memory_ports import Memories
from glue.parts import Parts
from glue.ports import Whose
from glue.safety.blocklist import Blocklist
from glue.safety.door import Door
from glue.stage.board import Board
from glue.stage.mixer import Mixer
from glue.stage.mood import Mood
from glue.telling import FORGOTTEN, line_of, turn_of

MOST_DELAY = 10.0  # seconds
LONGEST = 300  # characters of what the operator gives her to say or to think of
BLOCKED = 500  # of the desk's list, the newest, that its page draws
FOUND = 11  # lines of the journal that a terminal is told
CLAUSE = re.compile(r"(?P<id>t\d+\.\d+)(?:\s+|$)(?P<text>.*)", re.DOTALL)
MOODS = {mood.value: mood for mood in Mood if mood is not Mood.ASKING}
SCRIPTED = "The operator has you say this."


@dataclass(slots=True)
class Controls:
    """What the operator has set, and how each wish is done."""

    parts: Parts
    mixer: Mixer
    director: Director
    blocklist: Blocklist | None  # None: nothing is screened
    lookup: Lookup
    health: Health
    restart: Callable[[str], bool]
    cues: Cues
    away_words: str
    door: Door
    carrier: Carrier
    course: Course
    board: Board
    jukebox: Jukebox
    topic: str = ""
    mood: str = ""
    _hidden: set[str] = field(default_factory=set)  # of the lines that wait: to be forgotten
    begun: float = field(default_factory=anyio.current_time)
    _numbers: count[int] = field(default_factory=partial(count, 1))

    def booth(self) -> Booth:
        """Where all of it is asked for."""
        deeds: dict[Wish, Deed] = {
            Wish.DELAY: self.delay,
            Wish.HOLD: self.hold,
            Wish.YES: self.cues.let_go,
            Wish.EDIT: self.edit,
            Wish.DROP: lambda id: f"left out: {self._changed(id, '')}",
            Wish.ANYWAY: lambda id: self.cues.anyway(id, anyio.current_time()),
            Wish.SAY: self.say,
            Wish.PLAY: self.board.play,
            Wish.TOPIC: self.set_topic,
            Wish.MOOD: self.set_mood,
            Wish.PERSONA: self.set_persona,
            **curbs.blocking(self.blocklist),
            **curbs.deeds(self.door, self.director, self.parts.emit),
            **self.carrier.deeds(),
            **self.course.deeds(),
            **self.jukebox.deeds(),
            Wish.REMEMBER: self.remember,
            Wish.FORGET: self.forget,
            Wish.RESTART: self.restarted,
            Wish.LOOK: self.look,
            Wish.FIND: self.find,
            Wish.OPEN: lambda id: "\n".join(turn_of(self.lookup.turn(id))) or f"no reply is called '{id}'",
        }
        return Booth(deeds, self.cues, self.board.dump, self.away, lambda: self.mixer.delay, self.board.hush)

    def looks(self) -> dict[str, Callable[[dict[str, str]], Any]]:
        """What a page may ask for, by name: of an address's parameters, plain values."""
        return {
            "desk": lambda _: self.settings(),
            "inbox": lambda _: self.inbox(),
            "health": lambda _: self.health.told(),
            "door": lambda _: self.door.standing(anyio.current_time()),
            "blocklist": lambda _: self.blocklist.newest(BLOCKED) if self.blocklist else [],
            "memory": lambda asked: self.parts.memories and self.parts.memories.found(asked.get("q", "")),
            "find": lambda asked: self.lookup.find(asked.get("q", ""), before=_number(asked.get("before"))),
            "turn": lambda asked: self.lookup.turn(asked.get("id", "")),
        }

    def settings(self) -> dict[str, object]:
        """What holds from now on, and what there is to choose from."""
        return {
            "delay": self.mixer.delay,
            "hold": self.cues.hold,
            "topic": self.topic,
            "mood": self.mood,
            "persona": self.director.cast[0],
            "cast": list(self.director.cast),
            "moods": list(MOODS),
            "sounds": self.board.names(),
            "songs": list(self.jukebox.repertoire.songs.names()),
            "events": len(self.lookup),
            "begun": self.begun,
            "anyway_within": self.cues.within,
        }

    def inbox(self) -> list[dict[str, object]]:
        """The lines that wait, the best first."""
        now = anyio.current_time()
        return [
            {"id": w.line.id, "author": w.line.author, "source": w.line.source}
            | {"text": FORGOTTEN if w.line.id in self._hidden else w.line.text}
            | {"score": round(score, 2), "waited": round(now - w.received, 1)}
            for w, score in self.director.standing(now)
        ]

    def forgotten(self, ids: Sequence[str], whose: Whose | None) -> None:
        """These lines are to be forgotten. One that waits is answered all the same, and not shown."""
        waiting = {w.line.id for w, _ in self.director.standing(anyio.current_time())}
        self._hidden = waiting.intersection(self._hidden | set(ids))

    def delay(self, text: str) -> str:
        """Hold back all sound by so many seconds."""
        seconds = seconds_of(text, MOST_DELAY, f"the delay lies between 0 and {MOST_DELAY:.0f} seconds")
        self.mixer.delay = seconds
        return f"what she says is heard {seconds:.1f} s later; what is on its way keeps its time"

    def hold(self, text: str) -> str:
        """Whether clauses wait for the operator."""
        if text not in ("always", "never"):
            raise Declined("hold is 'always' or 'never'")
        self.cues.held(text == "always")
        return "every clause waits for you" if self.cues.hold else "clauses go through by themselves"

    def edit(self, text: str) -> str:
        """Other words for a clause; the filters judge them as they judge hers."""
        found = CLAUSE.fullmatch(text)
        id, words = (found["id"], found["text"]) if found else ("", text)
        words = " ".join(words.split())[:LONGEST]
        if not words:
            raise Declined("other words are missing; to leave a clause out there is 'drop'")
        cue = self.cues.find(id)
        line = ChatLine(f"edit-{next(self._numbers)}", "", SCRIPTED, Source.HERSELF)
        self._judge(cue.who, words, line, cue.id)
        return f"she says: {self._changed(cue.id, words)}"

    def say(self, text: str) -> str:
        """The operator's words with her voice, as soon as she is silent; "evil: words" with that one's."""
        who, words = given(" ".join(text.split())[:LONGEST], self.director.called)
        who = who or self.director.cast[0]
        line = ChatLine(f"say-{next(self._numbers)}", "", SCRIPTED, Source.HERSELF)
        if not words:
            raise Declined("there is nothing to say")
        if self.director.stopped:
            raise Declined("everything is stopped; go on first")
        if not self.course.speaks(anyio.current_time()):
            raise Declined("too late: the show ends")
        self._judge(who, words, line, "")
        self.cues.scripts.append(Script(who, line, words))
        return f"said next: {words}"

    def _judge(self, who: str, words: str, line: ChatLine, cue: str) -> None:
        """A slip of a person's is a slip, too. Raises Declined; "anyway" then says it all the same."""
        why = self.parts.members[who].gate.refuses(words)
        if why:
            id = f"own-{next(self._numbers)}"
            self.cues.refuse(id, Script(who, line, words), anyio.current_time(), cue)
            raise Declined(f"the filters refuse it ({why}); 'anyway {id}' says it all the same")

    def _changed(self, id: str, text: str) -> str:
        before = self.cues.find(id).text
        return self.cues.change(id, text).text or before

    def set_topic(self, text: str) -> str:
        """What she talks about."""
        self.topic = " ".join(text.split())[:LONGEST]
        self._steer()
        return f"from her next reply on: {self.topic}" if self.topic else "she talks about what she likes"

    def set_mood(self, text: str) -> str:
        """How she feels: any word for her mind, and one of MOODS for her face as well."""
        self.mood = " ".join(text.split())[:LONGEST]
        self._steer()
        for performer in self.parts.performers:
            performer.settle(MOODS.get(self.mood))
        shows = "" if self.mood in MOODS or not self.mood else "; no face of hers shows that"
        return f"from her next reply on she is {self.mood}{shows}" if self.mood else "her mood is her own"

    def _steer(self) -> None:
        for talk in self.parts.talks:
            talk.steer(self.topic, self.mood)

    def set_persona(self, who: str) -> str:
        """Who answers where nobody is called by name."""
        cast = list(self.director.cast)
        if who not in cast:
            raise Declined(f"on stage: {', '.join(cast)}; another one needs persona=[...] at the start")
        self.director.cast = [who, *(other for other in cast if other != who)]
        return f"{who} answers from the next reply on"

    def remember(self, text: str) -> str:
        """Correct what she remembers."""
        id, _, words = text.partition(" ")
        if not words.strip():
            raise Declined("what should it say? remember ID WORDS; to let it go there is 'forget'")
        if not self._memories().amend(id, words):
            raise Declined(f"she remembers nothing called '{id}'")
        return f"she remembers: {' '.join(words.split())}"

    def forget(self, text: str) -> str:
        """Let her forget one thing, or all of a viewer."""
        viewer = text.removeprefix("@").strip() if text.startswith("@") else ""
        gone = self._memories().forget(viewer=viewer) if viewer else self._memories().forget(text)
        if not gone and not viewer:
            raise Declined(f"she remembers nothing called '{text}'; forget ID, or @NAME for a viewer")
        return f"forgotten: {gone} entries" + (f", and what {viewer} wrote" if viewer else "")

    def _memories(self) -> Memories:
        if self.parts.memories is None:
            raise Declined(NO_MEMORY)
        return self.parts.memories

    def restarted(self, name: str) -> str:
        """Start an engine afresh."""
        if not self.restart(name):
            names = ", ".join(self.health.engines)
            raise Declined(f"'{name}' is no engine of this show, or is starting already; it has: {names}")
        return f"{name} is started afresh"

    def look(self, what: str) -> str:
        """What stands on the desk, as lines."""
        match what:
            case "inbox":
                found = [f"{w['score']:6} {w['author']}: {w['text']}" for w in self.inbox()]
            case "blocklist":
                found = self.blocklist.newest(FOUND) if self.blocklist else []
            case "health":
                told = self.health.told()
                found = [f"latency (ms): {told['latency']}", *(str(part) for part in self._parts(told))]
            case _ if what.partition(" ")[0] == "memory":
                entries = self._memories().found(what.partition(" ")[2])
                found = [
                    f"{each['id']} {each.get('name') or each['viewer'] or each['kind']}: {each['text']}"
                    for each in entries
                ]
            case _:
                found = [f"{key}: {value}" for key, value in self.settings().items()]
        return "\n".join(found[:FOUND]) or "nothing"

    @staticmethod
    def _parts(told: dict[str, Any]) -> list[str]:
        return [
            f"{part['name']}: {'up' if part['up'] else 'down: ' + part['why']}"
            f" ({part['rss_mb']} MB, {part['cpu_percent']} % CPU)"
            for part in told["parts"]
        ]

    def find(self, text: str) -> str:
        """The newest lines of the journal that hold these words."""
        return "\n".join(map(line_of, self.lookup.find(text, FOUND))) or "nothing is found"

    def away(self, gone: bool) -> None:
        """Neutral faces and the caption, or herself again."""
        for number, performer in enumerate(self.parts.performers):
            performer.away(gone, "" if number else self.away_words)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
