"""The loop in the middle: events in, the director's decisions carried out, every event to every viewer."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import InitVar, dataclass, field
from functools import partial

import anyio
from anyio.abc import TaskGroup

from glue.booth import Booth, effect
from glue.broadcast_events import PhaseBegun, StreamFaltered
from glue.chat_events import LinesRemoved
from glue.closing import closing
from glue.course import Course
from glue.cues import Script
from glue.decisions import Begin, Close, Decision, Interrupt, Shorten, Speak
from glue.desk_events import OperatorAsked, OperatorServed, SoundDumped
from glue.director import Director
from glue.errors import PortError
from glue.events import (
    Button,
    ButtonPressed,
    ChatLine,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    Source,
    SpeechHeard,
    TurnStarted,
)
from glue.fates import fate
from glue.game_events import FloorClaimed, GamesPlayed, Priority
from glue.member import Member
from glue.news import NEWS, news
from glue.overheard import DOUBT_S, Meaning, Overheard
from glue.ports import Sense, Taker, Viewer, ends
from glue.repertoire import Repertoire
from glue.safety.door import Door
from glue.settings import TurnSettings
from glue.sight_events import Seen
from glue.turn import Turn
from glue.twins import overheard
from glue.unsaid import goes_on


@dataclass(slots=True)
class Show:
    """Tells viewers what happens and members what to do. Runs until its senses end, if `ends_with_chat`, or
    its `course` does. `mute(muted)` and `duck(seconds)` are the mixer's."""

    members: Mapping[str, Member]
    director: Director
    viewers: Sequence[Viewer]
    settings: TurnSettings
    mute: Callable[[bool], None]
    duck: Callable[[float], None]
    ends_with_chat: bool = False
    door: Door = field(default_factory=Door)
    takers: Sequence[Taker] = ()
    booth: Booth = field(default_factory=Booth)
    course: InitVar[Course | None] = None
    repertoire: Repertoire = field(default_factory=Repertoire)
    _course: Course = field(init=False)
    _overheard: Overheard = field(default_factory=Overheard)
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _turn: Turn | None = None
    _turns: int = 0
    _gave_way: bool = False  # this turn, to somebody: no person cut it by hand
    _removed: set[str] = field(default_factory=set)  # of the lines of this turn
    _called_off: bool = False
    _listening: int = 0
    _played: bool = False  # a game that the show was for is over

    def __post_init__(self, course: Course | None) -> None:
        self._course = course or Course(self.director)

    def emit(self, event: Event) -> None:
        """Tell every viewer."""
        self._overheard.note(event, self.booth.late())
        for viewer in self.viewers:
            viewer.show(event)

    async def run(self, senses: Sequence[Sense]) -> None:
        """The show. Ends with its chat or game, or when it is cancelled; what still waits is then UNHEARD."""
        try:
            async with anyio.create_task_group() as tg:
                self.director.ended(anyio.current_time())
                self._listening = sum(map(ends, senses))
                for sense in senses:
                    tg.start_soon(self._listen, sense)
                while not self._over():
                    self._act(tg)
                    await self._anything()
                tg.cancel_scope.cancel()
        finally:
            self._do(self.director.empty(Fate.UNHEARD))

    async def _listen(self, sense: Sense) -> None:
        async with closing(sense.events()) as events:
            async for event in events:
                self.take(event)
        self._listening -= ends(sense)
        self._changed.set()

    def take(self, event: Event) -> None:
        """An event from outside."""
        if isinstance(event, Seen):
            self._see(event)
        else:
            self.emit(event)
            self._take(event)
        self._changed.set()

    def _see(self, seen: Seen) -> None:
        """A picture is screened before anybody has it."""
        for event in self.door.sees(seen):
            self.emit(event)
            if isinstance(event, Seen):
                self.director.see(event)

    def _take(self, event: Event) -> None:
        match event:
            case LineArrived(at, line, spoken):
                self._hear(line, at, spoken)
            case SpeechHeard(_, _, text):
                self._overhear(text)
            case ButtonPressed(at, button):
                self._press(button, at)
            case OperatorAsked():
                self.emit(self.booth.serve(event))
            case LinesRemoved(_, ids, viewer):
                self._remove(ids, viewer)
            case StreamFaltered(at):
                self._tell(news(event.tell, at), at)
            case FloorClaimed() | GamesPlayed():
                self._play(event)

    def _hear(self, line: ChatLine, at: float, spoken: float | None) -> None:
        voice, speaking = line.source is Source.VOICE, bool(self.director.speaking)
        if voice and (unmeant := self._overheard.unmeant(line.text, at, spoken, speaking)):
            self._close(Close(line.id, unmeant))
            return
        if voice and self._turn is not None and goes_on(self._turn.line):  # for nothing seemed to come of it
            self._interrupt()
        takers = [] if self.director.deaf(line) else [each for each in self.takers if each.wants(line)]
        admission = self.door.admit(line, at, bool(takers))
        for event in admission.events:
            self.emit(event)
        if admission.announce:
            self._tell(news(admission.announce, at), at)
        if admission.line is not None and any(taker.takes(line) for taker in takers):
            self._close(Close(line.id, Fate.VOTED))
        elif admission.line is not None:
            self._tell(admission.line, at)

    def _tell(self, line: ChatLine, at: float) -> None:
        self._do(self.director.hear(line, at))

    def _overhear(self, text: str) -> None:
        """Somebody is speaking: a first word lowers her voice, a second one takes the floor."""
        now, director = anyio.current_time(), self.director
        if (meaning := self._overheard.meaning(text, now)) is Meaning.NOTHING:
            return
        director.listening.word(now, director.settings)
        # who talks beside a song lowers it; it does not end for every remark in the room
        stays = director.thanking or director.listening.beside or director.patience.singing
        if meaning is Meaning.FLOOR and self._turn is not None and not stays:
            self._overheard.unsaid.stops(now)
            self._interrupt()
        elif director.speaking:
            self.duck(DOUBT_S)

    def _press(self, button: Button, at: float) -> None:
        if button in (Button.MUTE, Button.UNMUTE):
            self.mute(button is Button.MUTE)
        turn, id = self._turn, self._turn.id if self._turn else ""
        decisions, seconds = self._course.press(button, at), self.booth.press(button)
        if button is Button.DUMP and turn is not None:
            turn.cut(dumped=True)
        if seconds and turn is not None:
            self.emit(SoundDumped(at, turn.member.who, id, seconds))
        self._do(decisions)
        self._gave_way &= Interrupt() not in decisions  # what a person cuts stays cut
        self.emit(OperatorServed(at, button.value, "", True, effect(button, decisions, id, seconds)))

    def _remove(self, ids: Sequence[str], viewer: str) -> None:
        self._removed |= set(ids)
        for member in self.members.values():
            member.mind.forget(ids, (lambda line: line.viewer == viewer) if viewer else None)
        self.booth.cues.forget(ids)
        self._do(self.director.remove(ids))

    def _do(self, decisions: Sequence[Decision | Begin], tg: TaskGroup | None = None) -> None:
        for decision in decisions:
            match decision:
                case Interrupt():
                    self._interrupt()
                case Shorten() if self._turn is not None:
                    self._turn.shorten()
                case Close():
                    self._close(decision)
                case Begin():
                    self.emit(PhaseBegun(anyio.current_time(), decision.phase))
                case Speak() if tg is not None:
                    self._removed, self._called_off = set(), False
                    tg.start_soon(self._speak, decision)

    def _play(self, event: FloorClaimed | GamesPlayed) -> None:
        if isinstance(event, GamesPlayed):
            self._played = True
        elif self._turn is not None and self._turn.member.who == event.who and not self._course.leaves:
            critical = event.priority is Priority.CRITICAL and not self.director.thanking
            beside = self.director.patience.singing  # a game that is in no such hurry goes on beside a song
            self._do([Interrupt()] if critical else [] if beside else [Shorten()])

    def _interrupt(self) -> None:
        if self._turn is not None:
            self._gave_way |= not self._called_off
            self._turn.cut()
        self._called_off = True  # also what was chosen and has not begun

    def _act(self, tg: TaskGroup) -> None:
        scripts, now, director = self.booth.cues.scripts, anyio.current_time(), self.director
        if not director.speaking and (rest := self._overheard.unsaid.take(now, director.listening.until)):
            scripts.appendleft(rest)
        if scripts and self._course.speaks(now) and not director.speaking and not director.stopped:
            script = scripts.popleft()
            director.speaking = script.who
            self._removed, self._called_off = set(), False
            tg.start_soon(self._speak, Speak(script.who, script.line, now, False, ()), script)
        else:
            self._do(self._course.decide(now), tg)

    async def _speak(self, decision: Speak, script: Script | None = None) -> None:
        if self._called_off:  # since it was chosen, before anything was begun
            self._settle(decision, Fate.SKIPPED, "")
            self._free()
            return
        self._turns += 1
        her, line, now = self.members[decision.who], decision.line, anyio.current_time()
        told = partial(overheard, self.members, self.director.names, her.who, line)
        singing = self.repertoire.singing(her.who, line, script, now)
        desk = (lambda: self.director.likely(anyio.current_time()), self.booth.cues)
        words = script.text if script else ""
        turn = Turn(f"t{self._turns}", her, line, self.settings, self.emit, *desk, words, singing, told)
        if singing:
            singing.end = turn.cut
            self.director.patience.sings(now)
        self._turn, self._gave_way = turn, False
        self.emit(TurnStarted(anyio.current_time(), decision.who, turn.id, line, decision.waited))
        ended = None
        try:
            ended = await turn.run(decision.received)
        finally:
            self._turn = None
            if ended is None:  # the show itself is ending
                self._settle(decision, Fate.UNHEARD, turn.id)
        gone = [part.id for part in line.parts if part.id in self._removed]
        told("" if gone else ended.heard)  # first: memory forgets at an ending what was wished meanwhile
        self.director.heard(ended, line, gone)
        self.emit(ended)
        her.mind.forget(list({line.id, *gone}) if gone else ())
        if self._gave_way and not ended.heard:
            self.director.again()
        self._settle(decision, fate(ended), turn.id)
        self._free()
        if ended.ending is not Ending.FINISHED or not turn.prepared:
            with suppress(PortError):  # it is not what was heard that was prefilled, or she spoke too shortly
                await her.llm.warm(her.mind.prefix())

    def _free(self) -> None:
        """The floor is: somebody may be answered."""
        self.repertoire.over(anyio.current_time())
        self.director.ended(anyio.current_time())
        self._changed.set()

    def _settle(self, decision: Speak, fate: Fate, turn: str) -> None:
        for id in filter(self.director.answering.__contains__, decision.ids):  # some may wait again
            what = Fate.REMOVED if id in self._removed else fate
            self.emit(LineClosed(anyio.current_time(), id, what, turn, who=decision.who))

    def _close(self, close: Close) -> None:
        if not close.line_id.startswith(NEWS):  # nobody sent it, nobody asks what became of it
            self.emit(LineClosed(anyio.current_time(), close.line_id, close.fate))

    def _over(self) -> bool:
        director, course = self.director, self._course
        says = self.booth.cues.scripts or self._overheard.unsaid
        due = director.waiting or (says and not director.stopped)
        done = (self.ends_with_chat and not self._listening and not due) or self._played
        return (done and not director.speaking and not course.leaves) or course.over(anyio.current_time())

    async def _anything(self) -> None:
        """Wait until something changed, or the director wants to be asked again."""
        with anyio.CancelScope(deadline=self._course.wake_at(anyio.current_time())):
            await self._changed.wait()
        self._changed = anyio.Event()
