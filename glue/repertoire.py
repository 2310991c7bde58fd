"""Which song a line asks for, and when it may be sung: what chat knows of her songs. Takes `now`.

A request is read strictly: what has one word more is the model's, as is one for a song that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from zlib import crc32

from glue.cues import Script
from glue.errors import Refused
from glue.events import ChatLine
from glue.interest import plain
from glue.news import UNSPOKEN
from glue.ports import Fact
from glue.singing import Singing
from glue.song_ports import NONE, Song, Songs, Sound

LONGEST = 120  # characters of a line that may be a request
LISTED = 8  # songs that she names when she is asked which she knows
LISTS = "songs"
POLITE = "please"
LISTING = (
    "I can sing {}.",
    "My songs tonight are {}.",
    "In my songbook there is {}.",
    "You may ask me for {}.",
    "These I know by heart: {}.",
)
LATELY = (
    "I sang {song} only a moment ago, so ask me for it again {when}.",
    "We just had {song}, and you get it again {when}.",
    "Not {song} twice in a row, but {when} I will.",
    "My fan is still hot from {song}, so try again {when}.",
    "Once more {song}, sure, {when}.",
)
RESTS = (
    "My voice needs a rest, so ask me for {song} again {when}.",
    "I only just sang, so {song} has to wait, and I am ready {when}.",
    "Let me drink some water first, then ask for {song} {when}.",
    "One song at a time, chat, ask me for {song} again {when}.",
    "Later, my throat is made of copper, so {song} comes {when}.",
)


class NoSongs:
    """The `Songs` port where there is nothing to sing."""

    async def keep(self) -> None:
        """Nothing comes."""

    def names(self) -> Sequence[str]:
        """None."""
        return ()

    def song(self, name: str) -> Song:
        """None."""
        raise Refused("songs", NONE)

    def wrong(self) -> Sequence[str]:
        """Nothing."""
        return ()

    def sound(self, song: Song) -> AbstractAsyncContextManager[Sound]:
        """None."""
        raise Refused("songs", NONE)


@dataclass(slots=True)
class Repertoire:
    """`asked`: whether chat may ask; of one song `again` seconds after it was sung, of any `apart` after the
    last that chat got. `names()`: what she is called; `opens(who, song)`: what who says before a song."""

    songs: Songs = field(default_factory=NoSongs)
    asked: bool = True
    again: float = 0.0
    apart: float = 0.0
    names: Callable[[], Iterable[str]] = tuple
    opens: Callable[[str, str], str] = lambda who, song: ""
    now: Callable[[], float] = lambda: 0.0
    current: Singing | None = None  # what is sung now, or opened
    _asked: bool = False  # by chat
    _sung: dict[str, float] = field(default_factory=dict)  # a song's name: when it was over
    _last: float = float("-inf")  # that chat got

    def wishes(self, line: ChatLine) -> bool:
        """Whether a line asks for a song that there is, or which there are."""
        return bool(self.wanted(line)) or self._lists(line)

    def wanted(self, line: ChatLine) -> str:
        """The song that a line asks for, as it is called; "" for none."""
        words = self._words(line)
        if not words or words[0] != "sing":
            return ""
        for asked in (words[1:], words[1:-1] if words[-1] == POLITE else []):
            for name in self.songs.names() if asked else ():
                if plain(name).split() == asked:
                    return name
        return ""

    def _words(self, line: ChatLine) -> list[str]:
        """A line's words, without her name and a please before them."""
        if not self.asked or not line.text or line.source in UNSPOKEN or line.deed:
            return []
        words = plain(line.text[:LONGEST]).split() if len(line.text) <= LONGEST else []
        for called in sorted((plain(name).split() for name in self.names()), key=len, reverse=True):
            if called and words[: len(called)] == called:
                words = words[len(called) :]
                break
        return words[1:] if words[:1] == [POLITE] else words

    def _lists(self, line: ChatLine) -> bool:
        return line.text.strip().casefold() == f"!{LISTS}" and bool(self._words(line) and self.songs.names())

    def facts(self, who: str, line: ChatLine) -> list[str]:
        """What she knows for certain where a line asks which songs there are, or for one whose time is not
        come yet. (See parts.Facts.) In other words each time: what she says twice, her gate holds."""
        turn = crc32(line.id.encode())
        if self._lists(line):
            names = _listed(self.songs.names(), turn)
            return [Fact(f"The songs that you sing: {names}.", LISTING[turn % len(LISTING)].format(names))]
        if (name := self.wanted(line)) and (left := self._left(name, self.now())):
            when = "in a minute" if left <= 60 else f"in {left / 60:.0f} minutes"
            lately = name in self._sung and self._sung[name] + self.again > self.now()
            words = LATELY if lately else RESTS
            told = words[turn % len(words)].format(song=name, when=when)
            return [Fact(f"You sing {name} {when} at the earliest, and not now.", told)]
        return []

    def _left(self, name: str, now: float) -> float:
        """Seconds until chat may have a song; 0: now."""
        return max(0.0, self._sung.get(name, float("-inf")) + self.again - now, self._last + self.apart - now)

    def singing(self, who: str, line: ChatLine, script: Script | None, now: float) -> Singing | None:
        """What `who` sings as her reply to `line`: the song of the operator's `script`, or what the line asks
        for; None where she speaks."""
        self._asked = script is None
        if script is not None and script.song is None:
            return None
        song = script.song if script else None
        if song is None:
            name = self.wanted(line)
            if not name or self._left(name, now):
                return None
            song = self.songs.song(name)
        self.current = Singing(self.songs, song, self.opens(who, song.name))
        return self.current

    def over(self, now: float) -> None:
        """The reply in work is over. A song that gave way before it was heard may be asked for again."""
        if self.current and self.current.sung:
            self._sung[self.current.song.name] = now
            self._last = now if self._asked else self._last
        self.current = None


def _listed(names: Sequence[str], turn: int) -> str:
    """Some of them, beginning with another one each time."""
    first = turn % len(names)
    some = [*names[first:], *names[:first]][:LISTED]
    if len(names) > LISTED:
        return f"{', '.join(some)} and {len(names) - LISTED} more"
    return " and ".join(filter(None, [", ".join(some[:-1]), some[-1]]))
