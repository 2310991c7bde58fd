"""Between a clause and the voice: pass it, change it or hold it back. Everything that leaves goes through.

The rules are few and plain: what leaks her prompt or the wire's own marks is held, links are named instead
of read out. The gate is pure; a stricter one takes its place in the turn without the turn changing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
MARKS = re.compile(r"<\|[^|>]*\|>|\[/?INST\]|</?s>", re.IGNORECASE)
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Passed:
    """The clause may be spoken as it is, or with `changed` words."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The clause must not be spoken; `why` is for the journal."""

    why: str


class Gate:
    """Rules over one clause. `secret` is text that must not be read out, such as the prompt."""

    def __init__(self, secret: str = "", blocked: Iterable[str] = (), run: int = 12) -> None:
        """`blocked`: words or phrases; `run`: so many words in a row from `secret` are a leak."""
        self._blocked = [re.compile(rf"\b{re.escape(b)}\b", re.IGNORECASE) for b in blocked if b.strip()]
        self._run = run
        self._leaks = set(_runs(secret, run))

    def check(self, text: str) -> Passed | Held:
        """Judge one clause."""
        if any(pattern.search(text) for pattern in self._blocked):
            return Held("a blocked word")
        if not self._leaks.isdisjoint(_runs(text, self._run)):
            return Held("the prompt, word for word")
        mended = " ".join(LINK.sub("a link", MARKS.sub(" ", text)).split())
        if not WORD.search(mended):
            return Held("nothing left to say")
        return Passed(mended, changed=mended != text)


def _runs(text: str, length: int) -> Iterable[tuple[str, ...]]:
    words = [w.lower() for w in WORD.findall(text)]
    return (tuple(words[i : i + length]) for i in range(len(words) - length + 1))
