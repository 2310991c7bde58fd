"""WORLD -> EVENTS: from a microphone's sound to what was said; shared by all microphones.

A server that is away is tried again; meanwhile the microphone is deaf, and the show says so.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from itertools import count

import anyio
import numpy as np

from glue.closing import closing
from glue.errors import PortError
from glue.events import ChatLine, Event, LineArrived, PartDegraded, PartRecovered, Source, SpeechHeard
from glue.ports import Asr, Pcm
from glue.senses.clean import clean

RATE = 16_000  # Hz, of every microphone
FIRST, MOST = 0.3, 10.0  # seconds between two tries
KEEP_ALIVE = 5.0  # seconds; a NIM ends a stream that is quiet for 8 to 10 minutes
QUIET: Pcm = np.zeros(RATE // 10, np.int16)


async def hear(
    asr: Asr,
    sound: Callable[[], AsyncIterator[Pcm]],
    author: str,
    ear: str,
    numbers: Iterator[int] | None = None,
) -> AsyncGenerator[Event, None]:
    """What `author` says into the microphone that `sound()` opens, until the sound ends. `ear`: the sense's
    name, in its lines' ids: several may listen at once; `numbers`: the rest of them, where it hears again."""
    numbers, wait, down = numbers or count(1), FIRST, False
    while True:
        try:
            async with closing(asr.listen(sound())) as heard:
                async for words in heard:
                    now = anyio.current_time()
                    if down:
                        yield PartRecovered(now, "ears")
                        wait, down = FIRST, False
                    text = clean(words.text).text
                    if words.final and text:
                        line = ChatLine(f"voice-{ear}-{next(numbers)}", author, text, Source.VOICE)
                        yield LineArrived(now, line, words.until)
                    elif text:
                        yield SpeechHeard(now, author, text)
            return
        except PortError as error:
            if not down:
                yield PartDegraded(anyio.current_time(), "ears", error.why)
                down = True
        await anyio.sleep(wait * random.uniform(0.8, 1.2))
        wait = min(2 * wait, MOST)


async def steady(heard: Callable[[], Awaitable[Pcm]]) -> AsyncGenerator[Pcm, None]:
    """What a microphone gives, block by block, and a little silence now and then where it gives nothing."""
    while True:
        pcm = QUIET
        with anyio.move_on_after(KEEP_ALIVE):
            pcm = await heard()
        yield pcm
