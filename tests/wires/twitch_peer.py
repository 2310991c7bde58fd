"""A server that behaves as Twitch's documents say: IRC over a WebSocket here, EventSub and Helix beside it.

IRC: https://dev.twitch.tv/docs/chat/irc/. It knows one channel, `spark`, and closes nothing unless told to.
"""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.waiting import eventually
from tests.wires.twitch_peer_events import Events

HOST = "tmi.twitch.tv"
ROOM = "1001"
ESCAPES = str.maketrans({";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"})


def tagged(tags: dict[str, str], rest: str) -> str:
    return "@" + ";".join(f"{key}={value.translate(ESCAPES)}" for key, value in tags.items()) + f" {rest}"


@dataclass
class Peer:
    """The whole of it. `frames` of text go out as they are; `deaf` servers never answer."""

    channel: str = "spark"
    deaf: bool = False
    events: Events = field(default_factory=Events)
    inside: set[ServerConnection] = field(default_factory=set)
    nicks: list[str] = field(default_factory=list)
    passes: list[str] = field(default_factory=list)
    refusing: bool = False  # whoever comes is turned away, as when a network is gone
    refused: int = 0
    slow: set[ServerConnection] = field(default_factory=set)  # what these are sent arrives `lag` seconds late
    lag: float = 0.0
    pings: int = 0
    pongs: list[str] = field(default_factory=list)
    joins: int = 0
    names: dict[str, str] = field(default_factory=dict)  # who wrote a message
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _server: Server | None = None

    @property
    def irc(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Peer]:
        self.events.written_to = self.wrote

        def irc(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
            return next((each for each in offered if each == "irc"), None)

        listening = serve(self._irc, "127.0.0.1", 0, close_timeout=0.1, select_subprotocol=irc)
        async with self.events.running(), listening as server:
            self._server = server
            yield self
            for connection in list(server.connections):
                connection.transport.abort()

    async def _irc(self, connection: ServerConnection) -> None:
        nick, trusted = "", True
        if self.refusing:
            self.refused += 1
            connection.transport.abort()
            return
        with suppress(ConnectionClosed):
            async for frame in connection:
                for line in str(frame).split("\r\n"):
                    words = line.split()
                    if self.deaf or not words:
                        continue
                    command = words[0].upper()
                    if command == "PASS":
                        self.passes.append(words[1])
                        trusted = words[1] == "oauth:good"
                    elif command == "NICK":
                        nick = words[1].lower()
                        self.nicks.append(nick)
                        if not (trusted or nick.startswith("justinfan")):
                            await connection.send(f":{HOST} NOTICE * :Login authentication failed\r\n")
                            return
                        await connection.send("".join(self._greeting(nick)))
                    else:
                        await self._command(connection, nick, command, words, line)
        self.inside.discard(connection)

    async def _command(
        self, connection: ServerConnection, nick: str, command: str, words: list[str], line: str
    ) -> None:
        match command:
            case "CAP" if words[1].upper() == "REQ":
                await connection.send(f":{HOST} CAP * ACK {line.split(' ', 2)[2]}\r\n")
            case "JOIN" if words[1] == f"#{self.channel}":
                await connection.send("".join(self._entrance(nick)))
                self.inside.add(connection)
                self.joins += 1
            case "PING":
                self.pings += 1
                await connection.send(f":{HOST} PONG {HOST} {line.split(' ', 1)[1]}\r\n")
            case "PONG":
                self.pongs.append(line.partition(":")[2])
            case "PRIVMSG" if not nick.startswith("justinfan"):
                self.wrote(nick, line.partition(" :")[2], but=connection)

    def _greeting(self, nick: str) -> Iterable[str]:
        said = {"001": "Welcome, GLHF!", "002": f"Your host is {HOST}", "003": "This server is rather new"}
        said |= {"004": "-", "375": "-", "372": "You are in a maze of twisty passages.", "376": ">"}
        for code, text in said.items():
            yield f":{HOST} {code} {nick} :{text}\r\n"

    def _entrance(self, nick: str) -> Iterable[str]:
        yield f":{nick}!{nick}@{nick}.{HOST} JOIN #{self.channel}\r\n"
        yield f":{nick}.{HOST} 353 {nick} = #{self.channel} :{nick}\r\n"
        yield f":{nick}.{HOST} 366 {nick} #{self.channel} :End of /NAMES list\r\n"
        room = {"emote-only": "0", "followers-only": "-1", "r9k": "0", "room-id": ROOM, "slow": "0"}
        yield tagged(room, f":{HOST} ROOMSTATE #{self.channel}\r\n")

    def frame(self, frame: str | bytes, but: ServerConnection | None = None) -> None:
        """Send a frame to everybody in the channel."""
        broadcast(self.inside - self.slow - {but}, frame)
        for connection in self.slow:
            asyncio.get_running_loop().call_later(self.lag, broadcast, {connection}, frame)

    def say(self, text: str, login: str = "mika", **tags: str) -> str:
        """A viewer writes. Returns the message's id."""
        id = str(uuid.uuid4())
        known = {"display-name": login.title(), "id": id, "room-id": ROOM, "user-id": f"u-{login}"}
        known |= {"tmi-sent-ts": str(int(time.time() * 1000)), "badges": "", "mod": "0", "subscriber": "0"}
        known |= {key.replace("_", "-"): value for key, value in tags.items()}
        self.names[known["id"]] = known["display-name"]
        self.frame(tagged(known, f":{login}!{login}@{login}.{HOST} PRIVMSG #{self.channel} :{text}\r\n"))
        return known["id"]

    def wrote(self, login: str, text: str, answers: str = "", but: ServerConnection | None = None) -> str:
        """A line that came in by a client or by Helix, as the others see it. Returns the message's id."""
        tags = {"display-name": login, "id": str(uuid.uuid4()), "user-id": f"u-{login}"}
        if answers:
            tags |= {"reply-parent-msg-id": answers}
            text = f"@{self.names[answers]} {text}"
        self.frame(tagged(tags, f":{login}!{login}@{login}.{HOST} PRIVMSG #{self.channel} :{text}\r\n"), but)
        return tags["id"]

    def notice(self, kind: str, login: str = "mika", text: str = "", **tags: str) -> None:
        """A USERNOTICE; `tags` without msg-param-, "_" for "-"."""
        known = {"display-name": login.title(), "login": login, "msg-id": kind, "id": str(uuid.uuid4())}
        known |= {"user-id": f"u-{login}", "room-id": ROOM, "system-msg": f"{login} did {kind}"}
        known |= {f"msg-param-{key.replace('_', '-')}": value for key, value in tags.items()}
        said = f" :{text}" if text else ""
        self.frame(tagged(known, f":{HOST} USERNOTICE #{self.channel}{said}\r\n"))

    def delete(self, id: str, login: str = "mika") -> None:
        """A moderator deletes a line."""
        tags = {"login": login, "room-id": "", "target-msg-id": id, "tmi-sent-ts": "1"}
        self.frame(tagged(tags, f":{HOST} CLEARMSG #{self.channel} :gone\r\n"))

    def ban(self, login: str) -> None:
        """A moderator bans somebody."""
        tags = {"room-id": ROOM, "target-user-id": f"u-{login}", "tmi-sent-ts": "1"}
        self.frame(tagged(tags, f":{HOST} CLEARCHAT #{self.channel} :{login}\r\n"))

    async def reconnect(self, lag: float = 0.0) -> None:
        """Ask every client to come again, and close its connection when it has; until then what it is sent
        there arrives `lag` seconds late."""
        old, joins = list(self.inside), self.joins + len(self.inside)
        self.frame(f":{HOST} RECONNECT\r\n")
        if lag:
            self.slow, self.lag = set(old), lag
        await eventually(lambda: self.joins >= joins)
        await asyncio.sleep(lag)
        for connection in old:
            self.slow.discard(connection)
            self.inside.discard(connection)
            connection.transport.abort()

    def drop(self, most: int = 100) -> None:
        """Break connections without a word."""
        for connection in list(self.inside)[:most]:
            self.inside.discard(connection)
            connection.transport.abort()
