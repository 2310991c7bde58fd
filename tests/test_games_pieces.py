"""A long registration is taken in pieces: by its actions, and by how much there is to read in them."""

import json

import pytest

from glue.games.messages import Message, Register, read
from glue.games.pieces import LETTERS, PIECE, pieces


def registers(*letters: int) -> Message:
    """Actions whose schemas have so many letters each."""
    actions = [
        {"name": f"a{number}", "schema": {"title": "x" * (size - len('{"title": ""}'))}}
        for number, size in enumerate(letters)
    ]
    frame = {"command": "actions/register", "game": "G", "data": {"actions": [*actions, {}]}}
    return read(json.dumps(frame))


@pytest.mark.parametrize(
    ("letters", "sizes"),
    [
        ([], [0]),
        ([100] * 25, [25]),
        ([100] * 60, [PIECE, PIECE, 10]),
        ([LETTERS // 2] * 3, [2, 1]),
        ([100, 9 * LETTERS, 100, 100], [1, 1, 2]),
        ([1000] * 10, [4, 4, 2]),
    ],
)
def test_a_piece_has_few_actions_and_little_to_read(letters: list[int], sizes: list[int]) -> None:
    whole = registers(*letters)
    found = [piece.body for piece in pieces(whole)]
    assert all(isinstance(body, Register) for body in found)
    bodies = [body for body in found if isinstance(body, Register)]
    assert [len(body.actions) for body in bodies] == sizes
    assert isinstance(whole.body, Register)
    assert tuple(action for body in bodies for action in body.actions) == whole.body.actions
    assert [len(body.refused) for body in bodies] == [1] + [0] * (len(sizes) - 1)


def test_what_is_no_registration_stays_whole() -> None:
    message = read(json.dumps({"command": "context", "game": "G", "data": {"message": "x" * 2 * LETTERS}}))
    assert pieces(message) == [message]
