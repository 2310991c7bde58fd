"""WORLD -> EVENTS: the Neuro Game API's messages, read and checked. Pure; nothing here trusts a game.

Source of the protocol: API/SPECIFICATION.md in VedalAI/neuro-sdk. The game is the client. What is malformed
raises Nonsense: the caller notes it and goes on, for the wire has no error message.

A context may have a field of ours, `spark`, which other servers ignore: {"standing": true} says that the
message is how it stands now, and takes the place of the last such one, with {"takes": [NAMES]} the actions
that would be begun now if somebody wished for them, and {"players": [NAMES]} who is there; {"player": NAME,
"text": WORDS} says that a player wrote that in the game's own chat. A game that has sent one is told of what
viewers say to her: {command: "spark/wish", data: {text}}. {"said": WORDS} is what chat is told of a context,
word for word; {"of": ID, "success": true} says that it is what came of an action that was only begun when it
was judged. With {"silent": true} a result is told to her and not to chat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from glue.game_events import Priority
from glue.games.text import line, tidy

LONGEST_NAME = 80  # characters of a game's or an action's name
LONGEST_TEXT = 8000  # of a state, a query, a context; more would not fit her context anyhow
LONGEST_DESCRIPTION = 300
LONGEST_PLAYER, LONGEST_WORDS = 40, 500  # of a player's name and line, as of a viewer's
MOST_ACTIONS = 1000  # in one message
DEEPEST = 64  # brackets inside one another; a schema that people write has ten


class Nonsense(ValueError):
    """A message that is none of this wire's; the text says why."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that she may do in the game. `schema` as the game sent it; None: it takes no parameters."""

    name: str
    description: str
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Startup:
    """The game has begun: it has no actions yet."""


@dataclass(frozen=True, slots=True)
class Context:
    """Something to know; she may speak about it where it is not `silent`."""

    message: str
    silent: bool
    standing: bool = False  # it is how it stands now
    takes: frozenset[str] = frozenset()  # actions that would be begun now
    players: frozenset[str] = frozenset()  # who is there with her
    player: str = ""  # who wrote `words` in the game's own chat
    words: str = ""
    said: str = ""  # what chat is told of it, word for word
    of: str = ""  # the action whose outcome it is ...
    success: bool = False  # ... and how it went


@dataclass(frozen=True, slots=True)
class Register:
    """These actions are there now. `refused`: name or number, and why."""

    actions: tuple[Action, ...]
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unregister:
    """These are gone."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Force:
    """She must do one of these soon. `ephemeral`: state and query are forgotten afterwards."""

    query: str
    state: str
    names: tuple[str, ...]
    priority: Priority = Priority.LOW
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The game's answer to the action `id`."""

    id: str
    success: bool
    message: str
    silent: bool = False


@dataclass(frozen=True, slots=True)
class ShutdownReady:
    """The game has saved and may be ended."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command of a newer protocol, or of nobody's."""

    data: Mapping[str, Any] = field(default_factory=dict)


Body = Startup | Context | Register | Unregister | Force | Result | ShutdownReady | Unknown


@dataclass(frozen=True, slots=True)
class Message:
    """A message: which game's, its command's name, and what it says."""

    game: str
    command: str
    body: Body


