"""Run -> Report: every figure that a rehearsal is judged by. Pure.

Percentiles are linear interpolations between closest ranks (numpy's default, Hyndman and Fan's type 7).
Milliseconds are rounded to 0.1. A figure without a single sample is null, never zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from glue.events import Stage
from glue.report import aloud
from glue.report.evening import Evening
from glue.report.memory import Memory, idle_cpu, memory
from glue.report.openings import distinct, distinct_firsts, opened
from glue.report.read import Reply, Run
from glue.report.recall import recall
from glue.spread import NONE, Spread, spread

METHOD = "percentiles: linear interpolation between closest ranks (Hyndman-Fan type 7)"
LULL = 1.0  # seconds between the moment that she was free and her choice; less is the program's own time


@dataclass(frozen=True, slots=True)
class Drift:
    """Does she get slower? Median first audio of the first and the last third of the replies, ms."""

    first_third_p50: float | None = None
    last_third_p50: float | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What report.json holds. Times end in _ms; every Spread has its n."""

    machine: dict[str, Any] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)
    show: dict[str, Any] = field(default_factory=dict)  # the rest of the journal's head
    method: str = METHOD
    seconds: float = 0.0
    turns: int = 0
    turns_by_ending: dict[str, int] = field(default_factory=dict)
    by_herself: int = 0
    lines_in: int = 0
    lines_by_fate: dict[str, int] = field(default_factory=dict)
    lines_without_fate: int = 0
    # in games: model, words, fallback (chance), ...
    decisions_by: dict[str, int] = field(default_factory=dict)
    first_audio_ms: Spread = NONE
    first_audio_idle_ms: Spread = NONE
    first_audio_waited_ms: Spread = NONE
    after_speech_ms: Spread = NONE  # from the end of words said aloud; lines that did not wait
    final_ms: Spread = NONE  # from the end of a voice, as the recogniser hears it, to its words
    final_fluent_ms: Spread = NONE  # the same, from the end that the sound's script tells
    final_hesitant_ms: Spread = NONE
    said_aloud: dict[str, dict[str, int]] = field(default_factory=dict)  # by kind: said, heard, split, joined
    barge_in_ms: Spread = NONE  # from the words that stop her to silence, in the recording
    barge_in_word_ms: Spread = NONE  # and from the end of the second of these words
    left_until_a_lull: int = 0  # of these, answered though the director first chose silence
    queue_wait_ms: Spread = NONE
    drift: Drift = Drift()
    new_prompt_tokens: Spread = NONE
    new_beyond_line_tokens: Spread = NONE
    stages_ms: dict[str, Spread] = field(default_factory=dict)
    our_share_ms: Spread = NONE
    floor_ms: Spread = NONE
    floor_ours_ms: Spread = NONE  # first audio of the very replies whose floor was measured
    floor_ratio: float | None = None  # of the median reply to its own floor
    floor_new_tokens: Spread = NONE
    floor_ours_new_tokens: Spread = NONE
    recall_ms: Spread = NONE  # embedding and search, beside the show
    recall_wait_ms: Spread = NONE  # of it, what a reply waited for before the model was asked
    recalled_tokens: Spread = NONE  # of the replies that had any
    first_audio_recalled_ms: Spread = NONE  # of these
    first_audio_nothing_recalled_ms: Spread = NONE  # where memory was asked and had nothing to say
    first_audio_without_memory_ms: Spread = NONE  # where it was not asked (rehearsal.memory_every)
    paces: list[dict[str, Any]] = field(default_factory=list)  # of a paced show: stated and kept, voice too
    faster_than_stated: int | None = None  # answers; None where nothing is paced
    gaps_ms: Spread = NONE  # a value for every joint of two clauses
    cached_prompt_share: float | None = None
    opened: int = 0  # replies whose first words a small model said
    distinct_openings: float | None = None  # share of different ones among these, whomever they name
    distinct_first_words: float | None = None  # the same of their first four words
    rss_mb: dict[str, Memory] = field(default_factory=dict)
    rss_total_mb: Memory = field(default_factory=Memory)
    cpu_s: dict[str, float] = field(default_factory=dict)
    idle_cpu_share: float | None = None  # of one core, between samples in which nobody spoke
    degraded: dict[str, int] = field(default_factory=dict)
    unreadable_journal_lines: int = 0
    evening: Evening = field(default_factory=Evening)  # what a streamer wants to know afterwards


def report(run: Run) -> Report:
    """Every figure of a run."""
    heard = [r for r in run.replies.values() if r.to_chat and r.first_audio is not None]
    head = dict(run.head)
    return Report(
        machine=_mapping(head.pop("machine", {})),
        models=_mapping(head.pop("models", {})),
        show=head,
        seconds=round(run.ended - run.began, 1),
        rss_mb={name: memory(run, name) for name in sorted({n for v in run.vitals for n in v.rss_mb})},
        rss_total_mb=memory(run),
        cpu_s={n: s for v in run.vitals[-1:] for n, s in v.cpu_s.items()},
        idle_cpu_share=idle_cpu(run),
        paces=[asdict(pace) for pace in run.paces],
        faster_than_stated=sum(pace.faster for pace in run.paces) if run.paces else None,
        degraded=_counted(d.part for d in run.degraded),
        unreadable_journal_lines=run.unreadable,
        evening=run.evening,
        **_counts(run),
        **_times(run, heard),
        **_aloud(run),
        **_floor([r for r in heard if r.floor is not None and not r.waited]),
        **recall(run, heard),
        **_tokens([r for r in heard if r.measured is not None and r.measured.prompt_tokens]),
    )


