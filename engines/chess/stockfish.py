"""Stockfish as a child process on UCI: her opponent, or what proposes her candidates.

It ends with its pipe. A stockfish that breaks or hangs ends the board's process, which is started again and
goes on from the saved game.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import chess
import chess.engine

START_S = 10.0
SLACK_S = 10.0  # beyond its thinking time, on a machine that is busy with other things
MATE = 10_000  # centipawns that a mate counts
WORST = 150  # centipawns that a candidate may be worse than the best


class Lost(Exception):
    """Stockfish cannot be used; one line."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A move and what it is worth to who makes it, in centipawns."""

    move: chess.Move
    score: int


@dataclass(frozen=True, slots=True)
class Stockfish:
    """A running one."""

    engine: chess.engine.Protocol
    think_s: float

    async def move(self, board: chess.Board) -> chess.Move:
        """Its move. Raises Lost."""
        try:
            async with asyncio.timeout(self.think_s + SLACK_S):
                played = await self.engine.play(board, chess.engine.Limit(time=self.think_s))
        except (chess.engine.EngineError, TimeoutError) as error:
            raise Lost(f"stockfish: {error or 'no answer'}") from error
        if played.move is None:
            raise Lost("stockfish gave no move")
        return played.move

    async def candidates(self, board: chess.Board, most: int) -> list[Candidate]:
        """At most so many good moves, the best first. Raises Lost."""
        limit = chess.engine.Limit(time=self.think_s)
        try:
            async with asyncio.timeout(self.think_s + SLACK_S):
                lines = await self.engine.analyse(board, limit, multipv=most)
        except (chess.engine.EngineError, TimeoutError) as error:
            raise Lost(f"stockfish: {error or 'no answer'}") from error
        found = [
            Candidate(line["pv"][0], line["score"].pov(board.turn).score(mate_score=MATE))
            for line in lines
            if line.get("pv") and "score" in line
        ]
        if not found:
            raise Lost("stockfish proposed nothing")
        return [each for each in found if each.score >= found[0].score - WORST]


@asynccontextmanager
async def running(path: str, level: int, think_s: float) -> AsyncIterator[Stockfish]:
    """Start one at this Skill Level (0 to 20). Raises Lost."""
    try:
        async with asyncio.timeout(START_S):
            transport, engine = await chess.engine.popen_uci(path)
    except (OSError, chess.engine.EngineError, TimeoutError) as error:
        raise Lost(
            f"{path} is no chess engine ({error or 'no answer'}); cure: sudo apt install stockfish"
        ) from error
    try:
        wanted = {"Threads": 1, "Hash": 16, "Skill Level": level}
        try:
            async with asyncio.timeout(START_S):
                await engine.configure({key: value for key, value in wanted.items() if key in engine.options})
        except (chess.engine.EngineError, TimeoutError) as error:
            raise Lost(f"{path} cannot be set up ({error or 'no answer'})") from error
        yield Stockfish(engine, think_s)
    finally:
        with suppress(chess.engine.EngineError, TimeoutError):
            async with asyncio.timeout(0.3):
                await engine.quit()
        transport.close()
