"""Her seat at the board: a client of the Neuro Game API, as any game is one (VedalAI/neuro-sdk, MIT).

Connected anew whenever the show is gone; what she was asked is asked again then.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

GAME = "Chess"
BACK_OFF = (0.2, 3.0)  # seconds between two tries, doubled from the first to the second
OPEN_S = 3.0  # for the handshake
UNTOLD = 8  # messages that wait for a connection; the oldest are no news any more
TAKEN_OVER = 4009  # a closing code of the show's: another seat of this name has it now ...
YIELD_S = 60.0  # ... and the two must not take it from each other all the time
REMIND_S = 8.0
LARGEST = 1 << 20  # bytes of a frame
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What she has to decide: one of `moves` (SAN). `told(san, seconds)` makes it on the board, and is
    what she hears of it."""

    state: str
    moves: tuple[str, ...]
    told: Callable[[str, float], str]


@dataclass(slots=True)
class Asked:
    """A question that is open. `since`: when it was first sent, on time.monotonic(); 0: not yet."""

    question: Question
    since: float = 0.0
    answered: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Seat:
    """One game's wire. `run()` keeps it; decide() and tell() are for the match. `refused(move, asked)` is
    told each answer that is not taken: the move in it, "" where it names none, and whether she was asked."""

    url: str
    priority: str
    again_s: float  # a question without an answer is asked again: the other side may have given it up
    named: Callable[[str], None] = lambda name: None  # told what she is called
    refused: Callable[[str, bool], None] = lambda move, asked: None
    joined: asyncio.Event = field(default_factory=asyncio.Event)  # set once she has been there
    _asked: Asked | None = None
    _socket: ClientConnection | None = None
    _stands: str = ""
    _untold: deque[str] = field(default_factory=lambda: deque(maxlen=UNTOLD))

    async def run(self) -> None:
        """Be connected, for ever."""
        pause, told = BACK_OFF[0], False
        while True:
            try:
                async with connect(
                    self.url,
                    proxy=None,
                    compression=None,
                    open_timeout=OPEN_S,
                    close_timeout=0.2,
                    max_size=LARGEST,
                ) as socket:
                    pause, told = BACK_OFF[0], False
                    await self._converse(socket)
            except (OSError, WebSocketException, ValueError) as error:  # ValueError: a port that is none
                if not told:
                    sys.stderr.write(f"chess: nobody to play with at {self.url} ({error}); trying again\n")
                told = True
                if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code == TAKEN_OVER:
                    pause = YIELD_S
            finally:
                self._socket = None
            await asyncio.sleep(pause)
            pause = min(2 * pause, BACK_OFF[1])

    async def decide(self, question: Question) -> None:
        """Ask until she has answered with one of the moves, and it was made."""
        self._asked = asked = Asked(question)
        while not asked.answered.is_set():
            await self._force()
            with suppress(TimeoutError):
                await asyncio.wait_for(asked.answered.wait(), self.again_s)

    async def tell(self, message: str, silent: bool = False) -> None:
        """Let her know; she may speak about it unless it is `silent`."""
        text = _frame("context", {"message": message, "silent": silent})
        if not await self._send(text):
            self._untold.append(text)

    async def stands(self, message: str) -> None:
        """How it stands now, in place of what was told so last; she does not speak about it unasked."""
        self._stands = message
        await self._stand()

    async def remind(self) -> None:
        """Say it again for ever: what a game has not said for long may be so no more."""
        while True:
            await asyncio.sleep(REMIND_S)
            await self._stand()

    async def _stand(self) -> None:
        ours = {"standing": True}  # a field that our own server knows, and others ignore
        if self._stands:
            await self._send(_frame("context", {"message": self._stands, "silent": True, "spark": ours}))

    async def _converse(self, socket: ClientConnection) -> None:
        await socket.send(_frame("startup", {}))
        async for frame in socket:
            message = _read(frame)
            data = message.get("data") or {}
            match message.get("command"):
                case "startup":
                    self._socket = socket
                    self.named(str(data.get("session", {}).get("displayName", ""))[:40])
                    self.joined.set()
                    while self._untold:
                        await socket.send(self._untold.popleft())
                    await self._stand()
                    await self._force()
                case "actions/reregister_all":
                    await self._force()
                case "action":
                    await self._answered(data)

    async def _force(self) -> None:
        """The moves are an action only while it is her turn: she cannot move out of it."""
        if self._asked is None or self._socket is None:
            return
        question = self._asked.question
        schema = {
            "type": "object",
            "properties": {"move": {"enum": list(question.moves)}},
            "required": ["move"],
        }
        move = {"name": "move", "description": "Make your move.", "schema": schema}
        await self._send(_frame("actions/unregister", {"action_names": ["move"]}))
        await self._send(_frame("actions/register", {"actions": [move]}))
        force = {"query": "It is your move.", "state": question.state, "ephemeral_context": True}
        self._asked.since = self._asked.since or time.monotonic()
        await self._send(
            _frame("actions/force", force | {"priority": self.priority, "action_names": ["move"]})
        )

    async def _answered(self, data: Data) -> None:
        id = str(data.get("id", ""))
        wanted = _parameters(data).get("move")
        asked, move = self._asked, wanted if isinstance(wanted, str) and data.get("name") == "move" else ""
        if asked is None:
            self.refused(move, False)
            await self._result(id, False, "It is not your turn.")
        elif move not in asked.question.moves:
            self.refused(move, True)
            await self._result(id, False, "That is no legal move here.")
        else:
            self._asked = None
            message = asked.question.told(move, time.monotonic() - asked.since)
            await self._send(_frame("actions/unregister", {"action_names": ["move"]}))
            await self._result(id, True, message)
            asked.answered.set()  # only now: the next question's move must not be taken back with this one

    async def _result(self, id: str, success: bool, message: str) -> None:
        await self._send(_frame("action/result", {"id": id, "success": success, "message": message}))

    async def _send(self, text: str) -> bool:
        if self._socket is None:
            return False
        try:
            await self._socket.send(text)
        except ConnectionClosed:
            return False  # run() sees it as well
        return True


def _frame(command: str, data: Data) -> str:
    return json.dumps({"command": command, "game": GAME, "data": data})


def _read(frame: str | bytes) -> dict[str, Any]:
    """A message; empty for what is none."""
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(message, dict) or not isinstance(message.get("data") or {}, dict):
        return {}
    return message


def _parameters(data: Data) -> dict[str, Any]:
    """An action's parameters: JSON in a text."""
    text = data.get("data")
    return _read(text) if isinstance(text, str) else {}
