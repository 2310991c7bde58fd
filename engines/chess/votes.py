"""Chat's move: one vote a viewer, the last one counts, and a tie is drawn by lot. Pure.

By lot, because a stream reaches viewers seconds apart: were the first vote to win, the shortest delay would.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

import chess

from engines.chess.moves import Written

MOST_VIEWERS = 20_000  # whose votes are kept


@dataclass(frozen=True, slots=True)
class Poll:
    """What a window brought: the move, how many were for it, and of how many."""

    move: chess.Move
    votes: int
    of: int


@dataclass(slots=True)
class Ballot:
    """Closed until open() is called for a position."""

    random: Random = field(default_factory=Random)
    _written: Written | None = None
    _votes: dict[str, tuple[chess.Move, str]] = field(default_factory=dict)  # viewer -> move, id of the line

    def open(self, board: chess.Board) -> None:
        """A window begins; what was voted before is over."""
        self._written, self._votes = Written(board), {}

    def vote(self, viewer: str, text: str, line: str = "") -> bool:
        """Whether `text` counts: a legal move, in an open window. It takes the place of the viewer's last."""
        move = self._written.read(text) if self._written else None
        if move is None or (viewer not in self._votes and len(self._votes) >= MOST_VIEWERS):
            return False
        self._votes[viewer] = (move, line)
        return True

    def withdraw(self, lines: set[str]) -> None:
        """A moderator took these lines away: they count no more."""
        self._votes = {who: vote for who, vote in self._votes.items() if vote[1] not in lines}

    def counts(self) -> list[tuple[chess.Move, int]]:
        """Moves and their votes, the most first."""
        return Counter(move for move, _ in self._votes.values()).most_common()

    def close(self) -> Poll | None:
        """The window is over; None where nobody voted."""
        counts, self._written = self.counts(), None
        if not counts:
            return None
        most = counts[0][1]
        tied = sorted((move for move, votes in counts if votes == most), key=chess.Move.uci)
        return Poll(self.random.choice(tied), most, len(self._votes))