def read(frame: str | bytes) -> Message:
    """One frame as a message. Raises Nonsense."""
    if isinstance(frame, bytes):
        raise Nonsense("a binary frame; this wire has text frames only")
    try:
        envelope = json.loads(frame, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Nonsense(f"not JSON: {tidy(frame, 80)}") from error
    if not isinstance(envelope, dict):
        raise Nonsense("not an object")
    _not_too_deep(envelope)
    command = tidy(_text(envelope, "command"), LONGEST_NAME)
    game = tidy(_text(envelope, "game"), LONGEST_NAME)
    if not game:
        raise Nonsense("'game' is empty; it is the name that tells games apart")
    data = envelope.get("data")
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise Nonsense("'data' is not an object")
    return Message(game, command, _body(command, data))


def _body(command: str, data: dict[str, Any]) -> Body:
    match command:
        case "startup":
            return Startup()
        case "context":
            return _context(data)
        case "actions/register":
            return _register(_list(data, "actions"))
        case "actions/unregister":
            return Unregister(_names(data))
        case "actions/force":
            return _force(data)
        case "action/result":
            message = tidy(_text(data, "message", ""), LONGEST_TEXT)
            id, success = _text(data, "id")[:LONGEST_NAME], _flag(data, "success", None)
            return Result(id, success, message, _ours(data).get("silent") is True)
        case "shutdown/ready":
            return ShutdownReady()
    return Unknown(data)


def _ours(data: dict[str, Any]) -> dict[str, Any]:
    found = data.get("spark")
    return found if isinstance(found, dict) else {}


def _listed(found: object) -> frozenset[str]:
    names = (name for name in found if isinstance(name, str)) if isinstance(found, list) else ()
    return frozenset(islice(names, MOST_ACTIONS))


def _context(data: dict[str, Any]) -> Context:
    message, silent = tidy(_text(data, "message"), LONGEST_TEXT), _flag(data, "silent", False)
    match _ours(data):
        case {"standing": True, **more}:
            takes, players = _listed(more.get("takes")), _listed(more.get("players"))
            return Context(message, silent, standing=True, takes=takes, players=players)
        case {"player": str(player), "text": str(words)}:
            player, words = line(player, LONGEST_PLAYER), line(words, LONGEST_WORDS)
            whole = bool(player and words)
            return Context(message, silent, player=player, words=words) if whole else Context("", True)
        case ours:
            said, of = ours.get("said"), ours.get("of")
            said = tidy(said, LONGEST_WORDS) if isinstance(said, str) else ""
            of = of[:LONGEST_NAME] if isinstance(of, str) else ""
            return Context(message, silent, said=said, of=of, success=ours.get("success") is True)


def _force(data: dict[str, Any]) -> Force:
    said = data.get("priority")
    try:
        priority = Priority.LOW if said is None else Priority(said)
    except ValueError:
        priority = Priority.LOW  # a word of a newer protocol: to be asked is more than how urgently
    return Force(
        tidy(_text(data, "query"), LONGEST_TEXT),
        tidy(_text(data, "state", ""), LONGEST_TEXT),
        _names(data),
        priority,
        _flag(data, "ephemeral_context", False),
    )


def _register(listed: list[Any]) -> Register:
    """The sound ones of the list; one bad action must not cost the game its others."""
    actions: list[Action] = []
    refused: list[str] = []
    for number, raw in enumerate(listed[:MOST_ACTIONS]):
        try:
            actions.append(_action(raw))
        except Nonsense as error:
            refused.append(f"{number}: {error}")
    if len(listed) > MOST_ACTIONS:
        refused.append(f"{MOST_ACTIONS} and more: too many in one message")
    return Register(tuple(actions), tuple(refused))


def _action(raw: object) -> Action:
    if not isinstance(raw, dict):
        raise Nonsense("not an object")
    name = _name(raw.get("name"))
    schema = raw.get("schema")
    if schema is not None and not isinstance(schema, dict):
        raise Nonsense(f"'{name}': its schema is not an object")
    description = tidy(_text(raw, "description", ""), LONGEST_DESCRIPTION)
    return Action(name, description, schema or None)


def _names(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Action names, each once, in their order."""
    return tuple(dict.fromkeys(_name(each) for each in _list(data, "action_names")[:MOST_ACTIONS]))


def _name(raw: object) -> str:
    """An action's name, letter by letter as it came: it is an id, and goes back to the game."""
    if not isinstance(raw, str) or not raw.strip():
        raise Nonsense("an action without a name")
    if len(raw) > LONGEST_NAME or not raw.isprintable():
        raise Nonsense(f"an action's name that nobody can read: {tidy(raw, 40)}")
    return raw


def _text(data: Mapping[str, Any], key: str, otherwise: str | None = None) -> str:
    value = data.get(key)
    if value is None:
        value = otherwise
    if not isinstance(value, str):
        raise Nonsense(f"'{key}' is {'missing' if value is None else 'not a text'}")
    return value


def _flag(data: Mapping[str, Any], key: str, otherwise: bool | None) -> bool:
    value = data.get(key)
    if value is None:
        value = otherwise
    if not isinstance(value, bool):
        raise Nonsense(f"'{key}' is {'missing' if value is None else 'not true or false'}")
    return value


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list):
        raise Nonsense(f"'{key}' is {'missing' if value is None else 'not a list'}")
    return value


def _no_constant(word: str) -> float:
    raise ValueError(word)  # NaN and Infinity are Python's, not JSON's


def _not_too_deep(value: object) -> None:
    """Every later step walks a schema by recursion, so its depth is bounded once, here."""
    level: list[object] = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise Nonsense(f"more than {DEEPEST} brackets inside one another")


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return [each for each in value.values() if isinstance(each, dict | list)]
    return [each for each in value if isinstance(each, dict | list)] if isinstance(value, list) else []
