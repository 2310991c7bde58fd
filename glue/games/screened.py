"""What a game says, as she may read it: screened before it gets into a note, a state or a prompt. Pure.

The names of actions are ids and stay as they are; what is left of a message is what the filters left. A
player's words become a line of chat, which is screened as those are. A value that an action takes is an id,
too, and may be a player's name: it stays as it is, or cannot be chosen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from typing import Any

from glue.games.messages import Action, Body, Context, Force, Message, Register, Result
from glue.games.words import LARGEST

Screens = Callable[[str, bool], str]  # a text, and whether it is data: what of it may be read

NAMELESS = "game"  # and a number: one whose name must not be read
JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])|[_-]+")  # where an id's words meet
SENTENCE = 4  # words; so many can say something alone
MOST = 100  # sentences in one action: each is screened alone, and meanwhile she stands still
TOGETHER = 20  # among more, the filters do not see what one of them says


def as_it_is(text: str, data: bool) -> str:
    """A closed room: nothing is screened."""
    return text


def screened(message: Message, screens: Screens, known: Container[str] = ()) -> Message:
    """The same message, without what must not reach her prompt. `known`: actions that are there already."""
    return replace(message, body=_body(message.body, screens, known))


def called(game: str, screens: Screens, numbers: Iterator[int]) -> str:
    """A game's name, as she may read it; else by the next of the numbers, to be told from the others."""
    return game if _clean([game], screens) else f"{NAMELESS} {next(numbers)}"


def _body(body: Body, screens: Screens, known: Container[str]) -> Body:
    match body:
        case Context():
            said = screens(body.said, body.standing) if body.said else ""
            return replace(body, message=screens(body.message, body.standing), said=said)
        case Force():
            return replace(body, query=screens(body.query, True), state=screens(body.state, True))
        case Result():
            return replace(body, message=screens(body.message, True))
        case Register():
            return _register(body, screens, known)
    return body


def _register(register: Register, screens: Screens, known: Container[str]) -> Register:
    actions: list[Action] = []
    refused = list(register.refused)
    for action in register.actions:
        if action.name in known:  # it is refused anyhow; some games send all of theirs every time
            actions.append(action)
            continue
        shown = list(dict.fromkeys(_shown(action.schema)))
        if (many := sum(map(_long, shown))) > MOST:
            why = f"{many} of its values have {SENTENCE} words or more, which {MOST} may have"
            refused.append(f"'{action.name}': {why}; it is refused")
            continue
        bad = _bad(shown, screens)
        schema = _without(action.schema, bad) if bad else action.schema
        left = bad.isdisjoint(_shown(schema))
        if bad:
            without = "it is there without them" if left else "it is refused"
            refused.append(f"'{action.name}': {len(bad)} of its words must not be read; {without}")
        if left:
            description = screens(action.description, True)
            actions.append(replace(action, description=description, schema=schema))
    return Register(tuple(actions), tuple(refused))


def _bad(texts: Sequence[str], screens: Screens) -> set[str]:
    """Those that must not be read. Short ones are judged together: most of them are names of things."""
    if sum(map(len, texts)) > LARGEST:
        return set()  # nobody reads that: a schema so long is refused
    bad = {text for text in texts if _long(text) and not _clean([text], screens)}
    short = [text for text in texts if not _long(text)]
    for at in range(0, len(short), TOGETHER):
        some = short[at : at + TOGETHER]
        if not _clean(some, screens):
            bad.update([text for text in some if not _clean([text], screens)] or some)
    return bad


def _long(text: str) -> bool:
    return len(_spaced(text).split()) >= SENTENCE


def _clean(texts: Sequence[str], screens: Screens) -> bool:
    said = ", ".join(map(_spaced, texts))
    return screens(said, True) == said


def _spaced(text: str) -> str:
    return JOINED.sub(" ", text)


def _shown(schema: object) -> Iterator[str]:
    """What she reads of a schema: what its parameters are called, and the values that they may have."""
    if isinstance(schema, list):
        for each in schema:
            yield from _shown(each)
    for word, value in schema.items() if isinstance(schema, dict) else ():
        if word == "properties" and isinstance(value, dict):
            yield from value
        yield from _texts(value) if word in ("const", "enum") else _shown(value)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _without(schema: Any, bad: set[str]) -> Any:
    """The same schema; of a list of values those that are not `bad`, as long as there is one."""
    if isinstance(schema, list):
        return [_without(each, bad) for each in schema]
    if not isinstance(schema, dict):
        return schema
    less = {word: value if word == "const" else _without(value, bad) for word, value in schema.items()}
    if isinstance(values := schema.get("enum"), list):
        less["enum"] = [each for each in values if bad.isdisjoint(_texts(each))] or values
    return less
