"""What the board's page is shown, as it stands. No I/O: who watches is woken by a change."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import chess

MOST_MOVES = 40  # half moves on the page
MOST_CHOICES = 6  # moves with their votes


@dataclass(slots=True)
class Table:
    """Written by the match, read by the pages. `names`: hers, and her opponent's."""

    names: tuple[str, str]
    board: chess.Board = field(default_factory=chess.Board)
    her: chess.Color = chess.WHITE
    number: int = 0
    status: str = ""
    score: dict[str, int] = field(default_factory=lambda: {"won": 0, "drawn": 0, "lost": 0})
    closes: float = 0.0  # of the votes, on time.monotonic(); 0: there is no window
    votes: list[tuple[str, int]] = field(default_factory=list)  # SAN, how many
    voters: int = 0
    over: bool = False  # all games are played
    watching: set[asyncio.Event] = field(default_factory=set)

    def changed(self) -> None:
        """Wake who watches."""
        for each in self.watching:
            each.set()

    def picture(self) -> dict[str, object]:
        """The page's frame. `closes_in`: seconds."""
        board, last = self.board, self.board.peek() if self.board.move_stack else None
        king = board.king(board.turn) if board.is_check() else None
        return {
            "game": self.number,
            "names": list(self.names),
            "her": chess.COLOR_NAMES[self.her],
            "fen": board.fen(),
            "last": [chess.square_name(last.from_square), chess.square_name(last.to_square)] if last else [],
            "check": chess.square_name(king) if king is not None else "",
            "moves": self._moves(),
            "status": self.status,
            "score": self.score,
            "votes": self.votes[:MOST_CHOICES],
            "voters": self.voters,
            "closes_in": round(max(0.0, self.closes - time.monotonic()), 1) if self.closes else None,
            "over": self.over,
        }

    def _moves(self) -> list[str]:
        """The last half moves, numbered as in a game's notation."""
        board, found = self.board.root(), []
        for move in self.board.move_stack:
            number = f"{board.fullmove_number}." if board.turn else ""
            found.append(f"{number}{board.san_and_push(move)}")
        return found[-MOST_MOVES:]
