"""Run -> what recall cost while the show ran, and what the first audio owes to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from glue.events import Stage
from glue.report.read import Reply, Run
from glue.spread import Spread, spread


def recall(run: Run, heard: Sequence[Reply]) -> dict[str, Any]:
    """The report's figures; those of a show without memory have no sample."""
    told = [reply for reply in heard if reply.recalled is not None]
    asked = [reply for reply in told if reply.recalled and reply.recalled.asked]
    some = [reply for reply in asked if reply.recalled and reply.recalled.memories]
    return {
        "recall_ms": spread(run.lookups, 1000.0),
        "recall_wait_ms": spread(map(_wait, asked), 1000.0),
        "recalled_tokens": spread(r.recalled.tokens for r in some if r.recalled and r.recalled.tokens),
        "first_audio_recalled_ms": _first(some),
        "first_audio_nothing_recalled_ms": _first(r for r in asked if r.recalled and not r.recalled.memories),
        "first_audio_without_memory_ms": _first(r for r in told if r.recalled and not r.recalled.asked),
    }


def _wait(reply: Reply) -> float:
    return max(0.0, reply.marks.get(Stage.RECALLED, 0.0) - reply.marks.get(Stage.CHOSEN, 0.0))


def _first(replies: Iterable[Reply]) -> Spread:
    return spread((r.first_audio for r in replies if r.first_audio is not None), 1000.0)
