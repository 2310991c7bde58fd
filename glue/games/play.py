"""The playing lane of one game: what it wants is decided, sent, judged, and tried again. One thing at a time.

It runs beside her speech and waits for it only where the game's own priority says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import anyio
from anyio.abc import TaskGroup

from glue.events import Event
from glue.game_events import ActionChosen, ActionJudged, GameButton, GameFate
from glue.games.afterwards import Afterwards
from glue.games.errands import Errand, with_errand
from glue.games.messages import Message
from glue.games.notes import Notes, task
from glue.games.orders import Orders
from glue.games.picture import Picture, drawn
from glue.games.player import WAIT, Choice, Player, ordered
from glue.games.rules import Rules
from glue.games.schema import Shape
from glue.games.table import Table
from glue.games.text import line
from glue.games.voice import Voice
from glue.games.wants import HURRY, Want
from glue.ports import Message as Said
from glue.ports import Role

Send = Callable[[str, Mapping[str, Any]], None]


class Play:
    """`run()` is the lane; everything else comes from outside, and does not wait."""

    def __init__(
        self,
        who: str,
        name: str,
        game: str,
        rules: Rules,
        player: Player,
        voice: Voice,
        emit: Callable[[Event], None],
    ) -> None:
        self.who, self.game = who, game
        self.table = Table(who, game, Notes(game, name, rules.notes), emit, self._changed, rules)
        self.connected = False
        self._rules, self._player, self._voice, self._emit = rules, player, voice, emit
        self._after = Afterwards(who, game, player, emit, rules.reasons)
        self._session, self._messages, self._sent = "", 0, 0
        self._send: Send = lambda command, data: None
        self._vetoed, self._paused = set[str](), False
        self.orders = Orders(name, self._at_once, lambda: self.table.players, self.table.think)
        self._thinks = anyio.CancelScope()
        self._thinking = False
        self._thinks_of: Want | None = None
        self._waits, self._life, self._wake = anyio.CancelScope(), anyio.CancelScope(), anyio.Event()
        self._picture = Picture(
            lambda: drawn(self.table, self.connected, self._paused, self._vetoed), self._emit
        )

    def attach(self, session: str, send: Send) -> None:
        """The game has connected; `send(command, data)` reaches it and never waits."""
        self._session, self._send, self.connected = session, send, True
        self.table.ours = False
        self._changed()

    def detach(self) -> None:
        """It is gone. What happened stays known: it may come back."""
        self.connected = False
        self.orders.clear()
        if self.table.want is not None:
            self.table.settle(self.table.want, GameFate.ABANDONED, "the game went")
        if self.table.pending is not None:
            self.table.over(self.table.pending, None)
        self.table.mentions.drop()
        self._changed()

    def end(self) -> None:
        """Nobody remembers this game any more."""
        self._life.cancel()

    def take(self, message: Message, now: float) -> None:
        """A message of the game's."""
        self._messages += 1
        self.table.take(message.body, message.command, self._messages, now)

    def hear(self, errand: Errand) -> bool:
        """A viewer spoke to her; whether she does it at once. A game that knows our fields is told, too."""
        if self.table.knows(errand.id):
            return False  # she begins to answer once more: the voice was away
        if self.table.ours:
            self._send("spark/wish", {"text": errand.text})
        want = self.table.want
        if at_once := self.orders.hear(errand, want is None or want.yields):
            self._thinks.cancel()
            if want is not None:
                want.put_off += 1
        self.table.hear(errand, at_once)
        return at_once

    def unhear(self, ids: Collection[str]) -> None:
        """A moderator removed these lines: a thought that began with one begins again without it."""
        self.orders.drop(ids)
        if self.table.unhear(ids):
            self._thinks.cancel()

    def press(self, button: GameButton, text: str) -> None:
        """The operator pressed a button."""
        match button:
            case GameButton.PAUSE | GameButton.RESUME:
                self._paused = button is GameButton.PAUSE
                if self._paused:
                    self._thinks.cancel()
            case GameButton.VETO:
                self._vetoed.add(text)
                self._thinks.cancel()
            case GameButton.ALLOW:
                self._vetoed.discard(text)
            case GameButton.FORCE:
                self._order(text)
        self._changed()

    async def run(self) -> None:
        """Play, until cancelled, or its end()."""
        try:
            async with anyio.create_task_group() as tg:
                self._life = tg.cancel_scope
                tg.start_soon(self._picture.run)
                tg.start_soon(self.table.mentions.run)
                while True:
                    if self.table.notes.full and not self._after.folding:
                        tg.start_soon(self._after.fold, self.table.notes)
                    await self._next(tg)
        finally:
            self.table.mentions.drop()
            if self.table.want is not None:
                self.table.settle(self.table.want, GameFate.ABANDONED, "the show ended")

    async def _next(self, tg: TaskGroup) -> None:
        want = self.table.want
        if self.connected and (order := self.orders.take()):
            choice, errand = order
            answers = want if want and choice.name in want.force.names else None
            await self._do(choice, answers, errand.heard if errand else anyio.current_time(), errand)
        elif want is not None and self.connected and not self._paused and self._open(want):
            await self._answer(want, tg)
        elif self._inclined():
            await self._consider(tg)
        else:
            await self._something()

    def _open(self, want: Want) -> bool:
        """Whether there is something to choose, or nothing was registered yet; all vetoed: it waits."""
        known = [name for name in want.force.names if name in self.table.actions]
        return not known or any(name not in self._vetoed for name in known)

    async def _answer(self, want: Want, tg: TaskGroup) -> None:
        errand = self.table.errands.next(anyio.current_time())
        asked, choice = await self._decide(want, errand)
        if self.table.want is not want:
            return  # whoever cancelled it has settled it
        if asked and choice is None:
            why = "; ".join(f"{shape.name} {shape.bad}".strip() for shape in self._choices(want))
            said = f"no parameters fit its schema: {why}" if why else "none of its actions is registered"
            self.table.settle(want, GameFate.REFUSED, line(said, 300))
        elif choice is not None and choice.name in {shape.name for shape in self._choices(want)}:
            id = await self._do(choice, want, want.since, errand)
            self._explain(tg, asked, choice, id)

    async def _decide(self, want: Want, errand: Errand | None) -> tuple[tuple[Said, ...], Choice | None]:
        """What she was asked, and what she chose; nothing where something else was to be done meanwhile."""
        self._thinking, self._thinks_of = True, want
        asked: tuple[Said, ...] = ()
        choice: Choice | None = None
        with anyio.CancelScope() as self._thinks:
            there = await self._registered(want)
            if there:
                pause = self._rules.claims
                await self._voice.floor(self.who, self.game, want.force.priority, pause, self._emit)
            asked = self._asked(want, errand)
            if there:
                role = Role.URGENT if want.hurries else Role.ACT
                choice = await self._player.choose(asked, self._choices(want), want.failed, role)
        self._thinking = False
        return ((), None) if self._thinks.cancelled_caught else (asked, choice)

    async def _registered(self, want: Want) -> bool:
        """Wait a little for a force's actions: games were seen that send them in the wrong order."""
        with anyio.move_on_at(want.received + self._rules.grace):
            while not self._choices(want):
                await self._woken()
        return bool(self._choices(want))

    def _choices(self, want: Want) -> list[Shape]:
        actions = self.table.actions
        return [actions[name] for name in want.force.names if name in actions and name not in self._vetoed]

    def _asked(self, want: Want, errand: Errand | None) -> tuple[Said, ...]:
        todo = task(want.force.state, with_errand(want.force.query, errand), want.complaints)
        return self.table.notes.ask(todo, self._choices(want), self.table.actions.values())

    def _inclined(self) -> bool:
        due = anyio.current_time() >= self._own_at() and self.table.want is None
        return due and self.connected and not self._paused and bool(self._free())

    def _own_at(self) -> float:
        """When she thinks of doing something unasked: some time after something new came."""
        return self.table.news + self._rules.initiative if self._rules.initiative else float("inf")

    def _free(self) -> list[Shape]:
        return [shape for name, shape in self.table.actions.items() if name not in self._vetoed]

    async def _consider(self, tg: TaskGroup) -> None:
        began, choice = anyio.current_time(), None
        errand = self.table.errands.next(began)
        self.table.news = float("inf")
        self._thinking, self._thinks_of = True, None
        with anyio.CancelScope() as self._thinks:
            options = [*self._free(), WAIT]
            todo = with_errand("You may act now, or wait.", errand)
            asked = self.table.notes.ask(todo, options, self.table.actions.values())
            choice = await self._player.choose(asked, options)
        self._thinking = False
        if self._thinks.cancelled_caught:
            self.table.news = min(self.table.news, began)  # it is still to be thought of
        elif choice is not None and choice.name == WAIT.name and errand is not None:
            self.table.errands.done(errand)
        elif (
            choice is not None
            and choice.by != "fallback"
            and self.connected
            and self.table.want is None
            and not self._paused
            and choice.name in self.table.actions
        ):
            id = await self._do(choice, None, began, errand)
            self._explain(tg, asked, choice, id)
        left = self.table.errands.next(anyio.current_time())
        if left is not None and not left.tries:  # otherwise the game was busy: with its next force, or news
            self.table.news = min(self.table.news, anyio.current_time())

    def _at_once(self) -> list[Shape]:
        """What a plain wish may begin: what the game says it takes now."""
        free = self._free() if self.connected and not self._paused else []
        return [shape for shape in free if shape.name in self.table.takes]

    def _explain(self, tg: TaskGroup, asked: tuple[Said, ...], choice: Choice, id: str) -> None:
        if self.table.want is None:  # otherwise the next decision would wait for its end
            tg.start_soon(self._after.explain, asked, choice, id)

    async def _do(self, choice: Choice, want: Want | None, since: float, errand: Errand | None = None) -> str:
        """Send it and wait for its judgement; returns its id. `since`: when it was asked for; `errand`: the
        viewer's line that she had in mind."""
        now = anyio.current_time()
        self._sent += 1
        id = f"{self._session}-{self._sent}"
        pending = self.table.sent(id, choice.said, now, want, errand if choice.meant else None)
        data = {"id": id, "name": choice.name} | ({"data": choice.text} if choice.data is not None else {})
        self._send("action", data)
        self._emit(
            ActionChosen(now, self.who, self.game, id, choice.name, choice.text, choice.by, now - since)
        )
        with anyio.move_on_after(self._rules.result_within) as self._waits:
            self._changed()  # what is in a hurry may be there already
            await pending.judged.wait()
        self.table.over(pending, None)
        return id

    def _order(self, text: str) -> None:
        choice = ordered(text, self.table.actions) if self.connected else "the game is not connected"
        if isinstance(choice, str):
            why = f"not sent: {choice}"
            self._emit(ActionJudged(anyio.current_time(), self.who, self.game, "", False, why, 0.0))
            return
        self.orders.give(choice)
        self._thinks.cancel()

    def _changed(self) -> None:
        if self.table.pending is not None and self.table.pending.holds_up(self.table.want):
            self._waits.deadline = min(self._waits.deadline, anyio.current_time() + HURRY)
        if self._thinking and self.table.want is not self._thinks_of:
            self._thinks.cancel()
        if self.table.want is not None:
            self._after.hush()
        self._wake.set()
        self._picture.changed()

    async def _something(self) -> None:
        """Until something changed, or she may think of doing something by herself."""
        soon = self._own_at()
        with anyio.move_on_at(soon if soon > anyio.current_time() else float("inf")):
            await self._woken()

    async def _woken(self) -> None:
        await self._wake.wait()
        self._wake = anyio.Event()
