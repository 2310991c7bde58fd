"""A recorded session played again: the AI's side to a game, or the game's side to a show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from glue.errors import ConfigError
from glue.games.byhand import ByHand, Send
from glue.games.messages import Message
from glue.games.recording import Frame

PATIENCE = 30.0  # seconds that an action may take to come, when a recorded result is for one
BY_ITSELF = ("startup", "actions/reregister_all")  # what the server sends without being told
LAST = 1.0  # seconds of listening after the last frame


class Answers:
    """The server's Host: each recorded action is sent once the game has said as much as it had before it."""

    def __init__(self, frames: list[Frame], hand: ByHand, say: Callable[[str], None]) -> None:
        self._frames, self._hand, self._say = frames, hand, say
        self._heard = 0
        self._more = anyio.Event()

    def joined(self, who: str, game: str, session: str, send: Send) -> None:
        """The server's Host."""
        self._hand.joined(who, game, session, send)

    def told(self, who: str, message: Message, now: float) -> None:
        """The server's Host."""
        self._hand.told(who, message, now)
        self._heard += 1
        self._more.set()

    def puzzled(self, who: str, game: str, text: str, why: str) -> None:
        """The server's Host."""
        self._hand.puzzled(who, game, text, why)
        self._heard += 1
        self._more.set()

    def left(self, who: str, game: str, session: str, why: str) -> None:
        """The server's Host."""
        self._hand.left(who, game, session, why)

    async def run(self) -> None:
        """Send the recorded actions; the rest is up to whoever types."""
        before = 0
        for frame in self._frames:
            if frame.side == "game":
                before += 1
                continue
            message = frame.message
            if message.get("command") in BY_ITSELF:
                continue
            while self._heard < before:
                self._more = anyio.Event()
                await self._more.wait()
            data = message.get("data")
            self._hand.send(str(message.get("command")), data if isinstance(data, dict) else {})
            self._say(f"<- {frame.text}")
        self._say("the recording is at its end")


async def play_game(frames: list[Frame], url: str, speed: float, say: Callable[[str], None]) -> None:
    """Be the game: its frames in their time, results when their action has come. Raises ConfigError."""
    try:
        async with connect(url, compression=None) as socket, anyio.create_task_group() as tg:
            game = Game(socket, say)
            tg.start_soon(game.listen)
            await game.play([frame for frame in frames if frame.side == "game"], speed)
            tg.cancel_scope.cancel()
    except (OSError, InvalidHandshake) as error:
        raise ConfigError(f"{url}: {error}") from error


class Game:
    """A recorded game on a socket. Its results get the ids of the actions that come now."""

    def __init__(self, socket: ClientConnection, say: Callable[[str], None]) -> None:
        self._socket, self._say = socket, say
        self._send, self._actions = anyio.create_memory_object_stream[str](1000)

    async def listen(self) -> None:
        """Show what comes, and keep the ids."""
        try:
            async for text in self._socket:
                self._say(f"<- {text!s}")
                message = Frame(0.0, "ai", str(text)).message
                data = message.get("data")
                if message.get("command") == "action" and isinstance(data, Mapping):
                    self._send.send_nowait(str(data.get("id")))
        except ConnectionClosed:
            pass

    async def play(self, frames: list[Frame], speed: float) -> None:
        """Send all of them."""
        begun = anyio.current_time()
        with self._send, self._actions:
            for frame in frames:
                await anyio.sleep_until(begun + frame.t / speed)
                message = frame.message
                if message.get("command") == "action/result":
                    begun += await self._meet(message)
                text = json.dumps(message) if message else frame.text
                self._say(f"-> {text}")
                await self._socket.send(text)
            await anyio.sleep(LAST)

    async def _meet(self, message: dict[str, Any]) -> float:
        """Give a result the id of the next action; returns the seconds that it was waited for."""
        asked = anyio.current_time()
        with anyio.move_on_after(PATIENCE):
            id = await self._actions.receive()
            message["data"] = {**message.get("data", {}), "id": id}
            return anyio.current_time() - asked
        self._say("no action came for this result: it goes out as it was recorded")
        return anyio.current_time() - asked
