"""What lies on the table of one game: its actions, what it wants done, which action it has not judged yet.

No I/O and no waiting: a message comes in and gets its fate; who waits for a change is woken.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection

import anyio

from glue.events import ChatLine, Event, LineArrived, Source
from glue.game_events import ActionJudged, GameFate, GameMessageClosed
from glue.games.deeds import UNHEARD, Deeds
from glue.games.errands import Errand, Errands
from glue.games.mentions import Mentions
from glue.games.messages import (
    Body,
    Context,
    Force,
    Register,
    Result,
    ShutdownReady,
    Startup,
    Unknown,
    Unregister,
)
from glue.games.notes import Notes
from glue.games.person import first_person, in_words
from glue.games.rules import Rules
from glue.games.schema import Shape
from glue.games.text import beginning, line, shorten
from glue.games.wants import Pending, Standing, Want

MOST_ACTIONS = 2000  # of one game
MOST_HELD = 100  # contexts that wait for a result
REMEMBERED = 200  # ids of actions whose results would come late
DEAF = 3  # actions of a force without a judgement: each of them may have been done all the same
GIST = 200  # characters of a message in the journal
MENTION = 300  # characters that she is told about what happened
STAYS = 600  # of a force's state, where it is not ephemeral
REMARK = 120  # of them, what she says aloud: one sentence, whose prefill her next reply may wait for


class Table:
    """One game's. `changed()` is called whenever she may have to do something else than she does."""

    def __init__(
        self,
        who: str,
        game: str,
        notes: Notes,
        emit: Callable[[Event], None],
        changed: Callable[[], None],
        rules: Rules,
    ) -> None:
        self.who, self.game, self.notes = who, game, notes
        self.suffix = f" in {line(game, 40)}"  # of its players' names, in the show
        self.actions: dict[str, Shape] = {}
        self.want: Want | None = None
        self.pending: Pending | None = None
        self.ours = False  # it has sent a field of ours
        self.standing: Standing | None = None  # the newest that the game told of itself
        self.takes = self.players = frozenset[str]()  # actions that it would begin now, and who is there
        self.deeds = Deeds()  # and what happened last
        self.errands = Errands()
        self.news = float("inf")  # when something new came since she last thought of doing something
        self._emit, self._changed = emit, changed
        self.mentions = Mentions(rules.comment, self._speak)
        self._retries = rules.retries
        self._held: list[tuple[Context, int, float]] = []
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._heard: dict[str, str] = {}  # notes of what viewers said, by the line's id
        self._spoken = 0  # lines of the game's

    def take(self, body: Body, command: str, number: int, now: float) -> None:
        """A message came: message `number` of this game."""
        match body:
            case Startup():
                self._take_back(set(self.actions))
                self.deeds.broken_off()
                self.standing, self.takes = None, frozenset()
                self.close(number, now, command, "", GameFate.TAKEN)
            case Context():
                self._context(body, number, now)
            case Register():
                self._register(body, number, now)
            case Unregister(names):
                known = [name for name in names if name in self.actions]
                self._take_back(set(known))
                self.close(number, now, command, ", ".join(names), GameFate.TAKEN)
            case Force():
                self._force(body, number, now)
            case Result():
                self._result(body, number, now)
            case ShutdownReady():
                self.close(number, now, command, "", GameFate.TAKEN)
            case Unknown(data):
                self.close(number, now, command, str(data)[: 2 * GIST], GameFate.UNKNOWN, "no such command")
        self._changed()

    def close(
        self, number: int, received: float, command: str, text: str, fate: GameFate, why: str = ""
    ) -> None:
        """Message `number` has met its fate."""
        now = anyio.current_time()
        gist = line(text, GIST)
        self._emit(GameMessageClosed(now, self.who, self.game, number, received, command, gist, fate, why))

    def settle(self, want: Want, fate: GameFate, why: str = "") -> None:
        """A force is over."""
        if self.want is want:
            self.want = None
        if want.force.ephemeral and self.standing is not None and self.standing.want is want:
            self.standing = None
        if not want.force.ephemeral and fate is not GameFate.REPLACED:
            self._remember(want.force)
        self.close(want.number, want.received, "actions/force", want.force.query, fate, why)

    def _remember(self, force: Force) -> None:
        """A force's state and query stay known; what she knows already is not noted again."""
        told = "\n".join(filter(None, [shorten(force.state, STAYS), force.query]))
        if told not in self.notes.lines:
            self.notes.add(told)

    def sent(
        self, id: str, said: str, now: float, want: Want | None, errand: Errand | None = None
    ) -> Pending:
        """An action went out: until it is judged, contexts wait."""
        self.pending = Pending(id, said, now, want, errand)
        if errand is not None:
            self.errands.done(errand)
        return self.pending

    def over(self, pending: Pending, result: Result | None) -> None:
        """The action is judged, or its time is up, or its game is gone. Done when the result comes: a quick
        game's next force may be right behind it."""
        if self.pending is not pending:
            return
        self.pending = None
        pending.judged.set()
        now = anyio.current_time()
        if result is None:
            self._gone[pending.id] = None
            while len(self._gone) > REMEMBERED:
                self._gone.popitem(last=False)
        unheard = Result(pending.id, False, UNHEARD)
        result = result or unheard
        took, message = now - pending.sent, line(result.message, MENTION)
        self._emit(ActionJudged(now, self.who, self.game, pending.id, result.success, message, took))
        self.notes.add(self.deeds.judged(pending.said, result, self.ours))
        if pending.errand is not None and not result.success and result is not unheard:  # that may be done
            self.errands.again(pending.errand)
        if pending.want is not None and self.want is pending.want:
            pending.want.unheard += result is unheard
            self._judge(pending.want, pending.said, result)
        if result.success and message and not result.silent:
            done = "" if self.ours else f"You did {in_words(pending.said)}. "  # ours tells what came of it
            self.mentions.mention(f"{done}{message}", now)
        held, self._held = self._held, []
        for context, number, received in held:
            self._deliver(context, number, received)

    def _judge(self, want: Want, said: str, result: Result) -> None:
        if result.success:
            self.settle(want, GameFate.ANSWERED)
            return
        want.tries, want.since = want.tries + 1, anyio.current_time()
        want.failed.append(said)
        want.complaints.append(line(f"{said}: {result.message}", MENTION))
        if want.tries > self._retries or want.unheard >= DEAF:
            self.settle(want, GameFate.GIVEN_UP, want.complaints[-1])
            self.mentions.mention(f"It did not work: {result.message}", want.since)
        elif not any(name in self.actions for name in want.force.names):
            self.settle(want, GameFate.GIVEN_UP, "it failed, and its actions were taken back")

    def _speak(self, text: str, now: float) -> None:
        """Let her speak about something."""
        self._spoken += 1
        words = beginning(line(first_person(text), MENTION), REMARK)  # she repeats it
        id = f"game-{self.who}-{self.game}-{self._spoken}"
        said = ChatLine(id, self.game, words, Source.GAME, certain=self.ours)
        self._emit(LineArrived(now, said))

    def knows(self, id: str) -> bool:
        """Whether this line was heard."""
        return id in self._heard

    def think(self) -> None:
        """There is something to think of."""
        self.news = min(self.news, anyio.current_time())

    def hear(self, errand: Errand, at_once: bool = False) -> None:
        """A viewer may want something done, or `at_once` it is done."""
        self.errands.hear(errand)
        said = line(f'{errand.author} says in chat: "{errand.text}"', MENTION)
        self._heard[errand.id] = self.notes.add(said)
        while len(self._heard) > REMEMBERED:
            del self._heard[next(iter(self._heard))]
        self.news = self.news if at_once else min(self.news, errand.heard)
        self._changed()

    def unhear(self, ids: Collection[str]) -> bool:
        """A moderator removed these lines; whether one of them is known here."""
        self.errands.remove(ids)
        if self.pending is not None and self.pending.errand is not None and self.pending.errand.id in ids:
            self.pending.errand = None
        notes = [note for id in ids if (note := self._heard.pop(id, ""))]
        for note in notes:
            self.notes.drop(note)
        return bool(notes)

    def _context(self, context: Context, number: int, now: float) -> None:
        self.ours = self.ours or context.standing or bool(context.player or context.said)
        if context.standing:
            self.standing = Standing(context.message, now)
            self.takes, self.players = context.takes, context.players
            self.close(number, now, "context", context.message, GameFate.TAKEN)
            return
        if context.player:
            self._player(context, now)
            self.close(number, now, "context", context.message, GameFate.MENTIONED)
            return
        self.news = self.news if context.silent else min(self.news, now)
        if self.pending is None:
            self._deliver(context, number, now)
            return
        if len(self._held) >= MOST_HELD:
            self._deliver(*self._held.pop(0))  # in their order, whatever comes
        self._held.append((context, number, now))

    def _player(self, context: Context, now: float) -> None:
        """A player's words are a line like a viewer's: screened, and known here when she answers them. The
        game's name is part of who said it, so that no game puts words into somebody else's mouth."""
        self._spoken += 1
        id = f"player-{self.who}-{self.game}-{self._spoken}"
        said = ChatLine(id, f"{context.player}{self.suffix}", context.words, Source.PLAYER)
        self._emit(LineArrived(now, said))

    def _deliver(self, context: Context, number: int, received: float) -> None:
        self.notes.add(context.message)
        self.deeds.told(context)

        def told(spoken: bool) -> None:
            fate = GameFate.MENTIONED if spoken else GameFate.TAKEN
            self.close(number, received, "context", context.message, fate)

        aloud = "" if context.silent or not context.message else context.said or context.message
        self.mentions.mention(aloud, anyio.current_time(), told)

    def _register(self, register: Register, number: int, now: float) -> None:
        why, fresh = list(register.refused), 0
        for action in register.actions:
            if action.name in self.actions:
                why.append(f"'{action.name}' is registered already")
            elif len(self.actions) >= MOST_ACTIONS:
                why.append(f"'{action.name}': {MOST_ACTIONS} actions are enough")
            else:
                shape = self.actions[action.name] = Shape(action)
                fresh += 1
                if shape.bad:
                    why.append(f"'{action.name}': {shape.bad}; it is sent without parameters")
        self.news = min(self.news, now) if fresh else self.news
        fate = GameFate.TAKEN if fresh or not why else GameFate.REFUSED
        names = ", ".join(action.name for action in register.actions)
        self.close(number, now, "actions/register", names, fate, line("; ".join(why), 3 * GIST))

    def _take_back(self, names: set[str]) -> None:
        """Actions are gone. A force that none is left of ends, unless an action of its own is being judged:
        games take a move back before they say that it was good."""
        for name in names:
            del self.actions[name]
        want = self.want
        if want is None or self.pending is not None or not names.intersection(want.force.names):
            return
        if not any(name in self.actions for name in want.force.names):
            self.settle(want, GameFate.REPLACED, "its actions were taken back")

    def _force(self, force: Force, number: int, now: float) -> None:
        if self.want is not None:
            self.settle(self.want, GameFate.REPLACED, "a newer force came")
        if not force.names:
            self.close(number, now, "actions/force", force.query, GameFate.REFUSED, "it names no action")
            return
        self.want = Want(force, number, now, now)
        if force.state:
            self.standing = Standing(force.state, now, self.want)

    def _result(self, result: Result, number: int, now: float) -> None:
        pending = self.pending
        if pending is not None and result.id == pending.id:
            self.over(pending, result)
            fate, why = GameFate.TAKEN, ""
        elif result.id in self._gone:
            self.deeds.late(result, self.ours)
            fate, why = GameFate.LATE, "its time was up"
        else:
            fate, why = GameFate.UNKNOWN, "no action with this id waits for a result"
        self.close(number, now, "action/result", result.message or str(result.success), fate, why)
