"""A wish in plain words ("dig a hole", "get me a torch") as an action, read without a model. Pure.

A small model beside a show needs seconds for what a child would start at once. Only what leaves no doubt is
read here: every word has to be explained, a value has to be one of the game's own, and nothing that a viewer
wrote becomes a parameter or is said. Everything else is the model's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glue.games.player import Choice
from glue.games.schema import ODD, Shape

# What people say for the words of actions, where these take something, and of what they take.
SAME: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys("chop fetch gather get grab harvest mine".split(), ("collect", "get")),
    **dict.fromkeys("build craft make".split(), ("build", "craft", "get", "make")),
    **dict.fromkeys("tree trees wood".split(), ("log",)),
}
CALLED = frozenset("hey now please pls".split())  # what may stand around any wish
ASKED = frozenset("can could will would".split())
MORE = frozenset("a an another deep for just me more of some the us".split())  # where something is taken
HITHER = frozenset("here me over to".split())  # where somebody is gone to
AROUND = frozenset({"look", "explore"})  # what is done "around"
MASS = frozenset("charcoal coal dirt iron_ore sand stone".split())  # some of which is meant
ARTICLES = frozenset({"a", "an", "the"})
NUMBERS = {word: n for n, word in enumerate("one two three four five six seven eight nine ten".split(), 1)}
GUESSED = frozenset("count depth size".split())  # numbers that need not be said
ONE, SOME = frozenset({"a", "an", "another"}), 3
PERSON = "player"  # the parameter that is somebody
WORDS = re.compile(r"\w+(?:['\u2019]\w+)?")
LONGEST = 80  # characters of a wish
MOST_VALUES = 200  # of a list that is looked through


@dataclass(frozen=True, slots=True)
class Wish:
    """What `author` said to her, who is `called` so; `there`: the players whom the game names."""

    text: str
    author: str
    called: str
    there: Collection[str] = ()


def plain(wish: Wish, shapes: Iterable[Shape]) -> Choice | None:
    """The one of `shapes` that is asked for, with its parameters; None where that is not certain."""
    words = [word for word in WORDS.findall(wish.text.casefold()) if word != wish.called.casefold()]
    if len(wish.text) > LONGEST or len(set(words)) < len(words) or set("\"'<>:;") & set(wish.text):
        return None
    asked = bool(words) and words[0] in ASKED
    if asked or "?" not in wish.text:
        found = [each for shape in shapes for each in _read(shape, words, wish, asked)]
        best = max((score for score, _ in found), default=0)
        choices = [choice for score, choice in found if score == best]
        return choices[0] if len(choices) == 1 else None
    return None


def promise(choice: Choice) -> str:
    """That she does it, in the game's words: "I'll get a torch." """
    data = choice.data if isinstance(choice.data, dict) else {}
    verb, *what = choice.name.split("_")
    things = [*what, *(value for key, value in data.items() if isinstance(value, str) and key != PERSON)]
    count, thing = data.get("count", 1), " ".join(things).replace("_", " ")
    if not thing:
        return f"I'll {verb}."
    if thing.replace(" ", "_") in MASS or thing.endswith("s"):
        return f"I'll {verb} some {thing}."
    article = "an" if thing[0] in "aeiou" else "a"
    return f"I'll {verb} {article} {thing}." if count == 1 else f"I'll {verb} {count} {thing}s."


def _read(shape: Shape, words: list[str], wish: Wish, asked: bool) -> Iterator[tuple[int, Choice]]:
    """(score, choice) where `words` ask for it; values of a list count more than a name."""
    name = shape.name.casefold().split("_")
    taking = not shape.bare
    used = {word: part for part in name for word in words if word == part or (taking and _means(word, part))}
    first = next((word for word in words if word not in CALLED | ASKED | {"you"}), "")
    if shape.bad or set(used.values()) != set(name) or used.get(first) != name[0] or (asked and not taking):
        return
    try:
        data, said, filler = _parameters(shape, [word for word in words if word not in used], wish)
    except ODD:
        return
    idle = CALLED | filler | (ASKED | {"you"} if asked else frozenset())
    if any(word not in used and word not in said and word not in idle for word in words):
        return
    if "count" not in data and _several(words, [*name, *map(str, data.values())]):
        return  # how many, and not how large
    choice = Choice(shape.name, data if taking else None, "words")
    if not shape.wrong(choice.data):
        yield len(used) + 2 * len(said), choice


def _parameters(
    shape: Shape, words: list[str], wish: Wish
) -> tuple[dict[str, Any], set[str], frozenset[str]]:
    """What it takes, the words that say so, and those that may stand beside them. Raises LookupError."""
    data: dict[str, Any] = {}
    said: set[str] = set()
    if shape.bare:
        around = frozenset({"around"} if shape.name in AROUND else ())
        return data, said, ARTICLES if "_" in shape.name else around
    required = shape.constraint.get("required", ())
    rules = {key: shape.constraint["properties"][key] for key in required}
    if PERSON in rules and len(rules) == 1:
        return {PERSON: _somebody(wish)}, said, HITHER | {wish.author.casefold()}
    if sum(rule.get("type") == "integer" for rule in rules.values()) > 1:
        raise LookupError("which number is which?")
    for key, rule in rules.items():
        if rule.get("type") == "integer":
            data[key], found = _number(rule, words, key)
        else:
            data[key], found = _listed(rule["enum"], words)
        said |= found
    return data, said, MORE


def _somebody(wish: Wish) -> str:
    """Who wishes, if the game knows them: nobody else's name is a parameter. Raises LookupError."""
    if wish.author.casefold() not in map(str.casefold, wish.there):
        raise LookupError(wish.author)
    return wish.author


def _listed(values: list[Any], words: list[str]) -> tuple[str, set[str]]:
    """The longest of `values` whose words are all said, and these. Raises LookupError."""
    found: list[tuple[str, set[str]]] = []
    for value in values[:MOST_VALUES]:
        parts = str(value).casefold().split("_")
        said = {word for part in parts for word in words if _means(word, part)}
        if isinstance(value, str) and all(any(_means(word, part) for word in said) for part in parts):
            found.append((value, said))
    longest = max((len(said) for _, said in found), default=0)
    (best,) = [each for each in found if len(each[1]) == longest]
    return best


def _number(rule: Mapping[str, Any], words: list[str], key: str) -> tuple[int, set[str]]:
    """The number that is said, or one as it is meant by "some". Raises LookupError, ValueError."""
    said = {word: int(word) for word in words if word.isdecimal() and len(word) < 4}
    said |= {word: NUMBERS[word] for word in words if word in NUMBERS}
    low, high = rule.get("minimum", 0), rule.get("maximum", 1000)
    if not said and key in GUESSED:
        return min(high, max(low, 1 if key == "count" and ONE & set(words) else SOME)), set()
    ((word, number),) = said.items()
    if not low <= number <= high:
        raise LookupError(word)
    return number, {word, "blocks", "block"} & set(words)


def _several(words: list[str], things: list[str]) -> bool:
    parts = {part for thing in things for part in thing.casefold().split("_")}
    return any(
        word not in parts and parts & {word.removesuffix("s"), word.removesuffix("es")} for word in words
    )


def _means(word: str, part: str) -> bool:
    return part in (word, word.removesuffix("s"), word.removesuffix("es"), *SAME.get(word, ()))
