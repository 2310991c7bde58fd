"""Moves as people write them, and as she says them. Pure; nothing here moves a piece."""

from __future__ import annotations

import re
from collections.abc import Mapping

import chess

from engines.chess.options import Missing

RECENT = 8  # half moves that she is told
LONGEST = 24  # characters of a vote; what is longer is none
VOTE = re.compile(
    r"!?\s*(?:(?:move|vote|play)\s+)?"
    r"([KQRBN]?[a-h]?[1-8]?x?[a-h][1-8](?:=?[QRBN])?|[O0]-[O0](?:-[O0])?)[+#]?[!?.]*",
    re.ASCII | re.IGNORECASE,
)
# No variant is played here: these mean that a game was stopped and its material counted.
COUNTED = (chess.Termination.VARIANT_WIN, chess.Termination.VARIANT_DRAW)
DECIDES = 3  # points of material that decide a game which is stopped; less is a draw
WORTH = {chess.PAWN: 1, chess.KNIGHT: 3, chess.BISHOP: 3, chess.ROOK: 5, chess.QUEEN: 9, chess.KING: 0}


def position(fen: str) -> chess.Board:
    """A board to start from. Raises Missing for what is none, or where the game is over already."""
    try:
        board = chess.Board(fen) if fen else chess.Board()
    except ValueError as error:
        raise Missing(f"option 'start': {error}; cure: a position as FEN, or nothing") from error
    if not board.is_valid() or outcome(board):
        raise Missing("option 'start': nobody can play on from there; cure: another position, or nothing")
    return board


class Written:
    """The legal moves of one position by all that means exactly one of them: SAN, with or without its
    marks, UCI, zeros for castling, a bare e8 for a queen; and lower case where that stays clear."""

    def __init__(self, board: chess.Board) -> None:
        # loud ones first: of a long list she reads the beginning
        found = sorted(board.legal_moves, key=lambda move: not loud(board, move))
        self.sans = {board.san(move): move for move in found}
        self._exact: dict[str, chess.Move] = {}
        self._loose: dict[str, chess.Move | None] = {}
        for san, move in self.sans.items():
            bare = san.rstrip("+#")
            names = {san, bare, move.uci()}
            if move.promotion:
                names |= {bare.replace("=", "")} | ({bare[:-2]} if move.promotion == chess.QUEEN else set())
            self._exact |= dict.fromkeys(names, move)
            for name in map(str.lower, names):
                known = self._loose.setdefault(name, move)
                self._loose[name] = move if known == move else None

    def read(self, text: str) -> chess.Move | None:
        """The move that a viewer's line votes for; None for anything else."""
        found = VOTE.fullmatch(text.strip()) if len(text) <= LONGEST else None
        if found is None:
            return None
        word = found[1]
        castles = word.upper().replace("0", "O")
        if castles in ("O-O", "O-O-O"):
            word = castles
        return self._exact.get(word) or self._loose.get(word.lower())


def spoken(board: chess.Board, move: chess.Move, whose: str = "the") -> str:
    """What who makes a legal move did, as one says it: "took the pawn on f6 with `whose` knight, check"."""
    kind = board.piece_type_at(move.from_square)
    assert kind is not None  # the move is legal
    piece = f"{whose} {chess.piece_name(kind)}"
    to = chess.square_name(move.to_square)
    if board.is_castling(move):
        said = f"castled {'kingside' if chess.square_file(move.to_square) > 4 else 'queenside'}"
    elif board.is_capture(move):
        said = f"took the {taken(board, move)} on {to} with {piece}"
    else:
        said = f"moved {piece} to {to}"
    if move.promotion:
        said += f", now a {chess.piece_name(move.promotion)}"
    after = board.copy(stack=False)
    after.push(move)
    return said + (", checkmate" if after.is_checkmate() else ", check" if after.is_check() else "")


def taken(board: chess.Board, move: chess.Move) -> str:
    """What a capture takes."""
    piece = board.piece_at(move.to_square)
    return chess.piece_name(piece.piece_type) if piece else "pawn"  # en passant


