"""What a viewer may ask of her memory: to be forgotten, or that one thing is."""

import re
from enum import Enum

_LEAD = r"^(?:(?:hey|please|pls|ok|can you|could you|would you|\w{1,20}),?\s+){0,3}"
_TAIL = r"(?:,?\s*(?:please|pls|thanks|now|ok))*\s*[.!?]*$"
_ME = re.compile(
    _LEAD + r"(?:forget (?:about )?me|forget (?:everything|all|anything|what you know) (?:you know )?"
    r"(?:about|of) me|"
    r"(?:delete|erase|remove) (?:me|my data|everything about me)(?: from your memory)?)" + _TAIL,
    re.IGNORECASE,
)
_THAT = re.compile(
    _LEAD + r"(?:forget (?:about )?(?:that|it|this|what i (?:just )?(?:said|told you)))" + _TAIL,
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|never|don'?t|won'?t|didn'?t|cannot|can'?t)\b", re.IGNORECASE)


class Wish(Enum):
    """What is to be forgotten."""

    ME = "me"
    THAT = "that"  # what this viewer said last


def wish(text: str) -> Wish | None:
    """The wish in a line; only a line that says nothing else is one."""
    said = " ".join(text[:200].split()).replace("\u2019", "'")
    if _NOT.search(said):
        return None
    if _ME.match(said):
        return Wish.ME
    return Wish.THAT if _THAT.match(said) else None
