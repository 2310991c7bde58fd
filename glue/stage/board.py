"""SOUND -> AUDIENCE: the operator's sounds, looked up by name in one folder, on a track of their own.

Mute, delay, dump and panic are the mixer's, and hold for these as they do for her voice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import anyio
import anyio.to_thread

from glue.desk_events import OperatorServed, Wish
from glue.errors import Refused
from glue.events import Event
from glue.stage import clip
from glue.stage.mixer import Mixer

NAME = re.compile(r"[\w-][\w '!&+-]{0,39}")
MOST = 60  # sounds that the desk has chips for
LOOKED = 2000  # files of the folder that are looked at
NONE = "there are no sounds; cure: stage.sounds=FOLDER, with NAME.wav in it"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sound that is being read, to be heard then."""

    name: str
    path: Path
    seconds: float


class Board:
    """One sound at a time: the next one ends the one before. keep() reads the files, which takes longer than
    a wish may."""

    def __init__(
        self,
        mixer: Mixer,
        emit: Callable[[Event], None],
        stopped: Callable[[], bool],
        folder: str = "",
        gain: float = 1.0,
    ) -> None:
        """`stopped()`: nothing is to be heard; `folder` "": there are none; `gain` 1: as loud as the file."""
        self._mixer, self._track = mixer, mixer.track()
        self._emit, self._stopped = emit, stopped
        self._folder, self._gain = folder, gain
        self._wanted: Wanted | None = None
        self._asked = anyio.Event()

    def names(self) -> list[str]:
        """What there is to play."""
        return list(self._files())[:MOST]

    def play(self, name: str) -> str:
        """Let it be heard, "" ends what is heard; returns a line for people. Raises Refused with the cure."""
        if not name:
            return "no sound is heard any more" if self._end() else f"no sound is heard; {self._there()}"
        if self._stopped():
            raise Refused(clip.PART, "everything is stopped; go on first")
        files = {each.casefold(): (each, path) for each, path in self._files().items()}
        if name.casefold() not in files:
            raise Refused(clip.PART, f"no sound is called '{name}'; {self._there()}")
        called, path = files[name.casefold()]
        seconds = clip.seconds(path)
        self._end()
        self._wanted = Wanted(called, path, seconds)
        self._asked.set()
        return f"{called}, {seconds:.1f} s"

    def hush(self) -> float:
        """Silence at once, with what an output has already; returns the seconds that nobody will hear."""
        left = self._end()
        if left:
            self._mixer.flush(self._track)
        return left

    def dump(self) -> float:
        """The mixer's dump, and these sounds with it."""
        return max(self.hush(), self._mixer.dump())

    async def keep(self) -> None:
        """Read and play for ever."""
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            if self._wanted:
                await self._begin(self._wanted)

    async def _begin(self, wanted: Wanted) -> None:
        try:
            pcm = await anyio.to_thread.run_sync(clip.samples, wanted.path, self._mixer.rate, self._gain)
        except Refused as error:  # it was another file when it was asked for
            now = anyio.current_time()
            self._emit(OperatorServed(now, Wish.PLAY.value, wanted.name, False, error.why))
            return
        if wanted is self._wanted:  # nobody has ended it meanwhile
            self._wanted = None
            await self._track.write(pcm)

    def _end(self) -> float:
        """Let go what is not heard yet, and leave her voice alone; returns its seconds."""
        waits, self._wanted = self._wanted.seconds if self._wanted else 0.0, None
        return waits + self._mixer.withdraw(self._track) / self._mixer.rate

    def _files(self) -> dict[str, Path]:
        """Those of the folder that are called as a sound may be, in order."""
        if not self._folder:
            return {}
        try:
            found = sorted(islice(Path(self._folder).expanduser().iterdir(), LOOKED))
        except OSError:  # not there, or not to be read
            return {}
        return {p.stem: p for p in found if p.suffix.lower() == ".wav" and NAME.fullmatch(p.stem)}

    def _there(self) -> str:
        return f"there are: {', '.join(names)}" if (names := self.names()) else NONE
