"""SOUND -> AUDIENCE: one character's tick: what is heard now becomes her mouth, her face and her captions.

The time is never counted here: each tick asks the playhead. anyio only, so it runs in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import anyio

from glue.errors import PortError, Refused
from glue.events import AWAY, CaptionShown, Event
from glue.ports import Avatar, Speech
from glue.stage.captions import CaptionTrack
from glue.stage.face import Attention, Face
from glue.stage.lipsync import CLOSED, MouthTrack
from glue.stage.mood import Mood, mood_of

STILL = 0.035  # seconds without a move of the playhead: nothing is heard
FADE = 0.6  # of the mouth's opening is left with each tick then: a sound that stops short closes it in 80 ms
CAPTION_EVERY = 1 / 15  # seconds between two events of one clause
AGAIN = 1.0  # seconds until an avatar that was away is told its expression again
RETOLD = 60.0  # seconds until any avatar is: a model that was put on since may lack another, and shows none


class Performer:
    """One character. `run()` for ever, under a supervisor; the stand tells it what is played and where."""

    def __init__(
        self,
        who: str,
        avatar: Avatar,
        playhead: Callable[[], float],
        emit: Callable[[Event], None],
        face: Face,
        rate: int,
        tick_hz: float = 60.0,
        idle_hz: float = 30.0,
    ) -> None:
        """`playhead()`: seconds of her track that are heard when a pose sent now is drawn; `rate`: Hz."""
        self._who, self._avatar, self._playhead, self._emit = who, avatar, playhead, emit
        self._face, self._track, self._captions = face, MouthTrack(rate), CaptionTrack()
        self._tick_s, self._idle_s = 1 / tick_hz, 1 / idle_hz
        self._turn = ""
        self._attention = Attention.IDLE
        self._mouth = CLOSED
        self._head, self._moved = float("nan"), float("-inf")  # the playhead, and when it last moved
        self._shown: tuple[int, str, int] | None = None
        self._shown_at = float("-inf")
        self._lacks: dict[str, float] = {}  # expressions that the model does not have: asked for again when
        self._active: str | None = None
        self._told = float("-inf")  # when
        self._felt = anyio.Event()

    def enter(self, turn: str) -> None:
        """A reply is being thought of."""
        self._turn, self._shown = turn, None
        self._captions.clear()
        self._attention = Attention.THINKING

    def begin_clause(self, turn: str, index: int, text: str, start: float) -> None:
        """Clause `index` will be heard from `start` on (seconds of the track, as all that follow)."""
        self._turn = turn
        self._captions.begin(index, text, start)

    def add(self, index: int, clause_start: float, chunk_start: float, speech: Speech) -> None:
        """A chunk of clause `index`, which began at `clause_start`."""
        self._track.add(chunk_start, clause_start, speech)
        end = chunk_start + speech.pcm.size / self._track.rate
        self._captions.extend(index, end, speech.words)

    def leave(self) -> None:
        """The reply has been heard to its end."""
        self._captions.finish()
        self._shown_at = float("-inf")  # the last words are shown, however soon they come
        self._caption(anyio.current_time(), self._head)
        self._attention = Attention.IDLE

    def cut(self, at: float) -> None:
        """Barge-in: nothing after `at` is heard. The mouth shuts with this very call."""
        self._track.clear(at)
        self._attention = Attention.IDLE
        self._mouth, self._moved = CLOSED, float("-inf")
        self._head = self._playhead()  # pulled back by the flush: that is no move, and nothing is heard
        self._avatar.pose(self._face.pose(anyio.current_time(), CLOSED, self._attention))

    def away(self, gone: bool, words: str = "") -> None:
        """A neutral face and `words` as the caption, or herself again."""
        self._face.neutral = gone
        self._felt.set()
        if gone and words:
            self._emit(CaptionShown(anyio.current_time(), self._who, AWAY, 0, words, len(words)))

    def settle(self, mood: Mood | None) -> None:
        """The mood that she is in from now on where her words ask for no other."""
        self._face.base = mood
        self._felt.set()

    def connected(self) -> None:
        """The avatar is there, anew: it may have been restarted, and then it shows no expression."""
        self._lacks.clear()
        self._told = float("-inf")
        self._felt.set()

    def heard(self, t: float) -> str:
        """The words of this reply that have been heard whole at `t`."""
        return self._captions.heard(t)

    async def run(self) -> None:
        """Tick for ever."""
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._express)
            due = anyio.current_time()
            while True:
                now = anyio.current_time()
                self.tick(now)
                # not while she thinks: on two cores, 30 ticks more take 10 % from the model's first words
                quick = self._attention is Attention.SPEAKING
                due = max(due + (self._tick_s if quick else self._idle_s), now)
                await anyio.sleep_until(due)

    def tick(self, now: float) -> None:
        """One pose, and the caption where it has changed."""
        head = self._playhead()
        if head != self._head:
            self._moved = now if self._head == self._head else self._moved
            self._head = head
        heard = now - self._moved < STILL
        if heard and self._attention is Attention.THINKING:
            self._attention = Attention.SPEAKING
        if heard:
            self._mouth = self._track.at(head)
        elif self._mouth is not CLOSED:
            fading = {name: value * FADE for name, value in self._mouth.items()}
            self._mouth = fading if fading["VoiceVolume"] > 0.01 else CLOSED
        self._avatar.pose(self._face.pose(now, self._mouth, self._attention))
        if heard:
            self._caption(now, head)

    def _caption(self, now: float, head: float) -> None:
        shown = self._captions.at(head)
        if shown is None or shown == self._shown:
            return
        same = self._shown is not None and shown[0] == self._shown[0]
        if same and now - self._shown_at < CAPTION_EVERY:
            return
        if not same and (mood := mood_of(shown[1])):
            self._face.feel(mood, now)
            self._felt.set()
        self._shown, self._shown_at = shown, now
        self._emit(CaptionShown(now, self._who, self._turn, *shown))

    async def _express(self) -> None:
        """Keep the model's expression in step with the mood; an avatar that is away is told later."""
        while True:
            now = anyio.current_time()
            mood = self._face.mood(now)
            wanted = mood.value if mood and mood is not Mood.ASKING else None
            lacks = wanted is not None and now < self._lacks.get(wanted, now)
            try:
                await self._switch(None if lacks else wanted, now)
                wait = 0.2 if mood else None
            except PortError:
                wait = AGAIN
            with anyio.move_on_after(wait):
                await self._felt.wait()
            self._felt = anyio.Event()

    async def _switch(self, wanted: str | None, now: float) -> None:
        if wanted == self._active and (wanted is None or now - self._told < RETOLD):
            return
        if self._active is not None and self._active != wanted:
            with suppress(Refused):  # the model was changed meanwhile
                await self._avatar.express(self._active, False)
            self._active = None
        if wanted is not None:
            try:
                await self._avatar.express(wanted, True)
            except Refused:
                self._active, self._lacks[wanted] = None, now + RETOLD
            else:
                self._active, self._told = wanted, now
