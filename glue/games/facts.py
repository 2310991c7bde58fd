"""What she truly knows of a game when a viewer asks about it. Pure."""

import re

from glue.games.person import first_person
from glue.games.text import line

# Questions whose answer stands in a game's state; all others cost no token of it.
ASKS = re.compile(
    r"\b(?:inventory|(?:you|ya|u) (?:have|got|holding|doing|see|near|hungry|alive)|hold|holding|health|hungry"
    r"|food|where (?:are )?(?:you|u)|up to|around you|near you|game|winning|losing|score|position)\b",
    re.IGNORECASE,
)
STATE, LAST = 240, 120  # characters
FRESH, OLD = 10.0, 120.0  # seconds since a game told how it stands: it is so now; it is not worth telling


def facts(game: str, state: str, age: float, last: str, asked: str) -> list[str]:
    """What to tell her before she answers `asked`: the game's newest state, which it told `age` seconds ago,
    and what happened last. She must not tell what was as what is, nor what she has as what a viewer has."""
    # Tens of seconds: a line that waits is prefilled again, before any decision, whenever its facts change.
    if not ASKS.search(asked):
        return []
    told = line(first_person(state), STATE) if age <= OLD else ""
    when = "" if not told else " now" if age <= FRESH else f" {round(age, -1):.0f} seconds ago"
    said = " ".join(filter(None, [told, f"Last: {line(first_person(last), LAST)}" if last else ""]))
    return [f"In {game}{when}: {said}"] if said else []
