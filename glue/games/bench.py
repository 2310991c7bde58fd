"""`python -m glue.games.bench`: noughts and crosses against a running show; how long her decisions take.

A game like any other, on the Neuro Game API: `python launch.py games=neuro`, then this beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from random import Random
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from glue.spread import spread

ROWS = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
WITHIN = 60.0  # seconds for a decision


class Noughts:
    """She is X; O moves by chance. The cells that are free are the schema's."""

    def __init__(self, socket: Connection, seed: int) -> None:
        self.took: list[float] = []  # seconds from a force to its action
        self.refused = 0
        self._socket = socket
        self._random = Random(seed)

    def play(self) -> str:
        """One game; how it ended."""
        board = [" "] * 9
        self._says("startup")
        while True:
            board[self._asked(board)] = "X"
            if over := ended(board):
                break
            board[self._random.choice(free(board))] = "O"
            if over := ended(board):
                break
        self._says("context", message=f"The game is over: {over}.", silent=False)
        return over

    def _asked(self, board: list[str]) -> int:
        schema = {"type": "object", "properties": {"cell": {"enum": free(board)}}, "required": ["cell"]}
        place = {"name": "place", "description": "Put your X into a free cell.", "schema": schema}
        self._says("actions/register", actions=[place])
        state = "\n".join("|".join(board[start : start + 3]) for start in (0, 3, 6))
        began = time.perf_counter()
        force = {"query": "It is your turn.", "state": state, "ephemeral_context": True, "priority": "high"}
        self._says("actions/force", action_names=["place"], **force)
        while True:
            message = json.loads(self._socket.recv(timeout=WITHIN))
            if message["command"] != "action":
                continue
            self.took.append(time.perf_counter() - began)
            cell = json.loads(message["data"]["data"])["cell"]
            good = cell in free(board)
            if good:
                self._says("actions/unregister", action_names=["place"])
            said = "" if good else f"Cell {cell} is taken."
            self._says("action/result", id=message["data"]["id"], success=good, message=said)
            if good:
                return int(cell)
            self.refused += 1
            began = time.perf_counter()

    def _says(self, command: str, **data: Any) -> None:
        self._socket.send(json.dumps({"command": command, "game": "Noughts and Crosses", "data": data}))


def free(board: list[str]) -> list[int]:
    """Cells without a mark."""
    return [cell for cell, mark in enumerate(board) if mark == " "]


def ended(board: list[str]) -> str:
    """How the game ended, or ""."""
    for mark in "XO":
        if any(all(board[cell] == mark for cell in row) for row in ROWS):
            return f"{mark} wins"
    return "" if free(board) else "a draw"


def main() -> None:
    """Exit 1 with one line where nobody plays."""
    parser = argparse.ArgumentParser(prog="python -m glue.games.bench", description=__doc__)
    parser.add_argument("--url", default="ws://localhost:8000")
    parser.add_argument("--games", type=int, default=5)
    options = parser.parse_args()
    try:
        with connect(options.url, compression=None) as socket:
            game = Noughts(socket, seed=7)
            ends = [game.play() for _ in range(options.games)]
    except (OSError, InvalidHandshake, ConnectionClosed) as error:
        parser.exit(1, f"{options.url}: {error}; cure: python launch.py games=neuro\n")
    took = spread(game.took, 1000, 0)
    sys.stdout.write(
        f"{took.n} decisions: p50 {took.p50:.0f}, p95 {took.p95:.0f} ms; "
        f"{game.refused} refused; {', '.join(ends)}\n"
    )


if __name__ == "__main__":
    main()
