"""SOUND -> AUDIENCE: OBS over obs-websocket 5: scenes, captions, mute, marks, and how well the stream leaves.

A Viewer that never blocks, and a `watch()` under a supervisor: without OBS the show goes on.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import anyio
from anyio import to_thread

from glue.broadcast_events import BroadcastLacking
from glue.chat_events import Deed
from glue.errors import ConfigError, PortError, TooSlow, Unreachable
from glue.events import Event
from glue.stage.obs_cues import Cues, State, why
from glue.stage.obs_desk import Desk
from glue.stage.obs_health import Health
from glue.stage.obs_layout import Pages, layout
from glue.stage.obs_link import BROKEN, PART, Link, silenced
from glue.stage.obs_setup import enter, set_up, size_of

T = TypeVar("T")
EVERY = 1.0  # seconds between two looks at OBS's counters
FRESH = 5.0  # seconds in which a highlight is marked; later the mark would be at another moment
GOODBYE = 1.0  # seconds for the last scene and the end of the stream, when the show ends: encoders are slow


class Obs:
    """The Broadcast port. What the show wants is kept here; a new connection is brought up to date."""

    part = PART

    def __init__(
        self,
        run_dir: Path = Path(),
        host: str = "127.0.0.1",
        port: int = 4455,
        password: str = "",
        scenes: Mapping[State, str] | None = None,
        caption: str = "",
        playing: str = "",
        voice: str = "",
        transition: str = "",
        start: Sequence[str] = (),
        highlights: Sequence[Deed] = (),
        linger_s: float = 2.0,
        together_s: float = 120.0,
        patience_s: float = 6.0,
        timeout_s: float = 3.0,
    ) -> None:
        """conf/broadcast/obs.yaml says what each is for; an empty name leaves that to OBS's user. `run_dir`:
        for marks, where OBS records on another machine."""
        if unknown := set(start) - set(Desk.OUTPUTS):
            raise ConfigError(f"broadcast.start: no '{min(unknown)}'; choose of {', '.join(Desk.OUTPUTS)}")
        self._link = Link(host, port, password, timeout_s)
        self._cues = Cues(frozenset(highlights), linger_s, together_s)
        self._scenes, self._caption, self._playing = scenes or {}, caption, playing
        self._desk = Desk(self._link, self._scenes, caption, playing, voice, transition, start, run_dir)
        self._timeout, self._patience = timeout_s, patience_s
        self._changed = anyio.Event()
        self._said: set[str] = set()

    async def __aenter__(self) -> Self:
        """Nothing is opened yet. Raises ConfigError where obsws-python is missing."""
        silenced()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """The ending's scene, and what the show started is stopped, where OBS answers at once."""
        self._cues.end()
        with anyio.move_on_after(GOODBYE, shield=True):
            await to_thread.run_sync(self._end, abandon_on_cancel=True)
        self._link.abort()  # nothing waits for an OBS that hangs

    def show(self, event: Event) -> None:
        """The Viewer port."""
        if self._cues.note(event):
            self._changed.set()

    def shot(self, source: str, longest: int) -> bytes:
        """The Broadcast port: a picture of a source, "" for what viewers see; blocks: call it in a thread."""
        return self._whole(lambda: b64decode(self._desk.picture(source, longest).partition(",")[2]))

    async def set_up(self, collection: str, pages: Pages, say: Callable[[str], None]) -> None:
        """Make what the config names. Raises PortError."""

        def work() -> None:
            self._link.open()
            fresh = enter(self._link, collection, say)
            size = size_of(self._link)
            wanted = layout(self._scenes, self._caption, self._playing, pages, size)
            set_up(self._link, wanted, size, say, fresh)
            self._link.close()

        await to_thread.run_sync(work, abandon_on_cancel=True)

    async def watch(self, take: Callable[[Event], None], works: Callable[[], None]) -> None:
        """Connect, then keep OBS as the show wants it. Raises a PortError when that ends."""
        await self._call(self._link.open)
        await self._call(self._desk.learn)
        works()
        health, due = Health(self._patience), 0.0
        while True:
            now = anyio.current_time()
            await self._follow(take, now)
            if now >= due:
                due = now + EVERY
                for event in await self._call(partial(self._measured, health, now)):
                    take(event)
            with anyio.move_on_at(min(due, self._cues.changes_at(now))):
                await self._changed.wait()
            self._changed = anyio.Event()

    async def _follow(self, take: Callable[[Event], None], now: float) -> None:
        await self._call(partial(self._desk.follow, self._cues.cue(now)))
        while self._cues.marks:
            at, line = self._cues.marks.popleft()
            if now < at + FRESH:
                take(await self._call(partial(self._desk.mark, why(line), now)))
        for lacking in self._desk.lacking - self._said:
            self._said.add(lacking)
            take(BroadcastLacking(now, lacking))

    def _measured(self, health: Health, now: float) -> list[Event]:
        return health.take(self._desk.sample(now))  # a counter may be no number that can be reckoned with

    async def _call(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread; one that takes too long is cut off. Raises a PortError."""
        with anyio.move_on_after(3 * self._timeout):
            return await to_thread.run_sync(self._whole, work, abandon_on_cancel=True)
        self._link.abort()
        raise TooSlow(PART, f"OBS at {self._link.address} is too slow")

    def _whole(self, work: Callable[[], T]) -> T:
        """Do `work`; an answer without what its protocol has in it is OBS's fault, and ends no show. Raises a
        PortError, after which the connection is of no use."""
        try:
            return work()
        except BROKEN as error:
            self._link.abort()
            kind = type(error).__name__
            raise Unreachable(PART, f"OBS at {self._link.address} gave an odd answer ({kind})") from error

    def _end(self) -> None:
        try:
            self._desk.leave(self._cues.cue(0.0))
        except PortError:
            pass  # it went before us
        self._link.close()
