"""WORLD -> EVENTS: lines typed (or piped) into the terminal that the show runs in."""

import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from itertools import count
from types import TracebackType
from typing import Self

import anyio
import anyio.lowlevel

from glue.events import Button, ButtonPressed, ChatLine, Event, LineArrived, Source
from glue.senses.clean import clean, name

CHUNK = 4096  # bytes
LONGEST = 65536  # bytes of a line without an end; more is cut into lines of this
OPERATOR = "operator"
NAMED = re.compile(r"(?P<name>[^\W\d][\w .'-]{0,38}?):\s+(?P<text>\S.*)")
COMMANDS = {
    "/skip": Button.SKIP,
    "/mute": Button.MUTE,
    "/unmute": Button.UNMUTE,
    "/pause": Button.PAUSE_CHAT,
    "/resume": Button.RESUME_CHAT,
    "/stop": Button.STOP,
    "/go": Button.GO,
}
HELP = f"type a line, or 'name: line'; commands: {' '.join(COMMANDS)} /help"


def say(text: str) -> None:
    """Answer a command on stderr: stdout belongs to the captions."""
    sys.stderr.write(text + "\n")


class TerminalSense:
    """The Sense port on standard input. Its end (Ctrl-D, a pipe's end) ends the sense, not the show."""

    def __init__(self, fd: int = 0, tell: Callable[[str], None] = say) -> None:
        self._fd = fd
        self._tell = tell
        self._numbers = count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close: standard input is the process's."""

    async def events(self) -> AsyncIterator[Event]:
        """The Sense port."""
        pending = b""
        while chunk := await _read(self._fd):
            at = anyio.current_time()
            *lines, pending = (pending + chunk).split(b"\n")
            if len(pending) > LONGEST:
                lines, pending = [*lines, pending], b""
            for line in lines:
                if event := self._event(at, line):
                    yield event
        if event := self._event(anyio.current_time(), pending):
            yield event

    def _event(self, at: float, raw: bytes) -> Event | None:
        text = clean(raw).text
        if text.startswith("/"):
            return self._command(at, text)
        author = OPERATOR
        if named := NAMED.fullmatch(text):
            author, text = name(named["name"]), named["text"]
        if not text:
            return None
        return LineArrived(at, ChatLine(f"terminal-{next(self._numbers)}", author, text, Source.TERMINAL))

    def _command(self, at: float, text: str) -> Event | None:
        button = COMMANDS.get(text.split()[0].lower())
        if button is None:
            self._tell(HELP)
            return None
        return ButtonPressed(at, button)


async def _read(fd: int) -> bytes:
    """The next bytes; b"" at the end. No thread is left waiting in a read when the show ends."""
    while True:
        try:
            await anyio.wait_readable(fd)
        except PermissionError:  # epoll refuses plain files and /dev/null, which never make anyone wait
            await anyio.lowlevel.checkpoint()
        if not _in_background(fd):
            try:
                return os.read(fd, CHUNK)
            except OSError:  # the terminal has gone (EIO)
                return b""
        await anyio.sleep(1.0)


def _in_background(fd: int) -> bool:
    """Reading a terminal that belongs to another job would stop this process (SIGTTIN)."""
    try:
        return os.isatty(fd) and os.tcgetpgrp(fd) != os.getpgrp()
    except OSError:
        return False
