"""Puts the board on its port: the page, her seat, stockfish where it is needed, and the games."""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import anyio

from engines.chess.match import Match
from engines.chess.options import Brain, Opponent, Options, stockfish
from engines.chess.record import Record
from engines.chess.seat import Seat
from engines.chess.stockfish import running
from engines.chess.table import Table
from engines.chess.token import kept_token, token_path
from engines.chess.votes import Ballot
from engines.chess.web import application
from engines.uvicorn_server import Server, listening

PATIENCE_S = 20.0  # for an answer to a WebSocket ping
BEST = 20  # stockfish's Skill Level where it advises her


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken, Missing, Lost."""
    opponent = "Chat" if options.opponent is Opponent.chat else "Stockfish"
    table, ballot = Table(("Spark", opponent)), Ballot(Random(options.seed or None))

    def named(name: str) -> None:
        table.names = (name or table.names[0], opponent)
        table.changed()

    seat = Seat(options.server, options.priority.value, options.ask_s, named)
    token = kept_token(token_path(options.token_file))
    record = Record(Path(options.folder or os.environ.get("SPARK_RUN", ".")))
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listening(options.host, options.port))
        path = stockfish(options.stockfish) if options.engines else ""
        rival = adviser = None
        if options.opponent is Opponent.stockfish:
            rival = await stack.enter_async_context(running(path, options.level, options.think_s))
        if options.brain is Brain.assisted:
            adviser = await stack.enter_async_context(running(path, BEST, options.think_s))
        match = Match(options, record, table, seat, ballot, rival, adviser)
        server = Server(application(table, ballot, token), **_web_socket())
        port = listener.getsockname()[1]
        sys.stderr.write(f"chess: the board is on http://{options.host}:{port}/ with its token\n")
        async with anyio.create_task_group() as tg:
            tg.start_soon(seat.run)
            tg.start_soon(seat.remind)
            tg.start_soon(match.play)
            await server.until_signal(listener)
            tg.cancel_scope.cancel()


def _web_socket() -> dict[str, object]:
    """uvicorn's words for our WebSockets."""
    return {
        "ws": "websockets-sansio",
        "ws_max_size": 1 << 16,
        "ws_ping_interval": PATIENCE_S,
        "ws_ping_timeout": PATIENCE_S,
        "ws_per_message_deflate": False,  # it costs more than it saves on loopback
    }
