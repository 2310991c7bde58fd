"""The show as a whole, where its parts are of no matter: what comes while it is being put away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio.lowlevel
import pytest
from omegaconf import OmegaConf

from glue import app
from glue.parts import Parts

pytestmark = pytest.mark.anyio


async def test_a_model_that_is_back_while_the_show_is_put_away_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The show's tasks were over, and the one that was to warm it up found no place among them: the evening
    ended in a traceback, without its report."""
    listeners: list[Callable[[str, str, str], None]] = []

    class Shown:
        async def run(self, senses: Sequence[Any]) -> None:
            await anyio.lowlevel.checkpoint()

    async def back() -> None:
        for changed in listeners:
            changed("llm", "up", "ready after 2.1 s")

    async def built(cfg: Any, run_dir: Path, ids: Any, parts: Parts, stack: AsyncExitStack, _: Any) -> Any:
        stack.push_async_callback(back)
        return Shown(), []

    monkeypatch.setattr(app, "_build", built)
    monkeypatch.setattr(app, "_announce", lambda cfg, parts: None)
    monkeypatch.setattr(app, "_head", lambda cfg: {})
    monkeypatch.setattr(app, "_report", lambda cfg, run_dir: 440.0)
    cfg = OmegaConf.create({"pace": {}})
    assert await app.run(cfg, tmp_path, {}, listeners.append) == 440.0
    assert listeners and "PartRecovered" in (tmp_path / "journal.jsonl").read_text()
