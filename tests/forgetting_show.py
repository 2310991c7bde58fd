"""A memory with all that a wish to be forgotten has to reach: the journal, its search, the pages' replay."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from glue.desk_events import TurnAsked
from glue.events import (
    ChatLine,
    ClauseCleared,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    TurnEnded,
    TurnStarted,
)
from glue.journal import Journal
from glue.lookup import Lookup
from glue.parts import Parts
from glue.stage.console_recent import Recent
from glue.telling import line_of
from tests.memory_show import Scene, remembering


class Replay(Recent):
    """What a page that opens is told, as a Viewer."""

    def show(self, event: Event) -> None:
        if not isinstance(event, TurnAsked):  # see Console
            self.note(event)


@dataclass
class Air:
    """A memory with a journal that is searched, and pages."""

    parts: Parts
    scene: Scene
    lookup: Lookup
    replay: Replay
    path: Path
    turns: int = 0

    def tell(self, *events: Event) -> None:
        for event in events:
            self.parts.emit(event)

    def says(self, line: ChatLine, answer: str = "") -> ChatLine:
        """A line, and its answer."""
        self.tell(LineArrived(0.0, line))
        if answer:
            self.turns += 1
            turn = f"t{self.turns}"
            self.tell(
                TurnStarted(0.0, "main", turn, line, False), ClauseCleared(0.0, "main", turn, 0, answer)
            )
            self.scene.talk.remember(line, answer, cut=False)
            self.asked(turn)
            self.tell(TurnEnded(0.0, "main", turn, Ending.FINISHED, answer, answer))
            self.tell(LineClosed(0.0, line.id, Fate.ANSWERED, turn))
        return line

    def asked(self, turn: str) -> None:
        prompt = tuple((each.role, each.content) for each in self.scene.talk.prefix().messages)
        recalled = ("Mira's cat is called Biscuit",) if "Biscuit" in self.scene.prompt() else ()
        self.tell(TurnAsked(0.0, "main", turn, recalled, prompt))

    async def settle(self) -> None:
        await self.scene.settle()
        while self.lookup.read_on():
            pass
        await self.lookup.blank()

    def everywhere(self) -> dict[str, str]:
        """All that is kept or shown, by where."""
        found = self.lookup.find("", most=10**6)
        return {
            "files": self.scene.written(),
            "index": str(self.scene.shelf.entries),
            "prompt": self.scene.prompt(),
            "journal": self.path.read_text(encoding="utf-8"),
            "search": json.dumps(found) + "".join(map(line_of, found)),
            "pages": json.dumps(self.replay.events()),
        }


@asynccontextmanager
async def on_air(tmp_path: Path) -> AsyncIterator[Air]:
    path, parts, replay = tmp_path / "journal.jsonl", Parts(), Replay()
    lookup = Lookup(path)
    parts.forgetting += [lookup.forget, replay.forget]
    with Journal(path, {}) as journal:
        async with remembering(tmp_path / "memory", forgets=parts.forget) as scene:
            parts.viewers += [journal, replay, scene.memory]
            yield Air(parts, scene, lookup, replay, path)


def holding(air: Air, *words: str) -> dict[str, list[str]]:
    """Which of these words are where."""
    found = {where: [w for w in words if w in text] for where, text in air.everywhere().items()}
    return {where: left for where, left in found.items() if left}
