"""What she has learnt to do in Minecraft: kept, bounded, checked when read, found by likeness."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.minecraft import Asked

HOLE = [{"action": "dig_hole", "depth": 2}, {"action": "place", "item": "torch"}]
TREE = [{"action": "collect", "item": "log", "count": 4}, {"action": "craft", "item": "planks", "count": 16}]
DO, WHAT = (
    ("dig", "build", "fill", "clear", "light", "cover"),
    ("hole", "pit", "path", "wall", "cave", "tower"),
)
WHERE = (
    "here",
    "near water",
    "under trees",
    "beside the house",
    "around the camp",
    "behind a hill",
    "down there",
)
LEARNT = [
    ["learn", "Dig a hole, and light it!", HOLE],
    ["learn", "chop wood for planks", TREE],
]


@pytest.fixture(scope="module")
def ask() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    asked.end()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "skills.jsonl"


def named(found: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in found]


def test_what_worked_is_kept_and_found_by_words(ask: Asked, path: Path) -> None:
    ask("skills", str(path), "", LEARNT)
    row = json.loads(path.read_text().splitlines()[0])
    assert row == {
        "name": "dig_a_hole_and_light_it", "goal": "dig a hole and light it", "steps": HOLE,
        "done": 1, "failed": 0}  # fmt: skip
    for wanted, names in (
        ("Spark, can you dig a hole for me?", ["dig_a_hole_and_light_it"]),
        ("more planks please", ["chop_wood_for_planks"]),
        ("what is your favourite train?", []),
        ("", []),
    ):
        assert named(ask("skills", str(path), "", [["find", wanted]])) == names, wanted


def test_what_fails_three_times_in_a_row_is_forgotten(ask: Asked, path: Path) -> None:
    ask("skills", str(path), "", LEARNT)
    fails, works = ["used", "chop_wood_for_planks", False], ["used", "chop_wood_for_planks", True]
    ask("skills", str(path), "", [fails, fails, works, fails, fails])
    assert named(ask("skills", str(path), "", [["find", "planks"]])) == ["chop_wood_for_planks"]
    ask("skills", str(path), "", [fails])
    assert ask("skills", str(path), "", [["find", "planks"]]) == []


def test_what_is_none_is_not_learnt_nor_read(ask: Asked, path: Path) -> None:
    ask("skills", str(path), "", LEARNT)
    good = path.read_text().splitlines()
    row = json.loads(good[0])
    bad = [
        "{", "5", "null", json.dumps(row | {"goal": 5}), json.dumps(row | {"steps": "all"}),
        json.dumps(row | {"steps": [{"action": "say", "text": "hi"}] * 2}), json.dumps(row | {"done": "1"}),
        json.dumps(row | {"steps": [*HOLE, {"action": "dig_hole", "depth": 400}]}),
    ]  # fmt: skip
    path.write_text("\n".join([*bad, good[1]]))
    assert ask("skills", str(path), "", [["get", "dig_a_hole_and_light_it"]]) is None
    assert named(ask("skills", str(path), "", [["find", "planks"]])) == ["chop_wood_for_planks"]
    ask("skills", str(path), "", [["learn", "one step", HOLE[:1]]])
    assert len(path.read_text().splitlines()) == 1
    goals = [f"{do} {what} {where}" for do, what, where in product(DO, WHAT, WHERE)]
    ask("skills", str(path), "", [["learn", goal, HOLE] for goal in goals])
    assert len(goals) > len(path.read_text().splitlines()) == 200 and goals[-1] in path.read_text()


def test_no_viewer_is_in_what_she_learnt(ask: Asked, path: Path) -> None:
    """What somebody wrote need not be forgotten where it is not kept."""
    secret = "Dig a pool for Zaphod42 of 12 Elm Street, who loves trains: zaphod@example.org!"
    beside = [{"action": "come", "player": "Zaphod42"}, *HOLE]
    ask("skills", str(path), "", [["learn", secret, HOLE], ["learn", "dig a hole here", beside]])
    assert json.loads(path.read_text())["goal"] == "dig a pool"
    ask("skills", str(path), "", [["learn", "Zaphod, jah!", HOLE]])
    assert json.loads(path.read_text().splitlines()[1])["goal"] == "dig hole place torch"
    assert "zaphod" not in path.read_text().lower()
    assert named(ask("skills", str(path), "", [["find", "we need a swimming pool"]]))


def test_a_file_of_before_loses_its_viewers_when_it_is_read(ask: Asked, path: Path) -> None:
    path.parent.mkdir()
    row = {"name": "a_pit_for_zaphod", "goal": "a pit for zaphod", "steps": HOLE, "done": 3, "failed": 0}
    path.write_text(json.dumps(row | {"outcome": "You stand beside Zaphod."}) + "\n")
    assert ask("skills", str(path), "", [["get", "a_pit"]])["done"] == 3
    assert "zaphod" not in path.read_text().lower()


@contextmanager
def embeddings() -> Iterator[tuple[str, list[list[str]]]]:
    """A server of OpenAI's wire to which everything about water is alike."""
    asked: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(said["input"])
            wet = [any(word in text for word in ("hole", "pond", "pool")) for text in said["input"]]
            rows = [
                {"index": n, "embedding": [1.0, 0.1] if is_wet else [0.1, -1.0]}
                for n, is_wet in enumerate(wet)
            ]
            body = json.dumps({"data": rows[::-1]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_is_found_by_meaning_and_by_words_where_that_server_is_gone(ask: Asked, path: Path) -> None:
    finds = [["find", "I would love a pond"]]
    with embeddings() as (url, asked):
        found = ask("skills", str(path), url, [*LEARNT, *finds, *finds])
        assert named(found) == ["dig_a_hole_and_light_it"]
        assert [len(texts) for texts in asked] == [3, 1]  # what a skill is for is asked for once
    assert ask("skills", str(path), url, finds) == []
    assert named(ask("skills", str(path), url, [["find", "a hole"]])) == ["dig_a_hole_and_light_it"]
