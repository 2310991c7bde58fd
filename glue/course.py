"""How a show begins and ends: it may wait for the operator, she greets, and says goodbye. Takes `now`.

Stands before the director, and hands on while the show is live. What is waited for at the end has a limit:
the model, the voice or OBS may be dead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio

from glue.booth import Deed, silent
from glue.broadcast_events import Phase
from glue.decisions import Begin, Close, Decision, Interrupt, Shorten, Speak
from glue.desk_events import Wish
from glue.director import Director
from glue.events import Button, ChatLine, Fate
from glue.news import news
from glue.settings import DirectorSettings, When
from glue.waiting import Waiting

GREETING = "The show begins now. Greet chat in one or two short sentences."
GOODBYE = "The show ends now. Say goodbye to chat in one or two short sentences."


@dataclass(slots=True)
class Course:
    """`greets`: she opens with words of her own, once. `late()`: seconds that all sound is delayed."""

    director: Director
    greets: bool = False
    late: Callable[[], float] = silent
    phase: Phase = Phase.LIVE
    _told: bool = True  # of the phase
    _until: float = float("inf")  # the limit of what is waited for at the end
    _hurries: bool = False  # what she says has to come to its end
    _parting: bool = False  # her goodbye has begun
    _at_once: bool = False

    def __post_init__(self) -> None:
        if self.director.settings.waits:
            self._enter(Phase.WAITING)
        elif self.greets:
            self._enter(Phase.LIVE)

    @property
    def leaves(self) -> bool:
        """Whether the end was asked for: nobody takes the floor any more."""
        return self.phase in (Phase.LEAVING, Phase.ENDING)

    def deeds(self) -> Mapping[Wish, Deed]:
        """What the operator may wish for."""
        return {Wish.END: lambda _: self.end(anyio.current_time())}

    def end(self, now: float) -> str:
        """The operator ends the show; the effect in a line."""
        if self.leaves:
            self._at_once = True
            return "at once"
        if self.phase is Phase.WAITING:
            self._finish(now)
            return "nobody was greeted, so that nobody is told goodbye; again: at once"
        self._enter(Phase.LEAVING)
        self._until, self._hurries = self._limit(now), True
        return "nobody else is answered, and she says goodbye; again: at once"

    def over(self, now: float) -> bool:
        """Whether the show may end now."""
        return self._at_once or (self.phase is Phase.ENDING and now >= self._until)

    def speaks(self, now: float) -> bool:
        """Whether what the operator has her say is said."""
        return not self.leaves or (self.phase is Phase.LEAVING and not self._parting and now < self._until)

    def press(self, button: Button, now: float) -> list[Decision]:
        """The operator pressed a button."""
        if button is Button.GO and self.phase is Phase.WAITING:
            self._enter(Phase.LIVE)
            self.director.quiet_since = now
        return self.director.press(button)

    def decide(self, now: float) -> list[Decision | Begin]:
        """What is to be done now."""
        begun: list[Decision | Begin] = [] if self._told else [Begin(self.phase)]
        self._told = True
        match self.phase:
            case Phase.WAITING:
                return [*begun, *self._let_go(lambda w: now >= self._patient_until(w), Fate.EARLY, now)]
            case Phase.LIVE if self.greets and not (self.director.speaking or self.director.stopped):
                self.greets = False
                return [*begun, self._says(GREETING, now)]
            case Phase.LIVE:
                return [*begun, *self.director.decide(now)]
            case Phase.LEAVING:
                return [*begun, *self._leave(now)]
        return [*begun, *self.director.empty(Fate.UNHEARD)]

    def wake_at(self, now: float) -> float:
        """When decide() or over() may answer differently though nothing happens."""
        director = self.director
        if not self._told:
            return now
        if self.phase is Phase.LIVE:
            return director.wake_at(now)
        if self.phase is Phase.WAITING:
            return min((self._patient_until(w) for w, _ in director.standing(now)), default=float("inf"))
        if self.phase is Phase.ENDING:
            return self._until  # over() then, also where the scene is on for no time at all
        thanks = self.phase is Phase.LEAVING and director.waiting
        limit = self._until if now < self._until else float("inf")
        return min(limit, director.wake_at(now)) if thanks else limit

    def _leave(self, now: float) -> list[Decision | Begin]:
        """What she is saying, thanks that are due, her goodbye: one after the other, within limits."""
        director, late = self.director, now >= self._until
        decisions: list[Decision | Begin] = []
        if self._hurries and director.speaking and not director.thanking:
            decisions.append(Shorten())
        self._hurries = False
        over = late or self._parting
        decisions += self._let_go(lambda w: over or not _paid(w.line), Fate.UNHEARD, now)
        if director.speaking and late:
            return [*decisions, Interrupt()]
        if director.waiting:
            return [*decisions, *director.decide(now)]
        if director.speaking:
            return decisions
        if director.stopped or self._parting:
            self._finish(now)
            return [*decisions, *self.decide(now)]
        self._parting, self._until = True, self._limit(now)
        return [*decisions, self._says(GOODBYE, now)]

    def _says(self, text: str, now: float) -> Speak:
        """Words of her own about `text`, before everybody's lines; like thanks, nobody cuts them."""
        director = self.director
        director.speaking, director.thanking = director.cast[0], True
        return Speak(director.speaking, news(text, now), now, False, ())

    def _let_go(self, which: Callable[[Waiting], bool], fate: Fate, now: float) -> list[Close]:
        """Close those of the lines that wait."""
        gone = self.director.remove([w.line.id for w, _ in self.director.standing(now) if which(w)])
        return [Close(each.line_id, fate) for each in gone if isinstance(each, Close)]

    def _patient_until(self, waiting: Waiting) -> float:
        patience = self.director.settings.patience
        return float("inf") if _paid(waiting.line) else waiting.received + patience

    def _limit(self, now: float) -> float:
        """Until when something that she says at the end has to be over."""
        return now + self.director.settings.goodbye + self.late()

    def _finish(self, now: float) -> None:
        self._enter(Phase.ENDING)
        self._until = now + self.director.settings.ending

    def _enter(self, phase: Phase) -> None:
        self.phase, self._told = phase, False


def greets(settings: DirectorSettings, ends_with_chat: bool) -> bool:
    """Whether she does: a rehearsal has nobody to greet, and its figures are of answers."""
    return settings.greets is When.always or (settings.greets is When.auto and not ends_with_chat)


def _paid(line: ChatLine) -> bool:
    return line.deed is not None and line.deed.paid
