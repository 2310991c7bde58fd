"""How the operator curbs chat: time-outs, slow mode, what is blocked. A part of the desk."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

import anyio

from glue.booth import Deed, seconds_of
from glue.decisions import Close
from glue.desk_events import Wish
from glue.director import Director
from glue.errors import Declined
from glue.events import ChatLine, Event, Fate, LineClosed, Source
from glue.news import NEWS, news
from glue.safety.blocklist import Blocklist
from glue.safety.door import ANNOUNCE, Door
from glue.safety_events import SlowModeSet, ViewerTimedOut

TIMED = re.compile(r"(?P<name>\S.*?)\s+(?P<seconds>\d{1,6})", re.DOTALL)
MOST_GAP, USUAL_GAP = 3600.0, 15.0  # seconds; the usual one where the filters have none


def deeds(door: Door, director: Director, emit: Callable[[Event], None]) -> Mapping[Wish, Deed]:
    """What both wishes do; she announces a slow mode herself."""

    def time_out(text: str) -> str:
        found = TIMED.fullmatch(text)
        if found is None:
            raise Declined("whom, and for how long? timeout NAME SECONDS; 0 lets in again")
        name, seconds, now = " ".join(found["name"].split()), int(found["seconds"]), anyio.current_time()
        door.time_out(name, now + seconds)
        if not seconds:
            return f"{name} is read again"
        emit(ViewerTimedOut(now, name, now + seconds, "by the operator"))
        gone = _let_go(lambda line: door.wrote(line).casefold() == name.casefold(), director, emit)
        too = f", and {gone} waiting lines are let go" if gone else ""
        return f"nothing of {name} is read for {seconds} s{too}"

    def slow_down(text: str) -> str:
        now = anyio.current_time()
        wrong = f"seconds between two lines of a viewer, 0 (off) to {MOST_GAP:.0f}"
        gap = seconds_of(text, MOST_GAP, wrong) if text else door.usual_gap or USUAL_GAP
        door.slow_down(gap)
        emit(SlowModeSet(now, gap))
        if not gap:
            return "chat is as fast as it likes"
        for close in director.hear(news(ANNOUNCE.format(gap=gap), now), now):
            if not close.line_id.startswith(NEWS):
                emit(LineClosed(now, close.line_id, close.fate))
        return f"a line of each viewer in {gap:g} s; she says so, and it stays until you end it"

    return {Wish.TIMEOUT: time_out, Wish.SLOW: slow_down}


def blocking(blocklist: Blocklist | None) -> Mapping[Wish, Deed]:
    """What neither comes in nor goes out; None: nothing is screened."""

    def block(blocked: bool, entry: str) -> str:
        if blocklist is None:
            raise Declined("nothing is screened in this show (safety.screen: false)")
        try:
            done = blocklist.add(entry) if blocked else blocklist.remove(entry)
        except OSError as error:
            return f"holds for this show only: the list cannot be written ({error.strerror})"
        if not done:
            raise Declined("no word, or blocked already" if blocked else "it is not on the desk's list")
        return f"'{entry}' is blocked" if blocked else f"'{entry}' may be said again"

    return {Wish.BLOCK: partial(block, True), Wish.UNBLOCK: partial(block, False)}


def _let_go(wrote: Callable[[ChatLine], bool], director: Director, emit: Callable[[Event], None]) -> int:
    """A viewer's lines that wait are closed, and how many they were. A reply that is in work goes on, there
    is a button for that, but not once more if it fails. A game may be called as a viewer is."""

    def theirs(line: ChatLine) -> bool:
        return line.source is not Source.GAME and wrote(line)

    now = anyio.current_time()
    director.forgo(theirs)
    director.forget((), theirs)
    waiting = [w.line.id for w, _ in director.standing(now) if theirs(w.line)]
    for close in director.remove(waiting):
        if isinstance(close, Close):
            emit(LineClosed(now, close.line_id, Fate.BLOCKED, why="timed out"))
    return len(waiting)