def _counts(run: Run) -> dict[str, Any]:
    openings = opened(run.replies.values())
    return {
        "turns": len(run.replies),
        "turns_by_ending": _counted(r.ended.ending.value for r in run.replies.values() if r.ended),
        "by_herself": sum(not r.to_chat for r in run.replies.values()),
        "opened": len(openings),
        "distinct_openings": distinct(openings),
        "distinct_first_words": distinct_firsts(openings),
        "lines_in": len(run.lines),
        "lines_by_fate": _counted(line.fate.value for line in run.lines.values() if line.fate),
        "decisions_by": _counted(run.decisions),
        "lines_without_fate": sum(line.fate is None for line in run.lines.values()),
    }


def _times(run: Run, heard: Sequence[Reply]) -> dict[str, Any]:
    waited = [r for r in heard if r.waited]
    return {
        "first_audio_ms": _ms(_first(heard)),
        "first_audio_idle_ms": _ms(_first(r for r in heard if not r.waited)),
        "first_audio_waited_ms": _ms(_first(waited)),
        "after_speech_ms": _ms(r.after_speech for r in heard if r.after_speech is not None),
        "left_until_a_lull": sum(r.marks[Stage.CHOSEN] - r.begins > LULL for r in heard),
        "queue_wait_ms": _ms(r.marks[Stage.CHOSEN] - r.marks[Stage.RECEIVED] for r in waited),
        "drift": drift(_first(heard)),
        "stages_ms": {stage: _ms(values) for stage, values in stages(heard).items()},
        "our_share_ms": _ms(our_share(heard)),
        "gaps_ms": _ms(gap for r in run.replies.values() for gap in gaps(r)),
    }


def _aloud(run: Run) -> dict[str, Any]:
    silences = aloud.silences(run)
    return {
        "final_ms": _ms(aloud.finals(run)),
        "final_fluent_ms": _ms(aloud.finals_of(run, "fluent")),
        "final_hesitant_ms": _ms(aloud.finals_of(run, "hesitant")),
        "said_aloud": {kind: asdict(counts) for kind, counts in aloud.kinds(run).items()},
        "barge_in_ms": _ms(interim for interim, _ in silences),
        "barge_in_word_ms": _ms(word for _, word in silences),
    }


def _floor(replies: Sequence[Reply]) -> dict[str, Any]:
    """Of the replies whose floor was measured: theirs and the bare loop's, over the very same requests."""
    ours = _ms(_first(replies))
    floor = _ms(r.floor.to_audible for r in replies if r.floor)
    return {
        "floor_ms": floor,
        "floor_ours_ms": ours,
        "floor_ratio": _ratio(replies),
        "floor_new_tokens": spread(r.floor.new_tokens for r in replies if r.floor and r.floor.new_tokens),
        "floor_ours_new_tokens": spread(new_tokens(replies)),
    }


def _tokens(replies: Sequence[Reply]) -> dict[str, Any]:
    """Of the replies whose prompt the server counted."""
    asked = sum(r.measured.prompt_tokens for r in replies if r.measured)
    cached = sum(r.measured.cached_tokens for r in replies if r.measured)
    beyond = [
        new - r.measured.line_tokens
        for r, new in zip(replies, new_tokens(replies), strict=True)
        if r.measured and r.measured.line_tokens
    ]
    return {
        "new_prompt_tokens": spread(new_tokens(replies)),
        "new_beyond_line_tokens": spread(beyond),
        "cached_prompt_share": round(cached / asked, 4) if asked else None,
    }


def stages(replies: Iterable[Reply]) -> dict[str, list[float]]:
    """Seconds that each step took, by the mark that ended it; the wait in the queue is not a step."""
    found: dict[str, list[float]] = {stage.value: [] for stage in list(Stage)[1:]}
    for reply in replies:
        before = reply.begins
        for stage in list(Stage)[1:]:
            if stage in reply.marks:
                found[stage.value].append(max(0.0, reply.marks[stage] - before))
                before = max(before, reply.marks[stage])
    return {stage: values for stage, values in found.items() if values}


def gaps(reply: Reply) -> list[float]:
    """Seconds of silence at each joint of a reply's clauses; 0 where the voice went straight on."""
    if reply.sang:
        return []  # silences belong to a song
    heard = list(reply.measured.gaps) if reply.measured else []
    return heard + [0.0] * max(0, reply.clauses - 1 - len(heard))


def _ratio(replies: Iterable[Reply]) -> float | None:
    """The median reply's ratio to its own floor: a pair asks for the same, replies differ by far more."""
    ratios = [r.first_audio / r.floor.to_audible for r in replies if r.first_audio and r.floor]
    return round(float(np.median(ratios)), 3) if ratios else None


def our_share(replies: Iterable[Reply]) -> list[float]:
    """First audio without the LLM's time to its first clause and the voice's to its first chunk, seconds."""
    return [
        r.first_audio - r.measured.llm_to_clause - r.measured.tts_to_chunk
        for r in replies
        if r.first_audio is not None and r.measured is not None and r.measured.llm_to_clause > 0
    ]


def new_tokens(replies: Iterable[Reply]) -> list[int]:
    """Prompt tokens that were not in the server's cache."""
    return [r.measured.prompt_tokens - r.measured.cached_tokens for r in replies if r.measured]


def drift(seconds: Sequence[float]) -> Drift:
    """Of first audios in the order in which they were heard; needs six."""
    third = len(seconds) // 3
    if third < 2:
        return Drift()
    first, last = _ms(seconds[:third]).p50, _ms(seconds[-third:]).p50
    return Drift(first, last, round(last / first, 3) if first and last is not None else None)


def _first(replies: Iterable[Reply]) -> list[float]:
    return [r.first_audio for r in replies if r.first_audio is not None]


def _ms(seconds: Iterable[float]) -> Spread:
    return spread(seconds, 1000.0)


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"name": value}
