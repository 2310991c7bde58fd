"""What she truly knows of a game when a viewer asks about it. Pure."""

import re

from glue.games.text import line

# Questions whose answer stands in a game's state; all others cost no token of it.
ASKS = re.compile(
    r"\b(?:inventory|(?:you|ya|u) (?:have|got|holding|doing|see|near|hungry|alive)|hold|holding|health|hungry"
    r"|food|where (?:are )?(?:you|u)|up to|around you|near you|game|winning|losing|score|position)\b",
    re.IGNORECASE,
)
STATE, LAST = 240, 120  # characters


def facts(game: str, state: str, last: str, asked: str) -> list[str]:
    """What to tell her before she answers `asked`: the game's newest state, and what happened last."""
    if not ASKS.search(asked):
        return []
    known = [line(state, STATE), f"Last: {line(last, LAST)}" if last else ""]
    said = " ".join(filter(None, known))
    return [f"In {game} now: {said}"] if said else []
