"""Run -> how soon what was said aloud was understood, and how soon she fell silent for who talked to her.

The sound's script says what was said when, the journal what was heard of it, and the recording of the show
when she was silent. All in seconds; without a script there is nothing here.
"""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from glue.events import Ending, Fate, Stage
from glue.measured_events import ScriptSpoken
from glue.overheard import SECOND, real
from glue.report.read import Line, Reply, Run

INTO = "interrupts"  # the kind of what is said into her reply
LOUD = 330  # a sample beyond this, of 32,768, is to be heard
PIECE = 60  # seconds of a recording that are read at once
SOON = 3.0  # seconds: a reply that ends so soon behind an interruption was cut by it


@dataclass(frozen=True, slots=True)
class Kind:
    """Utterances of one kind: how many were said, heard to their end, parted into several lines, and how many
    of those were answered as a whole nevertheless."""

    said: int
    heard: int
    split: int
    joined: int


def loud(recording: Path) -> Sequence[float]:
    """The milliseconds of a recording in which there is something to hear; none where there is no file."""
    found: list[float] = []
    try:
        with wave.open(str(recording), "rb") as file:
            step, at = file.getframerate() // 1000, 0
            while len(pcm := np.frombuffer(file.readframes(PIECE * 1000 * step), "<i2")):
                whole = pcm[: len(pcm) - len(pcm) % step].reshape(-1, step).astype(np.int32)
                found += (at + np.flatnonzero(np.abs(whole).max(axis=1) > LOUD)).tolist()
                at += len(whole)
    except (OSError, EOFError, wave.Error):
        return []
    return found


def finals(run: Run) -> list[float]:
    """From the end of a voice, as the recogniser hears it, to its words: every line that was heard aloud."""
    return [line.at - line.spoken for line in run.lines.values() if line.aloud and line.spoken is not None]


def finals_of(run: Run, kind: str) -> list[float]:
    """From the end of an utterance, as the script says, to its last words."""
    return [lines[-1].at - said.at for said, lines in _heard(run, kind) if _whole(said, lines)]


def kinds(run: Run) -> dict[str, Kind]:
    """What became of each kind of utterance."""
    found = {}
    for kind in dict.fromkeys(said.kind for said in run.script):
        heard = _heard(run, kind)
        parted = [lines for _, lines in heard if len(lines) > 1]
        found[kind] = Kind(
            said=len(heard),
            heard=sum(_whole(said, lines) for said, lines in heard),
            split=len(parted),
            joined=sum(all(line.fate is Fate.CONTINUED for line in lines[:-1]) for lines in parted),
        )
    return found


def silences(run: Run) -> list[tuple[float, float]]:
    """Of each interruption of a reply that was being heard: how long it still was after the interim result
    that holds the second real word, and after the end of that word."""
    audible = sorted(r.marks[Stage.AUDIBLE] for r in run.replies.values() if Stage.AUDIBLE in r.marks)
    if not audible or not len(run.loud):
        return []
    heard = np.asarray(run.loud) / 1000 + (audible[0] - run.loud[0] / 1000)
    found = []
    for said in (said for said in run.script if said.kind == INTO):
        reply, held = _cut(run, said), _held(run, said)
        if reply is None or held is None:
            continue
        start = reply.marks[Stage.AUDIBLE]
        upto = next((at for at in audible if at > start), float("inf")) - 0.01
        silent = float(heard[(heard >= start) & (heard < upto)].max(initial=start)) + 0.001
        found.append((max(0.0, silent - held), max(0.0, silent - said.part)))
    return found


def _heard(run: Run, kind: str) -> list[tuple[ScriptSpoken, list[Line]]]:
    """Each utterance of a kind, and the lines that came from its beginning to that of the next."""
    lines = sorted((line for line in run.lines.values() if line.aloud), key=lambda line: line.at)
    begins = [*(said.began for said in run.script), float("inf")]
    return [
        (said, [line for line in lines if began <= line.at < after])
        for said, (began, after) in zip(run.script, pairwise(begins), strict=True)
        if said.kind == kind
    ]


def _whole(said: ScriptSpoken, lines: Sequence[Line]) -> bool:
    return bool(lines) and lines[-1].at > said.at


def _cut(run: Run, said: ScriptSpoken) -> Reply | None:
    """The reply that was being heard when this was said, and was cut for it."""
    for reply in run.replies.values():
        ended = reply.ended
        if ended is None or ended.ending is not Ending.CUT or Stage.AUDIBLE not in reply.marks:
            continue
        if reply.marks[Stage.AUDIBLE] < said.began < ended.at < said.at + SOON:
            return reply
    return None


def _held(run: Run, said: ScriptSpoken) -> float | None:
    """When the first interim result came that holds the second real word."""
    later = (e.at for e in run.interims if said.began < e.at and len(real(e.text)) >= SECOND)
    return next(later, None)
