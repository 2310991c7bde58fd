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

from glue.desk_events import OperatorAsked, Wish
from glue.events import Button, ButtonPressed, ChatLine, Event, LineArrived, Source
from glue.game_events import GameButton, GamePressed
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
    "/dump": Button.DUMP,
    "/panic": Button.PANIC,
    "/stop": Button.STOP,
    "/go": Button.GO,
}
SAME = {"/hold": (Wish.HOLD, "always"), "/release": (Wish.HOLD, "never"), "/fast": (Wish.SLOW, "0")}
WISHES = {f"/{wish.value}": wish for wish in Wish if wish is not Wish.HOLD}
GAME = re.compile(
    rf"/game\s+(?P<game>\S.*?)\s+(?P<button>{'|'.join(GameButton)})(?:\s+(?P<text>.*))?", re.IGNORECASE
)
HELP = (
    f"type a line, or 'name: line'; commands: {' '.join(COMMANDS)} /help\n"
    "the show: /go where it waits for you, /end after her goodbye, /end once more at once\n"
    "chat: /pause (you, voices, games and who paid are heard; /stop lets nothing in), "
    "/slow, /slow SECONDS, /fast, /timeout NAME SECONDS (0 lets in again)\n"
    "on air: /delay SECONDS, /hold and then /yes, /edit WORDS or /drop (t3.1: that clause; /yes t3: the "
    "whole reply), /release, /anyway, /say WORDS or WHO: WORDS, /play SOUND, /sing SONG, /topic, /mood, "
    "/persona WHO, /block WORD, /unblock WORD, /remember ID WORDS, /forget ID or @NAME, "
    "/export NAME, /import NAME, /restart ENGINE, /look inbox|health|blocklist|desk|memory, /find WORDS, "
    "/open t3\n"
    f"games: /game NAME {'|'.join(GameButton)} ACTION"
)


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
        if game := GAME.fullmatch(text):
            button = GameButton(game["button"].lower())
            return GamePressed(at, game["game"], button, game["text"] or "")
        word, _, rest = text.partition(" ")
        word = word.lower()
        if word in SAME:
            return OperatorAsked(at, *SAME[word])
        if word in WISHES:
            return OperatorAsked(at, WISHES[word], rest.strip())
        if word not in COMMANDS:
            self._tell(HELP)
            return None
        return ButtonPressed(at, COMMANDS[word])


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