def loud(board: chess.Board, move: chess.Move) -> bool:
    """Whether a move is worth a word by itself: it takes, checks, castles or promotes."""
    forcing = board.is_capture(move) or board.gives_check(move)
    return forcing or board.is_castling(move) or move.promotion is not None


def material(board: chess.Board, colour: chess.Color) -> int:
    """The points that `colour` is ahead; less than 0: behind."""
    pieces = board.piece_map().values()
    return sum(WORTH[piece.piece_type] * (1 if piece.color is colour else -1) for piece in pieces)


def weighs(board: chess.Board) -> bool:
    """Whether the last move changed the material."""
    before = board.copy(stack=1)
    before.pop()
    return material(before, chess.WHITE) != material(board, chess.WHITE)


def balance(board: chess.Board, colour: chess.Color) -> str:
    """Who is ahead in material, in words."""
    ahead = material(board, colour)
    if not ahead:
        return "Material is even."
    points = "1 point" if abs(ahead) == 1 else f"{abs(ahead)} points"
    return f"You are {points} of material {'ahead' if ahead > 0 else 'behind'}."


def state(board: chess.Board, advice: Mapping[chess.Move, int]) -> str:
    """What she is told of the position; `advice`: moves and what they are worth to her, in centipawns."""
    her = chess.COLOR_NAMES[board.turn]
    parts = [f"You play {her}. {balance(board, board.turn)}", f"Position: {board.fen()}", _so_far(board)]
    if advice:
        worth = (f"{board.san(move)} ({score / 100:+.1f})" for move, score in advice.items())
        parts.append(f"Good moves and what they are worth: {', '.join(worth)}")
    return "\n".join(part for part in parts if part)


def standing(board: chess.Board, her: chess.Color, number: int, opponent: str) -> str:
    """How a game stands that goes on, in words, for whoever asks her."""
    to_move = "It is your move." if board.turn is her else f"{opponent} is to move."
    check = " The king to move is in check." if board.is_check() else ""
    colour = chess.COLOR_NAMES[her]
    where = f"Game {number}, move {board.fullmove_number}: you are {colour} against {opponent}."
    return f"{where} {balance(board, her)} {to_move}{check}"


def _so_far(board: chess.Board) -> str:
    """The last moves, as notation."""
    recent = board.move_stack[-RECENT:]
    before = board.copy()
    for _ in recent:
        before.pop()
    return f"Last moves: {before.variation_san(recent)}" if recent else ""


ENDINGS = {
    chess.Termination.STALEMATE: "by stalemate",
    chess.Termination.INSUFFICIENT_MATERIAL: "since nobody can win any more",
    chess.Termination.FIFTY_MOVES: "by the fifty-move rule",
    chess.Termination.SEVENTYFIVE_MOVES: "by the seventy-five-move rule",
    chess.Termination.THREEFOLD_REPETITION: "by repetition",
    chess.Termination.FIVEFOLD_REPETITION: "by repetition",
    chess.Termination.VARIANT_DRAW: "since it was stopped and material is about even",
}


def outcome(board: chess.Board) -> chess.Outcome | None:
    """How the game has ended; None: it goes on. Draws that could be claimed are draws."""
    if board.is_repetition(3):
        return chess.Outcome(chess.Termination.THREEFOLD_REPETITION, None)
    if board.halfmove_clock >= 100 and any(board.legal_moves):
        return chess.Outcome(chess.Termination.FIFTY_MOVES, None)
    return board.outcome()


def counted(board: chess.Board) -> chess.Outcome:
    """The adjudication of a game that is stopped: by material, and no one's judgement."""
    ahead = material(board, chess.WHITE)
    if abs(ahead) < DECIDES:
        return chess.Outcome(chess.Termination.VARIANT_DRAW, None)
    return chess.Outcome(chess.Termination.VARIANT_WIN, ahead > 0)


def ended(outcome: chess.Outcome, white: str, black: str) -> str:
    """How a game ended, in words."""
    if outcome.winner is None:
        return f"The game is a draw {ENDINGS[outcome.termination]}."
    how = "The game was stopped and counted" if outcome.termination in COUNTED else "Checkmate"
    return f"{how}: {white if outcome.winner else black} won."
