"""A decision: one of the actions that are there, with parameters that its schema allows, in time.

The model is held to the schemas and its answer is checked all the same. Where it cannot answer, chance does:
a game that has asked is never left without an action for a reason of ours.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

import anyio
import anyio.lowlevel
from pydantic import ConfigDict

from glue.closing import closing
from glue.errors import PortError, Refused
from glue.games.example import example, wordy
from glue.games.messages import Action
from glue.games.notes import answer_form
from glue.games.schema import ODD, Shape
from glue.games.text import line
from glue.games.words import BadSchema
from glue.ports import Llm, Message, Prompt, Role

log = logging.getLogger(__name__)

MOST_BRANCHES = 24  # actions of one grammar; beyond it she chooses the name first
LARGEST_GRAMMAR = 6000  # characters of schema likewise
MOST_EXAMPLES = 20
ENOUGH = 3  # decisions of the model that the game did not take
REASON_TOKENS = 28
SUMMARY_TOKENS = 120
WAIT = Shape(Action("(wait)", ""))  # what she is asked says what it means


@dataclass(frozen=True, slots=True)
class Choice:
    """`data` is None where the action takes no parameters; `by`: see events.ActionChosen."""

    name: str
    data: object
    by: str

    @property
    def text(self) -> str:
        """The parameters as the wire has them: JSON in a string; "" for none."""
        return "" if self.data is None else json.dumps(self.data, ensure_ascii=False)

    @property
    def meant(self) -> bool:
        """Whether it is about what a viewer said: chance has not read that."""
        return self.by in ("model", "words")

    @property
    def said(self) -> str:
        """The action as she reads it."""
        return f"{self.name} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Taste:
    """How she decides. `within`: seconds that the model has for it; `tries`: answers asked of it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    within: float = 8.0
    tries: int = 3
    temperature: float = 0.3
    max_tokens: int = 240


@dataclass(frozen=True, slots=True)
class Manner:
    """How one answer is asked for."""

    role: Role
    temperature: float


