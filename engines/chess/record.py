"""The games of one run, each a PGN that is written anew after every move: what is killed goes on from there.

Times that she took stand in it as [%emt], and what she was refused in headers, so that the figures of a run
are made of its games alone.
"""

from __future__ import annotations

import json
import os
import re
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import chess
import chess.pgn

from engines.chess.moves import COUNTED

NAME = re.compile(r"chess-(\d+)\.pgn")
REFUSED, ILLEGAL = "Refused", "IllegalAttempts"  # headers, each a count
FIGURES = "played.json"  # in the run folder: what a game's body says of itself, for the report


class IllegalMove(Exception):
    """A move that no rule allows was about to be made. Nothing was moved."""


class Game:
    """One game on its board. Moves come only through push()."""

    def __init__(self, path: Path, tree: chess.pgn.Game) -> None:
        self.path = path
        self._tree, self._end = tree, tree.end()
        self.board = self._end.board()

    @property
    def number(self) -> int:
        """From 1."""
        return int(self._tree.headers["Round"])

    @property
    def her(self) -> chess.Color:
        """Her colour."""
        return self._tree.headers["Her"] == "white"

    @property
    def over(self) -> bool:
        """Whether it has a result."""
        return self._tree.headers["Result"] != "*"

    def push(self, move: chess.Move, took: float | None = None) -> None:
        """Make a move, the only way to make one; `took`: the seconds that she needed. Raises IllegalMove."""
        if not self.board.is_legal(move):
            raise IllegalMove(move.uci())
        self._end = self._end.add_variation(move)
        if took is not None:
            self._end.set_emt(took)
        self.board.push(move)
        self.save()

    def refused(self, illegal: bool) -> None:
        """She was told that what she wanted is not to be had; `illegal`: it was a move against the rules."""
        headers = self._tree.headers
        for name in (REFUSED, ILLEGAL) if illegal else (REFUSED,):
            headers[name] = str(_number(self._tree, name) + 1)
        self.save()

    def finish(self, outcome: chess.Outcome) -> None:
        """It has come to its end."""
        how = "adjudication" if outcome.termination in COUNTED else outcome.termination.name
        self._tree.headers["Result"] = outcome.result()
        self._tree.headers["Termination"] = how.lower().replace("_", " ")
        self.save()

    def save(self) -> None:
        """Replaced in one step: a kill leaves the position before the move, or the one after it."""
        _replace(self.path, str(self._tree))


class Record:
    """The folder that the games lie in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def games(self) -> list[Game]:
        """All that are there, in their order."""
        found = sorted(
            (int(m[1]), path) for path in self.folder.iterdir() if (m := NAME.fullmatch(path.name))
        )
        return [Game(path, tree) for _, path in found if (tree := _read(path)) is not None]

    def begin(self, number: int, board: chess.Board, her: chess.Color, names: tuple[str, str]) -> Game:
        """A new game; `names`: hers, and her opponent's."""
        tree = chess.pgn.Game()
        tree.setup(board)
        tree.headers.update(
            {
                "Event": "Spark VTuber",
                "Site": "a stream",
                "Date": datetime.now(UTC).strftime("%Y.%m.%d"),
                "Round": str(number),
                "White": names[0] if her else names[1],
                "Black": names[1] if her else names[0],
                "Her": "white" if her else "black",
            }
        )
        game = Game(self.folder / f"chess-{number:02}.pgn", tree)
        game.save()
        return game

    def figures(self) -> dict[str, Any]:
        """What the games amount to, kept for the report; each is read again from its file, and its moves are
        checked once more."""
        trees = [tree for game in self.games() if (tree := _read(game.path)) is not None]
        done = [tree for tree in trees if tree.headers["Result"] != "*"]
        took = [1000 * emt for tree in trees for node in tree.mainline() if (emt := node.emt()) is not None]
        results = [_result(tree) for tree in done]
        figures = {
            "games": len(done),
            "won": results.count("won"),
            "drawn": results.count("drawn"),
            "lost": results.count("lost"),
            "adjudicated": sum(tree.headers["Termination"] == "adjudication" for tree in done),
            "moves": sum(1 for tree in trees for _ in tree.mainline()),
            "illegal_moves": sum(len(tree.errors) for tree in trees),  # that got onto the board
            "illegal_attempts": sum(_number(tree, ILLEGAL) for tree in trees),  # that she came with
            "refused": sum(_number(tree, REFUSED) for tree in trees),  # with what was no move at all
            "move_ms": {"p50": _share(took, 0.5), "p95": _share(took, 0.95), "n": len(took)},
        }
        _replace(self.folder / FIGURES, json.dumps(figures, indent=2))
        return figures


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(f"{text}\n", encoding="utf-8")
    fresh.replace(path)


def _read(path: Path) -> chess.pgn.Game | None:
    with path.open(encoding="utf-8", errors="replace") as file:
        tree = chess.pgn.read_game(file)
    return tree if tree is not None and {"Her", "Round"} <= set(tree.headers) else None


def _number(tree: chess.pgn.Game, header: str) -> int:
    return int(tree.headers.get(header, "0"))


def _result(tree: chess.pgn.Game) -> str:
    if tree.headers["Result"] == "1/2-1/2":
        return "drawn"
    return "won" if (tree.headers["Result"] == "1-0") is (tree.headers["Her"] == "white") else "lost"


def _share(values: Sequence[float], share: float) -> float | None:
    """A quantile, by the nearest rank above; None of nothing."""
    if not values:
        return None
    if share == 0.5:
        return round(statistics.median(values), 1)
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 1)
