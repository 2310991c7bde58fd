"""What a viewer may ask of her memory: to be forgotten, or that one thing is."""

import re
from collections.abc import Collection
from enum import Enum

MOST = 200  # characters; who says so much says something else as well
# Quotation marks, brackets and smileys are not among these: who quotes or jokes wishes nothing.
SAID = re.compile(r"[\w\s@'.,!?:;\u2026-]*")
POLITE = r"please|pls|plz|kindly"
LEAD = rf"(?:hey|hi|hello|yo|ok|okay|so|now|just|and|also|{POLITE})"
MODAL = r"(?:can|could|would|will) you"
WANT = r"(?:i want you to|i need you to|i'd like you to|i would like you to)"
THANKS = r"thanks|thank you|thx|ty"
TAIL = rf"(?:{POLITE}|{THANKS}|now|right now|ok|okay|completely|forever|from your memory)"
OF = r"(?:about |of |on )?"
KNOWN = r"(?:(?:that )?you(?:'ve| have)? (?:know|knew|learnt|learned|have|saved|stored|remember) )?"
ME = (
    r"(?:forget (?:all )?(?:about )?me"
    rf"|(?:forget|delete|erase|remove) (?:everything|all|anything|what|whatever) {KNOWN}{OF}me"
    r"|(?:delete|erase|remove) (?:me|my data|all my data))"
)
THAT = r"(?:forget (?:about )?(?:that|it|this|what i(?:'ve)? (?:just )?(?:said|told you|wrote)))"
ASKED = re.compile(
    rf"(?:{LEAD} )*(?:(?P<modal>{MODAL}) |{WANT} )?(?:(?:just|{POLITE}) )*"
    rf"(?:(?P<me>{ME})|(?P<that>{THAT}))(?: {TAIL})*"
)
SURELY = re.compile(rf"\b(?:{POLITE}|{THANKS})\b")


class Wish(Enum):
    """What is to be forgotten."""

    ME = "me"
    THAT = "that"  # what this viewer said last


def wish(text: str, names: Collection[str] = ("spark",)) -> Wish | None:
    """The wish in a line; only a line that says nothing else is one: what is forgotten does not come back.

    `names`: hers, lower case; they may stand anywhere. Whoever asks whether she can, could or would forget
    them asks a question, unless they say please."""
    said = " ".join(text.split()).replace("\u2019", "'").casefold()
    if len(said) > MOST or not SAID.fullmatch(said):
        return None
    words = re.sub(r"[^\w@']+", " ", said).split()
    found = ASKED.fullmatch(" ".join(word for word in words if not _hers(word, names)))
    if found is None:
        return None
    asks = said.endswith("?") if found["modal"] is None else found["me"] or found["modal"][0] == "w"
    if asks and not SURELY.search(said):
        return None
    return Wish.ME if found["me"] else Wish.THAT


def _hers(word: str, names: Collection[str]) -> bool:
    """Whether a word is her name; an account's may go on after it: @SparkVT."""
    called = tuple(name for name in names if len(name) > 3)
    return word.removeprefix("@") in names or (word[0] == "@" and word[1:].startswith(called))
