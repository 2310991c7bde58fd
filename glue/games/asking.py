"""Whether what a viewer said may be a wish in a game. Pure.

Most of a chat is none, and a thought of each line would take seconds of a laptop's model, beside her speech.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from glue.games.schema import ODD, Shape

LETTERS = re.compile(r"[^\W\d_]+")
# Where something is asked for: the two words there, for the first may be her name. "She runs" is no wish, nor
# is "where would you go".
BEGINNING = re.compile(
    r"(?:^|[.,;:!?]|(?<!what )(?<!where )(?<!who )(?<!why )(?<!when )(?<!how )(?<!which )"
    r"\b(?:can|could|will|would|should) (?:you|u|we)\b"
    r"|\b(?:you should|let'?s|please|then|now)\b)\W*(?=((?:i|he|she|it|they|we|this|that)\b|\w+(?: \w+)?))"
)
# English by which any game may be asked, and words by which a line is known to be English.
ASKING = frozenset(
    "attack avoid bring build chase climb come cook craft cross cut defend destroy dig dodge drop eat enter"
    " escape explore farm feed fight find fish flee fly follow gather go grab hide hit hunt jump kill lead"
    " mine move open pick place plant protect pull push put ride run search shoot sit sleep smash stay stop"
    " swim take throw trade trap turn walk".split()
)
COMMON = frozenset(
    "a about all am an and are as at be because been best but by can could did do does first for from good"
    " had has have he hello her hey hi him his how i if in is it its just like lol me my no not of on one or"
    " our she should so some string than that the their them then they this to too up us very was we were"
    " what when where which who why will with would yes you your".split()
)
FEW = 3  # words in which no common one has to stand


def may_ask(text: str, actions: Iterable[Shape]) -> bool:
    """Whether somebody may want something done. Another language than English is given the benefit of the
    doubt."""
    words = _words(text)
    return not text.isascii() or (len(words) >= FEW and not words & COMMON) or asks(text, actions)


def asks(text: str, actions: Iterable[Shape]) -> bool:
    """Whether `text` names a thing that one of `actions` takes, or begins as a wish does."""
    begins = _words(" ".join(beginnings(text))) - COMMON
    words = _words(text) - COMMON
    deeds, named = begins & ASKING, set[str]()
    for action in actions:
        does, takes = vocabulary(action)
        deeds |= begins & does
        named |= words & takes
        words -= does  # what can be done is no thing
    return bool(deeds or named & words)


def beginnings(text: str) -> list[str]:
    """Where something may be asked for: a word or two each."""
    return BEGINNING.findall(text.casefold())


@lru_cache(maxsize=2000)
def vocabulary(action: Shape) -> tuple[frozenset[str], frozenset[str]]:
    """What it is called and what it takes; read once, for it is asked for with every line."""
    try:
        takes = _words(" ".join(_values(action.constraint)))
    except ODD:  # a game's schema just within what a Shape can read
        takes = set()
    return frozenset(_words(action.name)), frozenset(takes - ASKING)


def _words(text: str) -> set[str]:
    """Each word, and what it is the plural of if it is one."""
    words = {word.casefold() for word in LETTERS.findall(text)}
    return words | {word.removesuffix("s") for word in words if len(word) > 3}


def _values(schema: Mapping[str, Any]) -> Iterator[str]:
    """The texts that a schema (schema.py, Shape.constraint) lists. What a value holds is the game's own, and
    no schema, though it may look like one."""
    listed = schema.get("enum")
    values = [schema.get("const"), *(listed if isinstance(listed, list) else ())]
    yield from (value for value in values if isinstance(value, str))
    items = (schema["items"],) if "items" in schema else ()
    for part in (*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *items):
        yield from _values(part)
