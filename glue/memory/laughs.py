"""Which of her replies made chat laugh: by who laughed while it was heard, or soon after."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from glue.chat_events import LinesRemoved
from glue.events import ChatLine, Ending, Event, LineArrived, Stage, StageReached, TurnEnded, TurnStarted
from glue.memory_events import LinesForgotten
from glue.song_events import SongStarted

KEPT = 4  # replies that may still be laughed at
REACTION = 0.5  # seconds after the first sound before which a laugh is about something else
SHORT = 4  # words of a line that is a laugh and little else
LAUGH = re.compile(
    r"^(?:l+o+l+(?:ol)*|lmf?ao+|rofl|(?:b?a?h[aei]){2,}h?|b?(?:ha|he|hi|ja|je|xa){2,}h?|x+d+|:d+|kek+w?|"
    r"o?m?e?g?a?lul+w?|pepelaugh|icant|hehe\w*|[\U0001F602\U0001F923\U0001F606\U0001F605\U0001F639\U0001F480]+)$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Reply:
    """One of hers. Times on the show's clock, seconds."""

    who: str
    turn: str
    line: ChatLine
    audible: float | None = None
    ended: float | None = None
    heard: str = ""
    laughs: dict[str, str] = field(default_factory=dict)  # by viewer, the line that laughs


def is_laugh(text: str) -> bool:
    """Whether a line is laughter and little else: "LOL", "haha good one", and no "lol I moved to Oslo"."""
    words = re.findall(r"[\w:]+|[^\w\s.,!?~]+", text)
    return 0 < len(words) <= SHORT and any(LAUGH.match(word) for word in words)


class Laughs:
    """`within`: seconds after a reply in which it may be laughed at; `least`: viewers who laugh at one that
    landed, 0: none ever does."""

    def __init__(self, within: float, least: int) -> None:
        self._within = within
        self._least = least
        self._replies: deque[Reply] = deque(maxlen=KEPT)

    def show(self, event: Event, people: bool = True) -> None:
        """Take note of an event. `people`: of a line: a viewer wrote it."""
        match event:
            case TurnStarted(_, who, turn, line, _):
                self._replies.append(Reply(who, turn, line))
            case SongStarted(turn=turn):  # somebody laughs in its minutes, and not at her words
                self._replies = deque((r for r in self._replies if r.turn != turn), maxlen=KEPT)
            case StageReached(at, _, turn, Stage.AUDIBLE):
                for reply in self._of(turn):
                    reply.audible = at
            case TurnEnded(at, _, turn, ending, _, heard, _):
                for reply in self._of(turn):
                    reply.ended, reply.heard = at, heard if ending is Ending.FINISHED else ""
            case LineArrived(at, line) if people and is_laugh(line.text):
                self._laughed(at, line)
            case LinesRemoved(_, ids) | LinesForgotten(_, ids):
                self._forget(set(ids))
            case _:
                pass

    def drop(self, id: str) -> None:
        """This line was not let in."""
        for reply in self._replies:
            reply.laughs = {viewer: line for viewer, line in reply.laughs.items() if line != id}

    def landed(self) -> list[Reply]:
        """Those that are over and made enough of them laugh, each once."""
        done = [
            r for r in self._replies if r.ended is not None and r.heard and 0 < self._least <= len(r.laughs)
        ]
        self._replies = deque((r for r in self._replies if r not in done), maxlen=KEPT)
        return done

    def _laughed(self, at: float, line: ChatLine) -> None:
        """The newest reply that could be heard by then."""
        for reply in reversed(self._replies):
            if reply.audible is not None and reply.audible + REACTION <= at:
                if reply.ended is None or at <= reply.ended + self._within:
                    reply.laughs.setdefault(line.viewer.casefold(), line.id)
                return

    def _forget(self, ids: set[str]) -> None:
        """A reply to what is gone becomes no joke."""
        kept = (r for r in self._replies if ids.isdisjoint(part.id for part in r.line.parts))
        self._replies = deque(kept, maxlen=KEPT)

    def _of(self, turn: str) -> list[Reply]:
        return [reply for reply in self._replies if reply.turn == turn]
