"""The games, one after the other: whose turn it is, their move onto the board, and what she is told of it."""

from __future__ import annotations

import asyncio
import sys
import time

import chess

from engines.chess import moves
from engines.chess.options import Options, Side
from engines.chess.record import Game, Record
from engines.chess.seat import Question, Seat
from engines.chess.stockfish import Stockfish
from engines.chess.table import MOST_CHOICES, Table
from engines.chess.votes import Ballot, Poll

FAREWELL_S = 6.0  # after the last game, at most: she speaks about it before the show ends
BETWEEN = 3  # pauses after a game: how it ended is to be read
SHOWN_S = 0.2  # between two pictures of the votes


class Match:
    """`play()` is all. `rival` plays against her where chat does not, `adviser` proposes her moves."""

    def __init__(
        self,
        options: Options,
        record: Record,
        table: Table,
        seat: Seat,
        ballot: Ballot,
        rival: Stockfish | None = None,
        adviser: Stockfish | None = None,
    ) -> None:
        self._options, self._record, self._table = options, record, table
        self._seat, self._ballot = seat, ballot
        self._rival, self._adviser = rival, adviser
        self._stops = float("inf")

    async def play(self) -> None:
        """All games, from the one that was broken off. Raises Lost, where stockfish is."""
        await self._score()
        await self._seat.joined.wait()
        self._stops = time.monotonic() + (self._options.within_s or float("inf"))
        played = self._record.games()
        game = played[-1] if played and not played[-1].over else None
        number = played[-1].number if played else 0
        while game is not None or self._another(number):
            if game is None:
                number += 1
                game = await self._begin(number)
            else:
                await self._seat.tell("The board is back, and the game goes on.")
            await self._game(game)
            game = None
        await asyncio.sleep(min(FAREWELL_S, BETWEEN * self._options.pause_s))
        self._table.over, self._table.status = True, "All games are played"
        self._table.changed()

    def _another(self, number: int) -> bool:
        """Whether a game follows game `number`."""
        return time.monotonic() < self._stops and (not self._options.games or number < self._options.games)

    async def _begin(self, number: int) -> Game:
        her = self._options.side is Side.white or (self._options.side is Side.alternate and number % 2 == 1)
        game = self._record.begin(number, moves.position(self._options.start), her, self._table.names)
        opponent = self._table.names[1]
        await self._seat.tell(
            f"Game {number} of chess begins: you are {chess.COLOR_NAMES[her]}, against {opponent}."
        )
        return game

    async def _game(self, game: Game) -> None:
        def refused(move: str, asked: bool) -> None:
            game.refused(bool(move) and not (asked and moves.Written(game.board).read(move)))

        self._seat.refused = refused
        self._show(game)
        await self._seat.stands(self._standing(game))
        while (outcome := moves.outcome(game.board) or self._stopped(game)) is None:
            if game.board.turn is game.her:
                await self._hers(game)
            else:
                await self._theirs(game)
            self._table.closes, self._table.votes = 0.0, []
            self._show(game)
            await self._seat.stands(self._standing(game))
            await asyncio.sleep(self._options.pause_s)
        game.finish(outcome)
        if outcome.termination in moves.COUNTED:
            await self._seat.tell(self._ended(game, outcome, "you"))
        await self._score()
        self._say(self._ended(game, outcome, self._table.names[0]))
        await self._seat.stands(f"{self._ended(game, outcome, 'you')} {self._so_far()}")
        sys.stderr.write(f"chess: game {game.number}: {self._table.status} {self._so_far()}\n")
        await asyncio.sleep(BETWEEN * self._options.pause_s)

    async def _hers(self, game: Game) -> None:
        """Her move."""
        board, legal = game.board, moves.Written(game.board).sans
        self._say(f"{self._table.names[0]} is thinking")
        advice = await self._advice(board)
        chosen = tuple(san for san, move in legal.items() if not advice or move in advice)

        def told(san: str, took: float) -> str:
            said = moves.spoken(board, legal[san], "your")
            game.push(legal[san], took)
            return self._after(game, f"You {said}.")

        state = moves.state(board, advice)
        await self._seat.decide(Question(state, chosen, told))

    async def _advice(self, board: chess.Board) -> dict[chess.Move, int]:
        if self._adviser is None:
            return {}
        found = await self._adviser.candidates(board, self._options.candidates)
        return {each.move: each.score for each in found}

    async def _theirs(self, game: Game) -> None:
        """Her opponent's move, which she is told of; she speaks about it where it is worth a word."""
        name = self._table.names[1]
        if self._rival is None:
            if (poll := await self._vote(game.board)) is None:
                return
            move, how = poll.move, f"By {poll.votes} of {poll.of} votes, " if poll.of > 1 else ""
        else:
            self._say(f"{name} is thinking")
            move, how = await self._rival.move(game.board), ""
        said = moves.spoken(game.board, move)
        worth = self._rival is None or moves.loud(game.board, move)
        game.push(move)
        await self._seat.tell(self._after(game, f"{how}{name} {said}."), silent=not worth)

    async def _vote(self, board: chess.Board) -> Poll | None:
        """A window of votes; another one where nobody votes. None: the games' time was up before."""
        table, asked = self._table, False
        while (now := time.monotonic()) < self._stops:
            self._ballot.open(board)
            table.votes, table.voters, table.closes = [], 0, min(now + self._options.vote_s, self._stops)
            self._say(f"{table.names[1]} votes: write a move")
            while (left := table.closes - time.monotonic()) > 0:
                await asyncio.sleep(min(left, SHOWN_S))
                self._count(board)
            if poll := self._ballot.close():
                return poll
            if not asked:
                asked = True
                await self._seat.tell("Nobody has voted for a move yet; chat has the move.")
        return None

    def _count(self, board: chess.Board) -> None:
        """What the page shows of the votes."""
        counts = self._ballot.counts()
        votes, voters = [(board.san(move), n) for move, n in counts[:MOST_CHOICES]], sum(n for _, n in counts)
        if (votes, voters) != (self._table.votes, self._table.voters):
            self._table.votes, self._table.voters = votes, voters
            self._table.changed()

    def _after(self, game: Game, said: str) -> str:
        """What she is told of a move, and how the game stands then, where it changed that."""
        outcome = moves.outcome(game.board)
        if outcome is None:
            return f"{said} {moves.balance(game.board, game.her)}" if moves.weighs(game.board) else said
        return f"{said} {self._ended(game, outcome, 'you')}"

    def _ended(self, game: Game, outcome: chess.Outcome, she: str) -> str:
        opponent = self._table.names[1]
        return moves.ended(outcome, *((she, opponent) if game.her else (opponent, she)))

    def _stopped(self, game: Game) -> chess.Outcome | None:
        """The adjudication of a game that has taken too long."""
        played, most = game.board.fullmove_number - 1, self._options.most_moves
        over = (most and played >= most) or time.monotonic() >= self._stops
        return moves.counted(game.board) if over else None

    def _standing(self, game: Game) -> str:
        return moves.standing(game.board, game.her, game.number, self._table.names[1])

    def _so_far(self) -> str:
        """The score, in words."""
        score = self._table.score
        return f"So far {score['won']} won, {score['drawn']} drawn, {score['lost']} lost."

    def _say(self, status: str) -> None:
        self._table.status = status
        self._table.changed()

    def _show(self, game: Game) -> None:
        self._table.board, self._table.her, self._table.number = game.board, game.her, game.number
        self._table.changed()

    async def _score(self) -> None:
        """What the games came to so far: for the page, and for the report."""
        figures = await asyncio.to_thread(self._record.figures)
        self._table.score = {each: figures[each] for each in ("won", "drawn", "lost")}
