"""What a report says of recall: beside the show, on the way to the first word, with memory and without."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest

from glue.desk_events import TurnAsked
from glue.errors import ConfigError
from glue.events import (
    ChatLine,
    Ending,
    Event,
    LineArrived,
    Source,
    Stage,
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.memory.figures import Figures
from glue.memory.recall import Recalls
from glue.memory_events import LookupsTimed, TurnRecalled
from glue.report.numbers import report
from glue.report.read import fold
from glue.report.table import rows
from tests.wires.memory_servers import Notes

pytestmark = pytest.mark.anyio


def turn(number: int, first_audio: float, wait: float, recalled: TurnRecalled | None) -> list[Event]:
    at, id = number * 10.0, f"t{number}"
    line = ChatLine(f"l{number}", "mira", "hi", Source.REHEARSAL)
    found: list[Event] = [LineArrived(at, line), TurnStarted(at, "main", id, line, False)]
    marks = {Stage.RECEIVED: 0.0, Stage.CHOSEN: 0.0, Stage.RECALLED: wait, Stage.AUDIBLE: first_audio}
    found += [StageReached(at + after, "main", id, stage) for stage, after in marks.items()]
    found.append(TurnEnded(at + 3, "main", id, Ending.FINISHED, "x", "x"))
    return [*found, *([replace(recalled, turn=id)] if recalled else [])]


def test_replies_with_memory_stand_beside_those_without() -> None:
    told = TurnRecalled(0.0, "main", "", True, 2, 30)
    dumb = replace(told, tokens=0)  # a server that cannot count
    kinds = [told, replace(told, tokens=50), dumb, replace(told, memories=0, tokens=0)]
    kinds += [replace(told, asked=False)]
    events = [
        e for n, kind in enumerate((*kinds, None)) for e in turn(n, 0.5 + n / 10, 0.004 * (n + 1), kind)
    ]
    found = report(fold([LookupsTimed(0.5, (0.02, 0.03)), *events, LookupsTimed(50.0, (0.04,))]))
    assert (found.recall_ms.n, found.recall_ms.p50, found.recall_ms.max) == (3, 30.0, 40.0)
    assert (found.recall_wait_ms.n, found.recall_wait_ms.max) == (4, 16.0)
    assert (found.recalled_tokens.n, found.recalled_tokens.p50) == (2, 40.0)
    assert (found.first_audio_recalled_ms.n, found.first_audio_recalled_ms.p50) == (3, 600.0)
    assert found.first_audio_nothing_recalled_ms.p50 == 800.0
    assert found.first_audio_without_memory_ms.p50 == 900.0
    assert "recall, beside the show" in dict(rows(found))


def test_a_show_that_lives_in_the_moment_has_no_such_figures() -> None:
    found = report(fold(turn(0, 0.5, 0.0, None)))
    assert found.recall_ms.n == found.recall_wait_ms.n == found.recalled_tokens.n == 0
    assert "recall, beside the show" not in dict(rows(found))


def test_she_cannot_recall_at_every_zeroth_line() -> None:
    with pytest.raises(ConfigError, match="every"):
        Figures(Notes(), Recalls(2, 0.18, 0.01), lambda event: None, every=0)


async def test_what_stood_with_a_line_is_counted_behind_the_reply() -> None:
    class Counting(Notes):
        async def count(self, text: str) -> int:
            return len(text.split())

    told: list[Any] = []
    recalls = Recalls(2, 0.18, 0.01)
    figures = Figures(Counting(), recalls, told.append, every=2)
    assert [figures.recalls(f"l{n}") for n in range(4)] == [False, True, False, True]
    for n in range(2):
        line = ChatLine(f"l{n}", "mira", "hi", Source.CONSOLE)
        figures.show(TurnStarted(0.0, "main", f"t{n}", line, False))
        figures.show(TurnAsked(1.0, "main", f"t{n}", ("mira has a cat",) * n, ()))
    recalls.fresh = [0.01, 0.02]
    await figures.tell()
    await figures.tell()
    assert [each.took for each in told if isinstance(each, LookupsTimed)] == [(0.01, 0.02)]
    turns = [(t.turn, t.asked, t.memories, t.tokens) for t in told if isinstance(t, TurnRecalled)]
    assert turns == [("t0", False, 0, 0), ("t1", True, 1, 6)]
    assert all(each.at <= anyio.current_time() for each in told)
