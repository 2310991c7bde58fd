"""The marks that chat templates are made of, taken out of viewers' words, a game's and hers. Pure."""

import re

MARKS = re.compile(r"<\|(?:[^|>]*\|?>)?|</?s>|\[/?INST\]|<</?SYS>>", re.IGNORECASE)


def unmarked(text: str) -> str:
    """`text` with a blank for each mark: without one, what stood around it could join to another."""
    return MARKS.sub(" ", text)
