"""What a game says, as she may read it: screened before it gets into a note, a state or a prompt. Pure.

The names of actions are ids and stay as they are; what is left of a message is what the filters left. A
player's words become a line of chat, which is screened as those are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from glue.games.messages import Body, Context, Force, Message, Result

Screens = Callable[[str, bool], str]  # a text, and whether it is data: what of it may be read


def as_it_is(text: str, data: bool) -> str:
    """A closed room: nothing is screened."""
    return text


def screened(message: Message, screens: Screens) -> Message:
    """The same message, without what must not reach her prompt."""
    return replace(message, body=_body(message.body, screens))


def _body(body: Body, screens: Screens) -> Body:
    match body:
        case Context():
            return replace(body, message=screens(body.message, body.standing))
        case Force():
            return replace(body, query=screens(body.query, True), state=screens(body.state, True))
        case Result():
            return replace(body, message=screens(body.message, True))
    return body
