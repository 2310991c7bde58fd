"""A console with events like a show's, for tests: no engines, but real sockets and real sound."""

import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import numpy as np
from websockets.asyncio.client import ClientConnection

from glue.events import (
    CaptionShown,
    ChatLine,
    ClauseCleared,
    Ending,
    Fate,
    LineArrived,
    LineClosed,
    Source,
    Stage,
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.measured_events import TurnMeasured
from glue.ports import Pcm
from glue.stage.console import Console
from glue.stage.mixer import Mixer
from glue.stage.page_speaker import PageSpeaker

RATE = 24000
WAY = dict(zip(Stage, (0.0, 0.002, 0.006, 0.21, 0.3, 0.301, 0.402, 0.41), strict=True))  # seconds


def tone(seconds: float, hertz: float = 440.0, loud: float = 0.5) -> Pcm:
    """A tone, int16 [samples]."""
    time = np.arange(round(seconds * RATE)) / RATE
    return (loud * 32767 * np.sin(2 * math.pi * hertz * time)).astype(np.int16)


@asynccontextmanager
async def opened(
    tmp_path: Path, avatar_url: str = "", patience_s: float = 5.0, asked: bool = False
) -> AsyncIterator[Console]:
    """A console on a free port, with a token of its own."""
    token = str(tmp_path / "token")
    async with Console(
        RATE, port=0, token_file=token, avatar_url=avatar_url, patience_s=patience_s, asked=asked
    ) as console:
        yield console


@asynccontextmanager
async def playing(console: Console) -> AsyncIterator[Mixer]:
    """A mixer whose only output is the console's page."""
    async with PageSpeaker(console) as speaker, anyio.create_task_group() as tg:
        mixer = Mixer([speaker], RATE, ahead=1.0)
        tg.start_soon(mixer.run)
        yield mixer
        tg.cancel_scope.cancel()


def arrives(console: Console, number: int, author: str, text: str) -> ChatLine:
    """A line comes in."""
    line = ChatLine(f"l{number}", author, text, Source.CONSOLE)
    console.show(LineArrived(anyio.current_time(), line))
    return line


def starts(console: Console, line: ChatLine, turn: str, pace: float = 1.0, waited: bool = False) -> None:
    """A reply goes through all its stages; `pace` stretches them."""
    now = anyio.current_time()
    console.show(TurnStarted(now, "main", turn, line, waited))
    for stage, after in WAY.items():
        console.show(StageReached(now + after * pace, "main", turn, stage))


def says(console: Console, turn: str, clauses: list[str], spoken: int = 1000) -> None:
    """Clauses are cleared; the last one's caption has come to `spoken` characters."""
    now = anyio.current_time()
    for index, text in enumerate(clauses):
        console.show(ClauseCleared(now, "main", turn, index, text))
    last = clauses[-1]
    console.show(CaptionShown(now, "main", turn, len(clauses) - 1, last, min(spoken, len(last))))


def ends(console: Console, line: ChatLine, turn: str, said: str, heard: str | None = None) -> None:
    """The reply is over: finished, or cut where less was heard than said."""
    now = anyio.current_time()
    cut = heard is not None
    console.show(TurnMeasured(now, "main", turn, 412, 396, 9, 31, (0.08,), 0.3, 0.1))
    ending = Ending.CUT if cut else Ending.FINISHED
    console.show(TurnEnded(now, "main", turn, ending, said, said if heard is None else heard))
    console.show(LineClosed(now, line.id, Fate.ANSWERED, turn))


def origin(console: Console) -> str:
    """Where its pages come from."""
    return console.url().split("/?")[0]


def ws(console: Console, path: str = "ws") -> str:
    """The address of a socket, with the token."""
    return console.url(path).replace("http:", "ws:")


async def told(page: ClientConnection, **wanted: object) -> dict[str, Any]:
    """The next message that has these values."""
    with anyio.fail_after(30):
        while True:
            raw = await page.recv()
            message: dict[str, Any] = json.loads(raw) if isinstance(raw, str) else {}
            if wanted.items() <= message.items():
                return message
