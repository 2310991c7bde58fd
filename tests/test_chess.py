"""The rules of the board: what a line means, whose vote counts, what is kept. No illegal move gets on it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.need import need_package

need_package("chess", "uv sync --all-extras --inexact")

import chess  # noqa: E402  (after the skip)

from engines.chess.match import BETWEEN, FAREWELL_S  # noqa: E402
from engines.chess.moves import (  # noqa: E402
    Written,
    balance,
    counted,
    ended,
    loud,
    outcome,
    position,
    spoken,
    standing,
    state,
    weighs,
)
from engines.chess.options import Missing, Options, prepare, stockfish  # noqa: E402
from engines.chess.record import IllegalMove, Record  # noqa: E402
from engines.chess.table import Table  # noqa: E402
from engines.chess.votes import Ballot  # noqa: E402
from engines.chess.web import take  # noqa: E402

START = chess.STARTING_FEN
CASTLES = "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1"
PROMOTES = "8/4P3/8/8/8/8/k6K/8 w - - 0 1"
BISHOP_OR_PAWN = "4k3/8/8/8/8/2p5/1P1B4/4K3 w - - 0 1"


@pytest.mark.parametrize(
    ("fen", "text", "uci"),
    [
        (START, "e4", "e2e4"),
        (START, "!e4", "e2e4"),
        (START, "  !Nf3!! ", "g1f3"),
        (START, "nf3", "g1f3"),
        (START, "g1f3", "g1f3"),
        (START, "G1F3", "g1f3"),
        (START, "!move e4", "e2e4"),
        (START, "vote nc3", "b1c3"),
        (START, "e5", None),
        (START, "e4 is best", None),
        (START, "lol", None),
        (START, "", None),
        (START, "e" * 10_000, None),
        (START, "e4\ne5", None),
        (CASTLES, "O-O", "e1g1"),
        (CASTLES, "0-0-0", "e1c1"),
        (CASTLES, "o-o", "e1g1"),
        (CASTLES, "ooo", None),
        (CASTLES, "Rxa8+", "a1a8"),
        (CASTLES, "rxa8", "a1a8"),
        (PROMOTES, "e8", "e7e8q"),
        (PROMOTES, "e8=N", "e7e8n"),
        (PROMOTES, "e8q", "e7e8q"),
        (PROMOTES, "e7e8r", "e7e8r"),
        (BISHOP_OR_PAWN, "bxc3", "b2c3"),
        (BISHOP_OR_PAWN, "Bxc3", "d2c3"),
        (BISHOP_OR_PAWN, "BXC3", None),
    ],
)
def test_what_viewers_write(fen: str, text: str, uci: str | None) -> None:
    move = Written(chess.Board(fen)).read(text)
    assert (move.uci() if move else None) == uci


@st.composite
def boards(draw: st.DrawFn) -> chess.Board:
    """A position that random moves lead to."""
    board, random = chess.Board(), draw(st.randoms(use_true_random=False))
    for _ in range(draw(st.integers(0, 60))):
        moves = list(board.legal_moves)
        if not moves:
            break
        board.push(random.choice(moves))
    return board


@settings(max_examples=40)
@given(boards())
def test_every_legal_move_is_read_in_each_way_of_writing_it(board: chess.Board) -> None:
    written = Written(board)
    for move in board.legal_moves:
        for text in (board.san(move), f"!{board.san(move)}", board.san(move).rstrip("+#"), move.uci()):
            assert written.read(text) == move
        assert spoken(board, move).isascii()
    assert set(written.sans.values()) == set(board.legal_moves)
    assert len(state(board, {})) < 2400


@settings(max_examples=60)
@given(
    boards(), st.one_of(st.text(max_size=30), st.from_regex(r"!?[a-hKQRBNO0-9x=+#-]{1,8}", fullmatch=True))
)
def test_no_text_is_read_as_an_illegal_move(board: chess.Board, text: str) -> None:
    move = Written(board).read(text)
    assert move is None or board.is_legal(move)


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_frame_is_a_vote_or_nothing(frame: str) -> None:
    ballot = Ballot()
    ballot.open(chess.Board())
    take(ballot, frame)
    take(ballot, json.dumps({"viewer": frame, "text": frame, "line": 3}))
    assert ballot.counts() == []


def test_each_viewer_has_one_vote_and_the_last_one_counts() -> None:
    ballot = Ballot()
    assert not ballot.vote("a", "e4")  # no window
    ballot.open(chess.Board())
    for viewer, text in (("a", "e4"), ("b", "e4"), ("c", "d4"), ("a", "d4"), ("a", "hello"), ("b", "e5")):
        ballot.vote(viewer, text, f"line of {viewer}")
    assert [(move.uci(), n) for move, n in ballot.counts()] == [("d2d4", 2), ("e2e4", 1)]
    ballot.withdraw({"line of c"})
    assert sorted((move.uci(), n) for move, n in ballot.counts()) == [("d2d4", 1), ("e2e4", 1)]
    ballot.vote("d", "d4")
    poll = ballot.close()
    assert poll is not None and (poll.move.uci(), poll.votes, poll.of) == ("d2d4", 2, 3)
    assert not ballot.vote("e", "e4")
    ballot.open(chess.Board())
    assert ballot.close() is None


def test_a_tie_is_drawn_by_lot_whoever_came_first() -> None:
    won = {"e2e4": 0, "d2d4": 0}
    ballot = Ballot(Random(7))
    for _ in range(400):
        ballot.open(chess.Board())
        ballot.vote("early", "e4")
        ballot.vote("late", "d4")
        poll = ballot.close()
        assert poll is not None
        won[poll.move.uci()] += 1
    assert min(won.values()) > 140


@pytest.mark.parametrize(
    ("fen", "san", "said"),
    [
        (START, "Nf3", "moved my knight to f3"),
        (CASTLES, "O-O-O", "castled queenside"),
        (CASTLES, "Rxh8+", "took the rook on h8 with my rook, check"),
        (PROMOTES, "e8=N", "moved my pawn to e8, now a knight"),
        ("8/8/8/3pP3/8/8/k6K/8 w - d6 0 1", "exd6", "took the pawn on d6 with my pawn"),
        ("6k1/5ppp/8/8/8/8/8/R6K w - - 0 1", "Ra8#", "moved my rook to a8, checkmate"),
    ],
)
def test_moves_in_words(fen: str, san: str, said: str) -> None:
    board = chess.Board(fen)
    assert spoken(board, board.parse_san(san), "my") == said
    assert loud(board, board.parse_san(san)) is (san not in ("Nf3",))


def test_a_game_that_is_stopped_is_counted_by_material() -> None:
    for fen, winner in (
        ("4k3/8/8/8/8/8/8/3QK3 b - - 0 1", chess.WHITE),
        ("3rk3/8/8/8/8/8/8/4K3 w - - 0 1", chess.BLACK),
        ("4k3/8/8/8/8/8/3PP3/4K3 w - - 0 1", None),
    ):
        found = counted(chess.Board(fen))
        assert found.winner is winner
        assert ended(found, "White", "Black").startswith(
            "The game is a draw since it was stopped"
            if winner is None
            else "The game was stopped and counted:"
        )


def test_how_it_stands_is_told_in_words_that_fit() -> None:
    board = chess.Board("3qk3/8/8/8/8/8/8/4K3 w - - 0 60")
    assert standing(board, chess.WHITE, 3, "Stockfish") == (
        "Game 3, move 60: you are white against Stockfish. You are 9 points of material behind. "
        "It is your move."
    )
    board.push_san("Ke2")
    board.push_san("Qd1+")
    said = standing(board, chess.BLACK, 20, "Stockfish")
    assert "Stockfish is to move. The king to move is in check." in said and len(said) < 240


def test_how_it_stands_is_told_only_of_moves_that_changed_it() -> None:
    board = chess.Board()
    found = []
    for san in ("e4", "d5", "exd5", "Qxd5", "Nc3"):
        board.push_san(san)
        found.append(weighs(board))
    assert found == [False, False, True, True, False]
    board = chess.Board("8/P6k/8/8/8/8/8/K7 w - - 0 1")
    board.push_san("a8=Q")
    assert weighs(board)


def test_what_she_is_told_is_true() -> None:
    board = chess.Board("6k1/5ppp/8/8/8/8/8/R6K w - - 0 1")
    assert balance(board, chess.WHITE) == "You are 2 points of material ahead."
    assert balance(board, chess.BLACK) == "You are 2 points of material behind."
    assert next(iter(Written(board).sans)) == "Ra8#"
    mate = board.parse_san("Ra8#")
    assert state(board, {mate: 9999}).endswith("worth: Ra8# (+100.0)")
    assert "You play white" in state(board, {}) and board.fen() in state(board, {})
    board.push_san("Ra8#")
    won = outcome(board)
    assert won is not None
    assert ended(won, "you", "Chat") == "Checkmate: you won."
    stalled = outcome(chess.Board("7k/5Q2/6K1/8/8/8/8/8 b - - 0 1"))
    assert stalled is not None and ended(stalled, "x", "y") == "The game is a draw by stalemate."
    board = chess.Board()
    for _ in range(2):
        assert outcome(board) is None
        for san in ("Nf3", "Nf6", "Ng1", "Ng8"):
            board.push_san(san)
    again = outcome(board)
    assert again is not None and ended(again, "x", "y") == "The game is a draw by repetition."


def test_an_illegal_move_stays_off_the_board_and_out_of_the_file(tmp_path: Path) -> None:
    game = Record(tmp_path).begin(1, chess.Board(), chess.BLACK, ("Spark", "Chat"))
    game.push(chess.Move.from_uci("e2e4"), 0.5)
    before = game.path.read_bytes()
    for uci in ("e2e4", "e7e4", "e1e2", "0000"):
        with pytest.raises(IllegalMove):
            game.push(chess.Move.from_uci(uci))
    assert (game.path.read_bytes(), game.board.fullmove_number) == (before, 1)


def test_a_run_goes_on_from_its_files_and_its_figures_are_made_of_them(tmp_path: Path) -> None:
    record = Record(tmp_path)
    game = record.begin(1, chess.Board(), chess.WHITE, ("Spark", "Chat"))
    for number, san in enumerate(("f3", "e5", "g4")):
        game.push(game.board.parse_san(san), 0.25 if number % 2 == 0 else None)
    for illegal in (True, False, True):
        game.refused(illegal)
    (again,) = Record(tmp_path).games()
    assert (again.board.fen(), again.number, again.her, again.over) == (
        game.board.fen(),
        1,
        chess.WHITE,
        False,
    )
    assert again.board.move_stack == game.board.move_stack  # repetitions are known as before
    again.push(again.board.parse_san("Qh4#"))
    won = outcome(again.board)
    assert won is not None
    again.finish(won)
    (tmp_path / "chess-02.pgn").write_text('[Her "white"]\n[Round "2"]\n[Result "*"]\n\n1. e4 e4 *\n')
    found = Record(tmp_path).figures()
    assert found["illegal_moves"] == 1  # the second file's, which nothing of ours would write
    assert (found["games"], found["lost"], found["moves"]) == (1, 1, 5)
    assert (found["refused"], found["illegal_attempts"]) == (3, 2)
    assert found["move_ms"] == {"p50": 250.0, "p95": 250.0, "n": 2}
    assert json.loads((tmp_path / "played.json").read_text()) == found


def test_the_page_is_shown_what_is_on_the_board() -> None:
    board = chess.Board()
    for san in ("f3", "e5", "g4", "Qh4#"):
        board.push_san(san)
    shown = Table(("Spark", "Chat"), board).picture()
    assert (shown["last"], shown["check"], shown["fen"]) == (["d8", "h4"], "e1", board.fen())
    assert shown["moves"] == ["1.f3", "e5", "2.g4", "Qh4#"]


@pytest.mark.parametrize(
    ("fen", "says"),
    [
        ("nonsense", "FEN"),
        ("7k/5Q2/6K1/8/8/8/8/8 b - - 0 1", "play on"),
        ("8/8/8/8/8/8/8/8 w - - 0 1", "play on"),
    ],
)
def test_a_start_that_is_none_is_refused(fen: str, says: str) -> None:
    with pytest.raises(Missing, match=says):
        prepare(Options(start=fen))
    assert position("").fen() == START


def test_she_has_six_seconds_for_a_word_about_the_last_game() -> None:
    assert min(FAREWELL_S, BETWEEN * Options().pause_s) == 6.0


def test_stockfish_is_asked_for_only_where_it_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("engines.chess.options.GAMES_FOLDERS", ())
    prepare(Options())
    with pytest.raises(Missing, match="sudo apt install stockfish"):
        stockfish("")
    with pytest.raises(Missing, match="no program"):
        stockfish("/nowhere")