class Player:
    """Decides for one character. `clears(text)` says why words may not leave, or "", when `mends(text)` has
    taken out what no text may have in it."""

    def __init__(
        self,
        who: str,
        llm: Llm,
        taste: Taste,
        clears: Callable[[str], str],
        random: Random,
        mends: Callable[[str], str] = str,
    ) -> None:
        self._who = who
        self._llm = llm
        self._taste = taste
        self._clears, self._mends = clears, mends
        self._random = random

    async def choose(
        self,
        asked: tuple[Message, ...],
        shapes: Sequence[Shape],
        failed: Sequence[str] = (),
        role: Role = Role.ACT,
    ) -> Choice | None:
        """One of `shapes`; None where not even chance finds parameters that its schema allows. What `failed`
        (Choice.said) twice is not chosen again as long as there is something else; after a few failures
        chance finds what is left faster than a small model does."""
        try:
            return await self._chosen(asked, shapes, failed, role)
        except ODD:  # what a game sends must not end the show
            log.exception("a decision broke on a game's data; chance makes it")
            return await self._chance([shape for shape in shapes if shape is not WAIT])

    async def _chosen(
        self, asked: tuple[Message, ...], shapes: Sequence[Shape], failed: Sequence[str], role: Role
    ) -> Choice | None:
        if len(shapes) == 1 and shapes[0].bare:
            return Choice(shapes[0].name, None, "only choice")
        if len(failed) >= ENOUGH:
            return await self._chance(shapes, failed)
        barred = {said for said in failed if failed.count(said) > 1}
        by_name = {shape.name: shape for shape in shapes}
        with anyio.move_on_after(self._taste.within):
            try:
                for attempt in range(self._taste.tries):
                    warmer = min(1.0, self._taste.temperature + 0.3 * (attempt + len(failed)))
                    choice = await self._model(asked, by_name, Manner(role, warmer))
                    if choice is not None and choice.said not in barred:
                        return choice
                    if choice is not None:  # small models insist; there is no time to argue
                        break
            except PortError as error:
                log.warning("no decision from the model: %s", error)
        return await self._chance([shape for shape in shapes if shape is not WAIT], barred)

    async def _model(
        self, asked: tuple[Message, ...], shapes: Mapping[str, Shape], manner: Manner
    ) -> Choice | None:
        """One answer; None where it does not do. A server that refuses a grammar is asked for a name only."""
        listed = list(shapes.values())
        if len(listed) > 1 and _large(listed):
            name = _read(await self._answer(asked, _names(listed), manner)).get("action")
            if not isinstance(name, str) or name not in shapes:
                return None
            if shapes[name].bare:
                return Choice(name, None, "model")
            listed = [shapes[name]]
            chosen = Message("assistant", json.dumps({"action": name}))
            asked = (*asked, chosen, Message("user", answer_form(listed)))
        try:
            said = _read(await self._answer(asked, grammar(listed), manner))
            if len(listed) == 1:
                said = {"action": listed[0].name, "data": said}
        except Refused as error:
            log.warning("the model's server will not follow a schema: %s", error)
            said = _read(await self._answer(asked, _names(listed), manner))
            return await self._chance([shape for shape in listed if shape.name == said.get("action")])
        shape = shapes.get(str(said.get("action")))
        if shape is None:
            return None
        data = None if shape.bare else _each(said.get("data", {}), self._mends)
        return Choice(shape.name, data, "model") if not self._objection(shape, data) else None

    def _objection(self, shape: Shape, data: object) -> str:
        found = shape.wrong(data) or next(filter(None, map(self._clears, _words(data))), "")
        if found:
            log.info("an answer was not sent: action or filters refuse it", extra={"action": shape.name})
        return found

    async def _chance(self, shapes: Sequence[Shape], barred: Container[str] = ()) -> Choice | None:
        """By chance, of those first whose schema is sound, and that want no words."""
        again: Choice | None = None
        for shape in sorted(shapes, key=lambda each: (bool(each.bad), wordy(each), self._random.random())):
            for _ in range(MOST_EXAMPLES):
                await anyio.lowlevel.checkpoint()  # a thousand actions that nothing fits are tried, too
                try:
                    data = None if shape.bare else example(shape.constraint, self._random)
                except BadSchema as error:
                    log.info("no parameters were made up: %s", error)
                    break
                except ODD:
                    log.exception("no parameters could be made up for an action of a game's")
                    break
                choice = Choice(shape.name, data, "fallback")
                if choice.said in barred:
                    again = choice
                elif not self._objection(shape, data):
                    return choice
        return again

    async def why(self, asked: tuple[Message, ...], choice: Choice) -> str:
        """Why she chose so, in her words, or "". The decision has been sent: nothing waits for this."""
        more = (Message("assistant", choice.said), Message("user", "Why? One short sentence, not in JSON."))
        prompt = Prompt(self._who, (*asked, *more), REASON_TOKENS, self._taste.temperature, stop=("\n",))
        said = line(await self._text(prompt, Role.ACT), 160).strip("\"'{} ")
        said = self._mends(said)
        return "" if self._clears(said) else said

    async def summary(self, game: str, lines: Sequence[str]) -> str:
        """What of `lines` is worth keeping. Raises PortError."""
        task = f"Sum up in three short sentences what matters in this game of {game}:\n" + "\n".join(lines)
        prompt = Prompt(self._who, (Message("user", task),), SUMMARY_TOKENS, 0.2)
        return line(await self._text(prompt, Role.BACKGROUND), 600)

    async def _answer(self, asked: tuple[Message, ...], schema: Mapping[str, Any], manner: Manner) -> str:
        seed = self._random.randrange(1, 2**31)
        prompt = Prompt(self._who, asked, self._taste.max_tokens, manner.temperature, seed, schema=schema)
        return await self._text(prompt, manner.role)

    async def _text(self, prompt: Prompt, role: Role) -> str:
        text = ""
        async with closing(self._llm.stream(prompt, role)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    text += piece
        return text


def grammar(shapes: Sequence[Shape]) -> dict[str, Any]:
    """The schema of an answer: its parameters where there is one action, otherwise {"action": NAME, "data":
    PARAMETERS}, a branch an action."""
    if len(shapes) == 1 and not shapes[0].bare:
        return shapes[0].constraint
    bare = [shape for shape in shapes if shape.bare]
    branches = [_names(bare)] if bare else []
    branches += [_object({"action": {"const": s.name}, "data": s.constraint}) for s in shapes if not s.bare]
    return branches[0] if len(branches) == 1 else {"anyOf": branches}


def _names(shapes: Sequence[Shape]) -> dict[str, Any]:
    return _object({"action": {"enum": [shape.name for shape in shapes]}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _large(shapes: Sequence[Shape]) -> bool:
    rich = [shape for shape in shapes if not shape.bare]
    return len(rich) > MOST_BRANCHES or sum(len(str(s.constraint)) for s in rich) > LARGEST_GRAMMAR


def _read(text: str) -> dict[str, Any]:
    """An answer as an object; empty for what is none. Without a grammar it comes in a fence, or in words."""
    start, end = text.find("{"), text.rfind("}")
    try:
        value = _json(text[start : end + 1])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _json(text: str) -> Any:
    """Raises ValueError for numbers that no game could be sent, too: NaN, 1e999."""
    return json.loads(text, parse_constant=_finite, parse_float=_finite)


def _finite(word: str) -> float:
    if not math.isfinite(number := float(word)):
        raise ValueError(word)
    return number


def ordered(text: str, actions: Mapping[str, Shape]) -> Choice | str:
    """What the operator typed, a name and parameters in JSON, as a choice; or what is wrong with it."""
    name = max((n for n in actions if f"{text} ".startswith(f"{n} ")), key=len, default="")
    if not name:
        return "there is no such action"
    raw = text[len(name) :]
    try:
        data = _json(raw) if raw.strip() else (None if actions[name].bare else {})
    except (ValueError, RecursionError):
        return "the parameters are not JSON"
    return actions[name].wrong(data) or Choice(name, data, "operator")


def _each(data: Any, mends: Callable[[str], str]) -> Any:
    """The same parameters, each text of them mended; keys are the game's own."""
    if isinstance(data, str):
        return mends(data)
    if isinstance(data, dict):
        return {key: _each(value, mends) for key, value in data.items()}
    return [_each(value, mends) for value in data] if isinstance(data, list) else data


def _words(data: object) -> list[str]:
    """Every text in the parameters: some games show it to everybody."""
    if isinstance(data, str):
        return [data]
    if isinstance(data, dict):
        return [word for value in data.values() for word in _words(value)]
    return [word for value in data for word in _words(value)] if isinstance(data, list) else []
