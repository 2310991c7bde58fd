"""What she has learnt to do is found again by its meaning: the real MiniLM, and wishes in other words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from engines.port import unused
from engines.process import running
from engines.specs import spec
from tests.minecraft import Asked
from tests.need import need_models

STICKS = [{"action": "craft", "item": "planks", "count": 4}, {"action": "craft", "item": "stick", "count": 4}]
HUT = [
    {"action": "collect", "item": "dirt", "count": 16},
    {"action": "build", "plan": "hut", "size": 3},
]
GLASS = [{"action": "collect", "item": "sand", "count": 2}, {"action": "smelt", "item": "sand", "count": 2}]
LEARNT = [
    ["learn", "make sticks out of logs", STICKS],
    ["learn", "build a hut to sleep", HUT],
    ["learn", "smelt glass for a window", GLASS],
]
WISHES = {
    "Spark please craft some sticks": "make_sticks_out_of_logs",
    "can you make us a house for the night?": "build_a_hut_to_sleep",
    "can we get some window panes?": "smelt_glass_for_a_window",
}
CHAT = ("what is your favourite train?", "hello Spark, how are you?", "do you like cats?", "I love pancakes")


@pytest.fixture
def ask() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    asked.end()


def test_wishes_in_other_words_find_it_and_chat_does_not(ask: Asked, tmp_path: Path) -> None:
    need_models("minilm")
    anyio.run(_found, ask, tmp_path)


async def _found(ask: Asked, folder: Path) -> None:
    port, path = unused(), str(folder / "skills.jsonl")
    async with running([spec("embeddings", {"port": port})], folder, within=60):
        url = f"http://127.0.0.1:{port}"
        ask("skills", path, url, LEARNT)
        for wish, name in WISHES.items():
            found = ask("skills", path, url, [["find", wish]])
            assert found and found[0]["name"] == name, wish
        for line in CHAT:
            assert ask("skills", path, url, [["find", line]]) == [], line
    assert ask("skills", path, url, [["find", "craft sticks"]]), "without the server: by words"
