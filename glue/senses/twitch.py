"""WORLD -> EVENTS: a Twitch channel as a sense: its chat, who did something for her, her own lines into it.

Chat is read over two anonymous connections: one may break without a line lost, and each line passes once.
With a token EventSub tells of follows and channel points too; what both wires tell is heard once.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import count
from types import TracebackType
from typing import Self

import anyio

from glue.closing import closing
from glue.errors import ConfigError
from glue.events import Event, LineArrived
from glue.senses.inlet import Inlet
from glue.senses.irc import Message
from glue.senses.ledger import Ledger
from glue.senses.plain_irc import is_plain
from glue.senses.socket import Works, certificates
from glue.senses.twitch_api import Owner, TwitchApi
from glue.senses.twitch_chat import Chat, key
from glue.senses.twitch_events import TwitchEvents
from glue.senses.twitch_irc import TwitchIrc
from glue.senses.twitch_news import News, read, reward_id, user_id
from glue.senses.twitch_own import Own
from glue.senses.twitch_writing import Writer

log = logging.getLogger(__name__)

CHANNEL = re.compile(r"[a-z0-9_]{1,25}")
Run = Callable[[Works], Awaitable[None]]


class Twitch:
    """The Sense port on a channel, and a Viewer where she writes. `runs()` are supervised one by one."""

    def __init__(
        self,
        channel: str,
        token: str = "",
        write: bool = False,
        connections: int = 2,
        ignored: Sequence[str] = (),
        irc: str = "wss://irc-ws.chat.twitch.tv:443",
        eventsub: str = "wss://eventsub.wss.twitch.tv/ws",
        helix: str = "https://api.twitch.tv/helix",
        auth: str = "https://id.twitch.tv/oauth2",
        timeout_s: float = 10.0,
        silence_s: float = 60.0,
        ca_file: str = "",
    ) -> None:
        """conf/chat/twitch.yaml says what each is for. Raises ConfigError."""
        self.precheck(channel, token, write, connections, timeout_s, silence_s)
        self._channel = _plain(channel)
        self._ledger = Ledger()
        self._chat = Chat(self._ledger, {login.lower() for login in ignored}, count(1))
        self._inlet = Inlet()
        if is_plain(irc):
            connections = 1  # lines of other servers have no ids, by which one that comes twice is known
        self._parts = ["twitch", *(f"twitch, line {n}" for n in range(2, connections + 1))]
        irc_words = (irc, self._channel, timeout_s, silence_s, self._heard, ca_file)
        self._irc = [TwitchIrc(part, *irc_words) for part in self._parts]
        self._ca_file = ca_file
        self._api: TwitchApi | None = None
        self._events: TwitchEvents | None = None
        if token:
            part = "twitch events"
            self._api = TwitchApi(part, helix, auth, token, timeout_s)
            self._events = TwitchEvents(
                part, eventsub, self._api, self._channel, timeout_s, self._told, self._asked
            )
        self._writer = Writer(self._write) if write else None
        self._own = Own()
        self._account: tuple[Owner, str] | None = None

    @staticmethod
    def precheck(
        channel: str, token: str, write: bool, connections: int, timeout_s: float, silence_s: float
    ) -> None:
        """Before an engine is loaded for it. Raises ConfigError."""
        if not CHANNEL.fullmatch(_plain(channel)):
            raise ConfigError("chat.channel: must be a Twitch channel's name (letters, digits, _)")
        if not 1 <= connections <= 4 or timeout_s <= 0 or silence_s <= 0:
            raise ConfigError("chat.twitch: connections must lie between 1 and 4; times must be positive")
        if write and not token:
            raise ConfigError("chat.twitch.write: needs a token; cure: TWITCH_TOKEN in the environment")

    async def __aenter__(self) -> Self:
        """Raises ConfigError for a ca_file that is none."""
        try:
            certificates(self._ca_file)  # now, and not in the middle of the show
        except ConfigError:
            self._inlet.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inlet.close()
        if self._api is not None:
            with anyio.move_on_after(0.2, shield=True):
                await self._api.close()

    def runs(self) -> dict[str, Run]:
        """What has to run beside the show, by the name of the part."""
        runs: dict[str, Run] = {irc.part: irc.run for irc in self._irc}
        if self._events is not None:
            runs["twitch events"] = self._events.run
        if self._writer is not None:
            runs["twitch writing"] = self._writer.run
        return runs

    def accounts(self) -> tuple[str, ...]:
        """By which names viewers speak to her here: the channel's, and the one under which she writes."""
        return (self._channel, *([self._own.login] if self._writer and self._own.login else ()))

    async def events(self) -> AsyncIterator[Event]:
        """The Sense port."""
        async with closing(self._inlet.events()) as events:
            async for event in events:
                yield event

    async def _heard(self, message: Message) -> None:
        if not self._own.has(message) and (event := self._chat.read(message, anyio.current_time())):
            await self._inlet.put(event)

    async def _told(self, news: News) -> None:
        if (told := read(news)) is None:
            return
        (line, login), now = told, anyio.current_time()
        assert line.deed is not None  # read() gives nothing else
        if not self._ledger.first(line.id, user_id(news) or login):
            return
        if not self._ledger.told("eventsub", key(line.deed, login, reward_id(news)), line.id, now):
            await self._inlet.put(LineArrived(now, line))

    def _asked(self, owner: Owner, channel_id: str) -> None:
        self._account, self._own.login = (owner, channel_id), owner.login
        if self._writer and "user:write:chat" not in owner.scopes:
            log.warning("TWITCH_TOKEN lacks the scope user:write:chat: she cannot write into the chat")
        if owner.login != self._channel:
            self._chat.ignored.add(owner.login)  # nobody but her writes under that name

    def show(self, event: Event) -> None:
        """The Viewer port: her answers to lines of this chat are written into it, where that is wanted."""
        if self._writer is not None and self._account is not None:
            self._writer.show(event)

    async def _write(self, text: str, answers: str) -> bool:
        assert self._api is not None and self._account is not None  # it comes after show()
        self._own.writes(text)
        id = await self._api.write(*self._account, text, answers)
        if id:
            self._own.wrote(id)
        return id is not None


def _plain(channel: str) -> str:
    return channel.strip().lstrip("#@").lower()
