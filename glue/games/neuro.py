"""Games, both ways: a Sense of what happens in them, a Viewer of the show, and who plays them.

Every game that speaks the Neuro Game API connects here; each has a lane of its own.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from random import Random
from typing import Any, Self

import anyio

from glue.chat_events import LinesRemoved
from glue.desk_events import OperatorServed
from glue.events import (
    Button,
    ButtonPressed,
    ChatLine,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    Source,
    TurnStarted,
)
from glue.game_events import FloorClaimed, GameButton, GameFate, GameMessageClosed, GamePressed
from glue.games.asking import asks, may_ask
from glue.games.errands import Errand
from glue.games.facts import facts
from glue.games.messages import Message
from glue.games.past import past
from glue.games.plain import promise
from glue.games.play import Play
from glue.games.player import Player, Taste
from glue.games.rules import Rules
from glue.games.screened import Screens, as_it_is, called, screened
from glue.games.server import Server, bound
from glue.games.text import line
from glue.games.voice import Voice
from glue.news import UNSPOKEN
from glue.ports import Fact, Llm

log = logging.getLogger(__name__)

WAITING = 256  # things to speak about that the show has not taken yet
KNOWN = 64  # games that are remembered when they have gone


class NeuroGames:
    """The Neuro Game API's server. `cast`: what each character is called; `clears(who, text)`: why words may
    not leave, `mends(text)`: them without links and personal data; `screens(text, data)`: what of a game's
    words she may read; `emit` reaches every viewer."""

    endless = True  # a game may come at any time

    def __init__(
        self,
        llm: Llm,
        cast: Mapping[str, str],
        clears: Callable[[str, str], str],
        emit: Callable[[Event], None],
        host: str = "127.0.0.1",
        port: int = 8000,
        token: str = "",
        origins: Sequence[str] = (),
        rules: Rules | None = None,
        taste: Taste | None = None,
        seed: int = 0,
        screens: Screens = as_it_is,
        mends: Callable[[str], str] = str,
    ) -> None:
        self.port = port
        self._llm, self._cast, self._clears, self._tell = llm, cast, clears, emit
        self._screens, self._mends, self._address = screens, mends, host
        self._rules, self._taste = rules or Rules(), taste or Taste()
        self._random = Random(seed or None)
        self._server = Server(self, cast, token, origins)
        self._voice = Voice()
        self._plays: dict[tuple[str, str], Play] = {}
        self._sessions: dict[tuple[str, str], str] = {}
        self._stack = AsyncExitStack()
        self._strange, self._nameless = 0, count(1)
        self._begun = anyio.Event()  # the show listens; while it warms up, a decision would delay it

    async def __aenter__(self) -> Self:
        """Open the port. Raises ConfigError where it is taken."""
        listener = bound(self._address, self.port)  # before there is a task group that would wrap the error
        async with AsyncExitStack() as stack:
            self._send, self._receive = anyio.create_memory_object_stream[Event](WAITING)
            stack.enter_context(self._send)
            stack.enter_context(self._receive)
            self._lanes = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(self._lanes.cancel_scope.cancel)
            self.port = await stack.enter_async_context(self._server.serving(listener))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def welcome(self) -> str:
        """What to print at the start."""
        return f"games    ws://localhost:{self.port} (NEURO_SDK_WS_URL)"

    async def events(self) -> AsyncIterator[Event]:
        """The Sense port: what she may speak about, and claims to the floor. Games are played from now on."""
        self._begun.set()
        async for event in self._receive:
            yield event

    def show(self, event: Event) -> None:
        """The Viewer port: who speaks, and the operator's buttons."""
        self._voice.note(event)
        match event:
            case GamePressed():
                self._press(event)
            case TurnStarted(who=who, line=said) if self._rules.hears and said.source not in UNSPOKEN:
                self._hear(who, said, event.at)
            case LineArrived(line=said) if said.source not in UNSPOKEN:
                for play in self._plays.values():
                    play.table.mentions.reacted()
            case LinesRemoved(_, ids):
                for play in self._plays.values():
                    play.unhear(ids)
            case ButtonPressed(_, Button.STOP | Button.PANIC | Button.GO as button):  # games stop, too
                for play in self._plays.values():
                    play.press(GameButton.RESUME if button is Button.GO else GameButton.PAUSE, "")
            case _:
                pass

    def _press(self, pressed: GamePressed) -> None:
        found = [play for play in self._plays.values() if play.game == pressed.game]
        for play in found:
            play.press(pressed.button, pressed.text)
        what = " ".join(filter(None, [pressed.button, pressed.text]))
        names = ", ".join(sorted({play.game for play in self._plays.values()})) or "none"
        effect = f"{pressed.game}: {what}" if found else f"no game '{pressed.game}'; the games are: {names}"
        self._tell(OperatorServed(pressed.at, "game", what, bool(found), effect))

    def _hear(self, who: str, said: ChatLine, at: float) -> None:
        for play in self._played_by(who, said):
            author = _author(play, said)
            if play.orders.read(said.text, author) or may_ask(said.text, play.table.actions.values()):
                if play.hear(Errand(said.id, author, said.text, at)):
                    break  # one game does it

    def wishes(self, said: ChatLine) -> bool:
        """Whether somebody may want something done in a game by it: "!dig" is no word for a bot then."""
        plays = [play for play in self._plays.values() if play.connected and self._rules.hears]
        return any(
            play.orders.read(said.text, said.author) or asks(said.text, play.table.actions.values())
            for play in plays
        )

    def _played_by(self, who: str, said: ChatLine) -> list[Play]:
        """The games that she plays: what a line names first, then the newest."""
        newest = reversed(self._plays.items())
        found = [play for (player, _), play in newest if player == who and play.connected]
        return sorted(found, key=lambda play: play.game.casefold() not in said.text.casefold())

    def facts(self, who: str, said: ChatLine) -> list[str]:
        """What she should know before she answers a line, of the game that is named, or joined last; and what
        she does at once because of it."""
        found = self._played_by(who, said)
        if not found:
            return []
        for play in found if self._rules.hears else ():
            if choice := play.orders.intended(said.id, said.text, _author(play, said)):
                promised = promise(choice)
                return [Fact(f"In {play.game}: {promised}", promised)]
        play = found[0]
        table = play.table
        age = anyio.current_time() - table.standing.at if table.standing else 0.0
        standing = table.standing.text if table.standing else ""
        actions = table.actions.values()
        known = past(play.game, table.deeds, said.text, actions, table.ours)
        known = known or facts(play.game, standing, age, table.deeds.last, said.text, actions)
        if not known and self._rules.hears and asks(said.text, actions):
            return [f"In {play.game} I have not begun this yet."]  # or she says that it is done
        return known

    def joined(
        self, who: str, game: str, session: str, send: Callable[[str, Mapping[str, Any]], None]
    ) -> None:
        """The server's Host."""
        play = self._plays.pop((who, game), None)
        if play is None:
            self._forget()
            clears = partial(self._clears, who)
            player = Player(who, self._llm, self._taste, clears, self._random, self._mends)
            name = called(game, self._screens, self._nameless)
            play = Play(who, self._cast[who], name, self._rules, player, self._voice, self._emit)
            self._lanes.start_soon(self._lane, play)
        elif play.connected:
            play.detach()
        self._plays[who, game] = play  # the newest last
        self._sessions[who, game] = session
        play.attach(session, send)

    def told(self, who: str, message: Message, now: float) -> None:
        """The server's Host."""
        play = self._plays[who, message.game]
        play.take(screened(message, self._screens, play.table.actions), now)

    def puzzled(self, who: str, game: str, text: str, why: str) -> None:
        """The server's Host."""
        self._strange += 1
        now = anyio.current_time()
        fate = GameFate.UNREADABLE
        self._emit(GameMessageClosed(now, who, game, -self._strange, now, "", line(text, 200), fate, why))

    def left(self, who: str, game: str, session: str, why: str) -> None:
        """The server's Host. A game that has a newer connection has not left."""
        if self._sessions.get((who, game)) == session:
            log.info("a game left: %s", why)
            self._plays[who, game].detach()

    async def _lane(self, play: Play) -> None:
        await self._begun.wait()
        await play.run()

    def _emit(self, event: Event) -> None:
        """What the show has to act on goes through it; the rest is for viewers only."""
        if not isinstance(event, LineArrived | FloorClaimed):
            self._tell(event)
            return
        try:
            self._send.send_nowait(event)
        except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            log.warning("the show is behind: something in a game was not mentioned")
            if isinstance(event, LineArrived):
                self._tell(event)
                self._tell(LineClosed(event.at, event.line.id, Fate.OVERFLOW))

    def _forget(self) -> None:
        """The game that has been away longest makes room."""
        away = [key for key, play in self._plays.items() if not play.connected]
        if len(self._plays) >= KNOWN and away:
            self._plays.pop(away[0]).end()
            del self._sessions[away[0]]


def _author(play: Play, said: ChatLine) -> str:
    """Who said it; a game knows its players by their bare names."""
    return said.author.removesuffix(play.table.suffix) if said.source is Source.PLAYER else said.author
