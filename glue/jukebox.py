"""The operator asks for a song: what `/sing` does. Part of the desk, beside controls.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import anyio

from glue.booth import Deed
from glue.called import given
from glue.course import Course
from glue.cues import Cues, Script
from glue.desk_events import Wish
from glue.director import Director
from glue.errors import Declined
from glue.events import ChatLine, Source
from glue.repertoire import Repertoire
from glue.song_ports import NONE

ASKED = "The operator has you sing."


@dataclass(slots=True)
class Jukebox:
    """Beside chat, which asks for itself."""

    repertoire: Repertoire
    cues: Cues
    director: Director
    course: Course
    _numbers: count[int] = field(default_factory=partial(count, 1))

    def deeds(self) -> Mapping[Wish, Deed]:
        """What the operator may wish for."""
        return {Wish.SING: self.sing}

    def sing(self, text: str) -> str:
        """A song as soon as she is silent; "evil: NAME" with that one's name on it; "": none any more, and
        what there is. Raises Declined, Refused."""
        who, name = given(" ".join(text.split()), self.director.called)
        if not name:
            return self._end()
        if self.director.stopped:
            raise Declined("everything is stopped; go on first")
        if not self.course.speaks(anyio.current_time()):
            raise Declined("too late: the show ends")
        song = self.repertoire.songs.song(name)
        line = ChatLine(f"sing-{next(self._numbers)}", "", ASKED, Source.HERSELF)
        self.cues.scripts.append(Script(who or self.director.cast[0], line, "", song))
        return f"sung next: {song.name}, {length(song.seconds)}"

    def _end(self) -> str:
        """Nothing is sung any more, nor what was to be."""
        waits = [script for script in self.cues.scripts if script.song]
        for script in waits:
            self.cues.scripts.remove(script)
        sings, left = self.repertoire.current, f", and {len(waits)} more are let go" if waits else ""
        if sings is not None:
            sings.end()
            return f"{sings.song.name} ends{left}"
        return f"nothing is sung{left}; {self._there()}"

    def _there(self) -> str:
        named = [
            f"{name} ({length(self.repertoire.songs.song(name).seconds)})"
            for name in self.repertoire.songs.names()
        ]
        there = f"there are: {', '.join(named)}" if named else NONE
        return "\n".join([there, *self.repertoire.songs.wrong()])


def length(seconds: float) -> str:
    """As a song's length is written: "3:10"."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
