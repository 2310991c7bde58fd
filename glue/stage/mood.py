"""Words -> a mood: what a clause's words do to the face. Simple rules, first match wins. Pure."""

from __future__ import annotations

import re
from enum import StrEnum


class Mood(StrEnum):
    """Each but ASKING is also the name of the expression that a model may have for it."""

    LAUGH = "happy"
    LOVE = "love"
    ANGRY = "angry"
    SAD = "sad"
    SURPRISED = "surprised"
    SMUG = "smug"
    ASKING = "asking"  # a tilt of the head


RULES: tuple[tuple[Mood, re.Pattern[str]], ...] = tuple(
    (mood, re.compile(pattern, re.IGNORECASE))
    for mood, pattern in (
        (Mood.LAUGH, r"\b(?:(?:a?ha){2,}h?|(?:he){2,}|lol|lmao|rofl|hilarious|laugh\w*|yay+|woo+hoo+)\b"),
        (Mood.LOVE, r"\b(?:love you|i love|adore|sweetheart|darling|cutie|hugs?|aww+)\b|[♥❤💖😍]"),
        (Mood.ANGRY, r"\b(?:how dare|grr+|ugh+|furious|angry|shut up|hate|rude|annoying|stop that)\b"),
        (Mood.SAD, r"\b(?:sad|sadly|cry|crying|sorry|lonely|miss (?:you|him|her|them)|heartbroken|sniff)\b"),
        (Mood.SURPRISED, r"\b(?:wow+|whoa+|no way|oh my|what\?!|really\?!|gasp|unbelievable)\b|\?!|!\?"),
        (Mood.SMUG, r"\b(?:obviously|of course i|hmph|told you|genius|naturally|as expected|flawless|heh)\b"),
        (Mood.ASKING, r"\?[\"')\s]*$"),
    )
)


def mood_of(text: str) -> Mood | None:
    """The mood that a clause's words ask for, if any."""
    return next((mood for mood, pattern in RULES if pattern.search(text)), None)
