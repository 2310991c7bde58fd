"""A long registration in pieces: each schema takes its time, and she speaks meanwhile. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from glue.games.messages import Action, Message, Register

PIECE = 25  # actions; most games have fewer
LETTERS = 4000  # of their schemas together: what is in them is screened, word for word


def pieces(message: Message) -> list[Message]:
    """The same, to be taken one after the other; most messages are one."""
    if not isinstance(body := message.body, Register):
        return [message]
    first, *rest = _cut(body.actions)
    return [
        replace(message, body=Register(first, body.refused)),
        *(replace(message, body=Register(part)) for part in rest),
    ]


def _cut(actions: Sequence[Action]) -> Iterator[tuple[Action, ...]]:
    """At least one piece, and an action in each but where there is none."""
    piece: list[Action] = []
    letters = 0
    for action in actions:
        size = len(json.dumps(action.schema, ensure_ascii=False))
        if piece and (len(piece) == PIECE or letters + size > LETTERS):
            yield tuple(piece)
            piece, letters = [], 0
        piece.append(action)
        letters += size
    yield tuple(piece)
