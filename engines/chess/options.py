"""What the chess board can be told on its command line."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from engines.cache import ModelError
from engines.options import check_local


class Opponent(Enum):
    """Who plays against her."""

    chat = "chat"  # viewers, by votes
    stockfish = "stockfish"


class Brain(Enum):
    """How she finds her moves."""

    model = "model"  # all by herself: every legal move is there to choose from
    assisted = "assisted"  # stockfish proposes a few good ones, she chooses among them


class Side(Enum):
    """What she plays."""

    alternate = "alternate"  # white in the first game, black in the second, ...
    white = "white"
    black = "black"


class Priority(Enum):
    """How urgently she is asked while she is speaking: the game wire's words."""

    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


@dataclass(frozen=True)
class Options:
    """`python -m engines.chess key=value ...`; conf/chess/board.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8029
    server: str = "ws://localhost:8000"
    opponent: Opponent = Opponent.chat
    brain: Brain = Brain.model
    games: int = 0  # 0: one after the other, for ever
    most_moves: int = 0  # of each side in a game; then material decides; 0: until it ends
    within_s: float = 0.0  # for all games; then no other one begins, and this one is counted; 0: no limit
    side: Side = Side.alternate
    priority: Priority = Priority.low
    vote_s: float = 20.0
    pause_s: float = 2.0
    ask_s: float = 60.0
    level: int = 3  # of stockfish as her opponent, 0 to 20
    think_s: float = 0.05  # stockfish's, for a move
    candidates: int = 4
    stockfish: str = ""  # its path; "" where the system has it
    start: str = ""  # a position (FEN); "" the usual one
    folder: str = ""  # for the games; "" the run folder, or this one
    token_file: str = ""  # "" in the user's state folder
    seed: int = 0

    def __post_init__(self) -> None:
        check_local(self, lowest=0)
        if not self.server.startswith(("ws://", "wss://")):
            raise ValueError(f"option 'server': '{self.server}' is not ws://HOST:PORT")
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    f"option '{name}': must lie between {low} and {high}, not {getattr(self, name)}"
                )

    @property
    def engines(self) -> bool:
        """Whether stockfish is needed."""
        return self.opponent is Opponent.stockfish or self.brain is Brain.assisted


RANGES = {
    "games": (0, 10_000),
    "most_moves": (0, 10_000),
    "within_s": (0, 7 * 24 * 3600),
    "vote_s": (0.2, 3600),
    "pause_s": (0, 600),
    "ask_s": (5, 3600),
    "level": (0, 20),
    "think_s": (0.001, 60),
    "candidates": (2, 20),
}
GAMES_FOLDERS = ("/usr/games", "/usr/local/games")  # Debian's, which are not on every PATH


class Missing(ModelError):
    """Something that chess needs is not on this machine; one line with the cure."""


def stockfish(configured: str) -> str:
    """Where it is. Raises Missing."""
    if configured:
        path = str(Path(configured).expanduser())
        if not os.access(path, os.X_OK):
            raise Missing(f"chess: {configured} is no program; cure: chess.engine.stockfish=PATH")
        return path
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *GAMES_FOLDERS))
    found = shutil.which("stockfish", path=places)
    if found is None:
        raise Missing(
            "chess: stockfish is missing; cure: sudo apt install stockfish, or chess.engine.stockfish=PATH"
        )
    return found


def prepare(options: Options, say: Callable[[str], None] = lambda said: None) -> None:
    """Told before anything starts, what would fail later. Raises Missing."""
    if importlib.util.find_spec("chess") is None:
        raise Missing("chess: the package chess is not installed; cure: uv sync --all-extras --inexact")
    if options.engines:
        stockfish(options.stockfish)
    if options.start:
        from engines.chess.moves import position

        position(options.start)
