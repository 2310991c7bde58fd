"""WORLD -> EVENTS: EventSub over a WebSocket: a session, what it is to tell, and one session after the other.

Protocol: https://dev.twitch.tv/docs/eventsub/handling-websocket-events/.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import anyio

from glue.errors import PortError, Refused, TooSlow, Unreachable, first
from glue.senses.irc import Garbled
from glue.senses.socket import Works, relay, wire
from glue.senses.twitch_api import Owner, TwitchApi
from glue.senses.twitch_news import KINDS, News, count, parse

log = logging.getLogger(__name__)

LARGEST = 1 << 20  # bytes of a frame
GRACE_S = 5.0  # a keep-alive may be so late
MOST_SILENCE_S = 600
REFUSED_S = 300.0  # a wrong token is not tried again before this: the answer would be the same
HOUR_S = 3600.0  # Twitch wants a token checked so often
REVOKED = {  # why nothing more comes in this session; the other reason is a version that Twitch gave up
    "authorization_revoked": "TWITCH_TOKEN was revoked, or a password changed; cure: a new user token",
    "user_removed": "the channel or TWITCH_TOKEN's owner is no user of Twitch any more",
}


class TwitchEvents:
    """`take` gets each notification once it is parsed; `asked` the owner and the channel's id."""

    def __init__(
        self,
        part: str,
        url: str,
        api: TwitchApi,
        channel: str,
        timeout: float,
        take: Callable[[News], Awaitable[None]],
        asked: Callable[[Owner, str], None],
    ) -> None:
        self._part, self._url, self._api, self._channel = part, url, api, channel
        self._timeout, self._take, self._asked = timeout, take, asked
        self._refused: tuple[float, Refused] | None = None

    async def run(self, works: Works) -> None:
        """Listen for ever. Raises Unreachable, TooSlow or Refused when that ends."""
        if self._refused and time.monotonic() < self._refused[0]:
            raise self._refused[1]
        try:
            await self._listen(works)
        except Refused as error:
            self._refused = (time.monotonic() + REFUSED_S, error)
            raise

    async def _listen(self, works: Works) -> None:
        owner = await self._api.owner()
        channel_id = await self._api.user_id(owner, self._channel)
        self._asked(owner, channel_id)
        try:
            async with anyio.create_task_group() as tg:
                tg.start_soon(self._check_hourly)
                await relay(self._url, partial(self._read, owner, channel_id), works)
        except* PortError as group:
            raise first(group) from group

    async def _check_hourly(self) -> None:
        while True:
            await anyio.sleep(HOUR_S)
            # the session goes on: a new one would miss what came between
            with suppress(TooSlow, Unreachable):
                await self._api.owner()

    async def _read(
        self, owner: Owner, channel_id: str, url: str, joined: Works, handover: Callable[[str], None]
    ) -> None:
        within = self._timeout
        async with wire(self._part, url, self._timeout, LARGEST) as line:
            while True:
                news = self._parsed(await line.receive(within))
                if news is None:
                    continue
                match news.kind:
                    case "session_welcome":
                        alive = count(news.session.get("keepalive_timeout_seconds")) or 10
                        within = min(alive, MOST_SILENCE_S) + GRACE_S
                        if url == self._url:  # the next session of a reconnect keeps what was asked for
                            await self._subscribe(owner, channel_id, str(news.session.get("id")))
                        joined()
                    case "session_reconnect":
                        handover(self._next(news))
                    case "revocation":
                        self._revoked(news)
                    case "notification":
                        await self._take(news)

    def _parsed(self, frame: str | bytes) -> News | None:
        try:
            return parse(frame)
        except Garbled as error:
            log.info("a message from EventSub was not understood: %s", error)
            return None

    def _revoked(self, news: News) -> None:
        """Raises Refused where that is the end of all of them."""
        if why := REVOKED.get(news.status):
            raise Refused(self._part, why)
        log.warning("Twitch stopped telling of some events", extra={"kind": news.topic})

    def _next(self, news: News) -> str:
        url = str(news.session.get("reconnect_url"))
        if not url.startswith(("wss://", "ws://")):
            raise Unreachable(self._part, "Twitch asked for a new connection without saying where to")
        return url

    async def _subscribe(self, owner: Owner, channel_id: str, session: str) -> None:
        """Raises Refused where the token may have nothing of it."""
        ids = {"channel": channel_id, "me": owner.user_id}
        lacking = []
        for kind, version, about in KINDS:
            condition = {key: ids[whose] for key, whose in about.items()}
            if not await self._api.subscribe(owner, session, kind, version, condition):
                lacking.append(kind)
        if len(lacking) == len(KINDS):
            raise Refused(self._part, "TWITCH_TOKEN has none of the scopes; cure: see conf/chat/twitch.yaml")
        if lacking:
            log.warning("TWITCH_TOKEN lacks scopes for some events", extra={"kinds": ", ".join(lacking)})
