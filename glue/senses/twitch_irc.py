"""WORLD -> EVENTS: reads one channel's chat from Twitch's IRC, anonymously, over a WebSocket; or another
server's, over TCP.

Protocol: https://dev.twitch.tv/docs/chat/irc/. No key is needed and none is ever sent.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from glue.errors import Refused, TooSlow
from glue.senses.irc import Garbled, Message, lines, parse
from glue.senses.plain_irc import is_plain, plain_wire
from glue.senses.socket import Wire, Works, relay, wire

log = logging.getLogger(__name__)

LARGEST = 1 << 18  # bytes of a frame; Twitch's lines are below 16 KB
TWITCHS, OTHERS = "twitch.tv/tags twitch.tv/commands", "message-tags"
JOINED = {"ROOMSTATE", "366"}
NO_SUCH = {"msg_channel_suspended", "msg_banned", "tos_ban"}


@dataclass(frozen=True, slots=True)
class TwitchIrc:
    """`take` gets each message; `timeout` is for answers, `silence` until we ask whether anybody is there."""

    part: str
    url: str
    channel: str
    timeout: float
    silence: float
    take: Callable[[Message], Awaitable[None]]
    ca_file: str = ""  # certificates that the system does not know

    async def run(self, works: Works) -> None:
        """Read for ever. Raises Unreachable, TooSlow or Refused when that ends."""
        await relay(self.url, self._read, works)

    async def _read(self, url: str, joined: Works, handover: Callable[[str], None]) -> None:
        opened = plain_wire if is_plain(url) else wire
        async with opened(self.part, url, self.timeout, LARGEST, self.ca_file) as line:
            nick = f"justinfan{random.randrange(10_000, 100_000)}"
            await line.send(f"CAP REQ :{OTHERS if is_plain(url) else TWITCHS}")
            await line.send(f"NICK {nick}")
            if is_plain(url):
                await line.send(f"USER {nick} 0 * :{nick}")
                await line.send("CAP END")
            else:
                await line.send(f"JOIN #{self.channel}")
            deadline = anyio.current_time() + self.timeout
            inside = False
            while True:
                frame = await self._frame(line, None if inside else deadline)
                for message in self._messages(frame):
                    await self._answer(line, message, handover)
                    if not inside and message.command in JOINED:
                        inside = True
                        joined()
                    if message.command != "PRIVMSG" or self._is_public(message):
                        await self.take(message)

    def _is_public(self, message: Message) -> bool:
        """Whether it was said in the channel: elsewhere anybody may write to us alone."""
        return bool(message.params) and message.params[0].lower() == f"#{self.channel}"

    async def _frame(self, line: Wire, deadline: float | None) -> str | bytes:
        """The next frame; a server that is silent is asked once whether it is there."""
        if deadline is not None:
            left = deadline - anyio.current_time()
            try:
                return await line.receive(max(0.0, left))
            except TooSlow as error:
                why = f"nobody let us into #{self.channel}: is the channel's name right (chat.channel)?"
                raise Refused(self.part, why) from error
        try:
            return await line.receive(self.silence)
        except TooSlow:
            await line.send("PING :spark")
            return await line.receive(self.timeout)

    def _messages(self, frame: str | bytes) -> list[Message]:
        found = []
        for text in lines(frame):
            try:
                found.append(parse(text))
            except Garbled as error:
                log.info("a line from Twitch was not understood: %s", error)
        return found

    async def _answer(self, line: Wire, message: Message, handover: Callable[[str], None]) -> None:
        match message.command:
            case "PING":
                await line.send(f"PONG :{message.text}")
            case "001" if is_plain(self.url):  # which takes no JOIN before its welcome
                await line.send(f"JOIN #{self.channel}")
            case "RECONNECT":
                handover("")
            case "NOTICE" if message.tags.get("msg-id") in NO_SUCH:
                raise Refused(self.part, f"Twitch has closed #{self.channel}; cure: chat.channel=NAME")
            case "NOTICE" if "authentication failed" in message.text.lower() and "." in message.nick:
                raise Refused(self.part, "Twitch did not let an anonymous reader in")
