"""The console for authors of integrations, as its user runs it: by hand, recorded, and played again."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from engines.port import unused
from tests.games import PASS, PLACE

ROOT = Path(__file__).parents[2]
Process = subprocess.Popen[str]


@contextmanager
def console(*options: str) -> Iterator[tuple[Process, str]]:
    """A running console, and where games connect."""
    port = unused()
    process = subprocess.Popen(
        [sys.executable, "-m", "glue.games.console", "--port", str(port), *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        prints(process, "waiting for a game")
        yield process, f"ws://localhost:{port}"
        types(process, "/quit")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def types(process: Process, text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{text}\n")
    process.stdin.flush()


def prints(process: Process, wanted: str) -> str:
    """The next line with these words."""
    assert process.stdout is not None
    for text in process.stdout:
        if wanted in text:
            return text
    raise AssertionError(f"it never said: {wanted}")


def says(game: Connection, command: str, **data: object) -> None:
    game.send(json.dumps({"command": command, "game": "Noughts", "data": data}))


def hears(game: Connection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(game.recv(timeout=30))
    return message


def play(game: Connection, moves: int = 1) -> list[str | None]:
    """A game that takes what comes."""
    says(game, "startup")
    assert hears(game)["data"]["session"]["displayName"] == "Spark"
    says(game, "actions/register", actions=[PLACE, PASS])
    found = []
    for number in range(moves):
        says(game, "actions/force", query=f"Move {number}.", action_names=["place", "pass"])
        action = hears(game)["data"]
        found.append(action.get("data"))
        says(game, "action/result", id=action["id"], success=True)
    return found


def refused(kept: Path) -> None:
    """A session of which nothing comes: what is typed too early, or wrong, is told, and is recorded."""
    with console("--record", str(kept)) as (process, url), connect(url) as game:
        types(process, 'place {"cell": 5}')  # nobody is there yet, or the cell is none: both are told
        prints(process, "not sent")
        says(game, "actions/register", actions=[PLACE, PASS])
        prints(process, "registers 2")
        assert hears(game) == {"command": "actions/reregister_all"}
        for typed, told in (
            ("fly", "no such action"),
            ('place {"cell": 5}', "not one of"),
            ("/help", "commands"),
        ):
            types(process, typed)
            prints(process, told)
        types(process, "/actions")
        prints(process, "place(cell: 0 or 4 or 8)")
        types(process, "!place what the schema never said")
        assert hears(game)["data"]["data"] == "what the schema never said"
        types(process, "/shutdown")
        assert hears(game)["data"] == {"wants_shutdown": True}
        game.send("nonsense")
        prints(process, "UNREADABLE")


def by_hand(kept: Path) -> list[str | None]:
    """A session of two moves, recorded; what the game was told."""
    game_moves: list[str | None] = []
    with console("--record", str(kept)) as (process, url), connect(url) as game:
        types(process, "")
        for number, cell in enumerate((4, 8)):
            if not number:
                says(game, "startup")
                hears(game)
                says(game, "actions/register", actions=[PLACE, PASS])
            says(game, "actions/force", query=f"Move {number}.", action_names=["place", "pass"])
            prints(process, "FORCE (low)")
            prints(process, "choose: place, pass")
            types(process, f'place {{"cell": {cell}}}')
            action = hears(game)["data"]
            game_moves.append(action["data"])
            says(game, "action/result", id=action["id"], success=True)
            prints(process, "success")
    return game_moves


def test_an_earlier_session_is_not_written_over(tmp_path: Path) -> None:
    kept = tmp_path / "session.jsonl"
    kept.write_text("mine\n")
    words = [sys.executable, "-m", "glue.games.console", "--port", str(unused()), "--record", str(kept)]
    done = subprocess.run(
        words, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and kept.read_text() == "mine\n"
    assert done.stderr == f"{kept}: a session is kept there already; cure: --record ANOTHER FILE\n"


def test_by_hand_recorded_and_played_again_from_both_sides(tmp_path: Path) -> None:
    kept = tmp_path / "session.jsonl"
    refused(tmp_path / "other.jsonl")
    game_moves = by_hand(kept)
    assert game_moves == ['{"cell": 4}', '{"cell": 8}']
    with console("--replay", str(kept)) as (process, url), connect(url) as game:
        assert play(game, 2) == game_moves
        prints(process, "the recording is at its end")
    with console() as (process, url):
        words = [sys.executable, "-m", "glue.games.console", "--replay", str(kept)]
        again = subprocess.Popen([*words, "--to", url, "--speed", "100"], cwd=ROOT, stdout=subprocess.DEVNULL)
        for cell in (4, 8):
            prints(process, "choose: place, pass")
            types(process, f'place {{"cell": {cell}}}')
            prints(process, f"result of hand-{cell // 4}: success")
        assert again.wait(30) == 0


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--replay", "/nowhere.jsonl"], 1, "/nowhere.jsonl: No such file"),
        (["--replay", "pyproject.toml"], 1, "line 1 is not JSON"),
        (["--to", "ws://localhost:1"], 2, "--replay"),
        (["--replay", "/dev/null", "--to", "ws://localhost:1"], 1, "ws://localhost:1"),
        (["--port", "{port}"], 1, "cannot be opened"),
    ],
)
def test_it_ends_with_one_line(options: list[str], code: int, says: str) -> None:
    with taken_port() as port:
        done = run([word.format(port=port) for word in options])
    assert done.returncode == code
    assert says in done.stderr and len(done.stderr.splitlines()) == 1


def run(options: list[str]) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "glue.games.console", *options]
    return subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])
