"""A person in the AI's place: shows what games send, and sends what is typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from glue.games.messages import Action, Context, Force, Message, Register, Result, Startup, Unregister
from glue.games.player import ordered
from glue.games.schema import Shape
from glue.games.text import shorten

Send = Callable[[str, Mapping[str, Any]], None]


class ByHand:
    """The server's Host. `say` gets a line at a time."""

    help = (
        "type an action:  NAME {parameters}       !NAME TEXT sends it whatever the schema says\n"
        "commands:  /actions  /game NAME  /reregister  /shutdown  /kill  /quit"
    )

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._games: dict[str, Send] = {}
        self._actions: dict[str, dict[str, Shape]] = {}
        self._current = ""
        self._numbers = count(1)

    def joined(self, who: str, game: str, session: str, send: Send) -> None:
        """The server's Host."""
        self._games[game] = send
        self._actions.setdefault(game, {})
        self._current = game
        self._say(f"[{game}] connected")

    def told(self, who: str, message: Message, now: float) -> None:
        """The server's Host."""
        self._say(f"[{message.game}] {self._shown(message)}")

    def puzzled(self, who: str, game: str, text: str, why: str) -> None:
        """The server's Host."""
        self._say(f"[{game}] UNREADABLE, ignored: {why}: {shorten(text, 200)}")

    def left(self, who: str, game: str, session: str, why: str) -> None:
        """The server's Host."""
        self._games.pop(game, None)
        self._say(f"[{game}] gone: {why}")

    def send(self, command: str, data: Mapping[str, Any]) -> bool:
        """To the game that is spoken to; False where none is there."""
        send = self._games.get(self._current)
        if send is None:
            self._say("no game is connected")
            return False
        send(command, data)
        return True

    def act(self, name: str, text: str | None) -> None:
        """Send an action with a new id; `text` is its parameters as JSON, None for none."""
        id = f"hand-{next(self._numbers)}"
        if self.send("action", {"id": id, "name": name} | ({} if text is None else {"data": text})):
            self._say(f"[{self._current}] <- {name} {text or ''} ({id})")

    def command(self, text: str) -> bool:
        """What was typed. False to end."""
        word, _, rest = text.partition(" ")
        match word:
            case "":
                return True
            case "/quit":
                return False
            case "/actions":
                for shape in self._actions.get(self._current, {}).values():
                    self._say(
                        f"  {shape.signature}: {shape.description}{f'  ({shape.bad})' if shape.bad else ''}"
                    )
            case "/game":
                self._current = rest
            case "/reregister":
                self.send("actions/reregister_all", {})
            case "/shutdown":
                self.send("shutdown/graceful", {"wants_shutdown": rest != "no"})
            case "/kill":
                self.send("shutdown/immediate", {})
            case _:
                self._action(text)
        return True

    def _action(self, text: str) -> None:
        if text.startswith("/"):
            self._say(self.help)
            return
        if text.startswith("!"):
            name, _, data = text[1:].partition(" ")
            self.act(name, data or None)
            return
        choice = ordered(text, self._actions.get(self._current, {}))
        if isinstance(choice, str):
            self._say(f"not sent: {choice}")
        else:
            self.act(choice.name, None if choice.data is None else choice.text)

    def _shown(self, message: Message) -> str:
        known = self._actions.setdefault(message.game, {})
        match message.body:
            case Startup():
                known.clear()
                return "startup"
            case Context(text, silent):
                return f"context{' (silent)' if silent else ''}: {text}"
            case Register(actions, refused):
                return "\n  ".join([f"registers {len(actions)}", *self._register(known, actions), *refused])
            case Unregister(names):
                for name in names:
                    known.pop(name, None)
                return f"unregisters {', '.join(names)}"
            case Force() as force:
                about = f"{force.priority}{', ephemeral' if force.ephemeral else ''}"
                return f"FORCE ({about}): {force.query}\n{force.state}\n  choose: {', '.join(force.names)}"
            case Result(id, success, text):
                return f"result of {id}: {'success' if success else 'FAILED'} {text}"
        return f"{message.command} {json.dumps(getattr(message.body, 'data', {}))[:300]}"

    def _register(self, known: dict[str, Shape], actions: tuple[Action, ...]) -> list[str]:
        lines: list[str] = []
        for action in actions:
            again = action.name in known
            shape = known.setdefault(action.name, Shape(action))
            note = "  (already registered: ignored)" if again else f"  ({shape.bad})" if shape.bad else ""
            lines.append(f"{shape.signature}: {shape.description}{note}")
        return lines
