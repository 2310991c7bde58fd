"""How different the first words of her replies are, where a small model says them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from glue.report.read import Reply

FIRST = 4  # words; small models vary what follows and begin the same
WORD = re.compile(r"[^\W_]+")
Key = tuple[str, ...]


def opened(replies: Iterable[Reply]) -> list[Reply]:
    """Those that a small model began."""
    return [reply for reply in replies if reply.opening]


def distinct(replies: Sequence[Reply]) -> float | None:
    """The share of different openings: 1 where no two are alike."""
    return _share(replies, plain)


def distinct_firsts(replies: Sequence[Reply]) -> float | None:
    """The share of different ones among their first words."""
    return _share(replies, lambda reply: plain(reply)[:FIRST])


def plain(reply: Reply) -> Key:
    """The opening's words without whom it greets: the same for two viewers is the same."""
    name = {*_words(reply.author), "".join(_words(reply.author))}
    return tuple(word for word in _words(reply.opening) if word not in name)


def _share(replies: Sequence[Reply], of: Callable[[Reply], Key]) -> float | None:
    return round(len({of(reply) for reply in replies}) / len(replies), 3) if replies else None


def _words(text: str) -> list[str]:
    return WORD.findall(re.sub("['\u2019]", "", text.casefold()))
