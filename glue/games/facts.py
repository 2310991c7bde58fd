"""What she truly knows of a game when a viewer asks about it. Pure."""

import re
from collections.abc import Iterable

from glue.games.asking import vocabulary
from glue.games.past import NOISE
from glue.games.person import first_person
from glue.games.schema import Shape
from glue.games.text import beginning, line
from glue.ports import Fact

# Questions whose answer stands in a game's state; all others cost no token of it.
ASKS = re.compile(
    r"\b(?:inventory|(?:you|ya|u) (?:still |even |now )?(?:have|got|holding|doing|see|near|hungry|alive)"
    r"|hold|holding|health|hungry|food|where (?:are )?(?:you|u)|up to"
    r"|around you|near you|game|winning|losing|score|position)\b",
    re.IGNORECASE,
)
# Likewise, where only words of the game's are behind it: not "are you getting my messages", "is it day one".
OFTEN = re.compile(
    r"\b(?:(?:you|ya|u) (?:still |even |now )?"
    r"(?:build|carry|chopp|collect|craft|digg|fight|gett|mak|min|smelt)ing"
    r"|is it (?:still |already )?(?:night|day|dark))\b(.*)",
    re.IGNORECASE,
)
WORD = re.compile(r"\w+")
# Which sentences of a state answer what is asked; all of them where that is not clear.
TOPICS = [
    (re.compile(question, re.IGNORECASE), re.compile(rf"\b(?:{answer})\b", re.IGNORECASE))
    for question, answer in (
        (
            r"\b(?:inventory|(?:you|ya|u) (?:still |even |now )?(?:have|got|carrying)|hold|holding)\b",
            "have|hand|hold|carry",
        ),
        (r"\b(?:see|near|around)\b", "around|near|players|danger|see"),
        (r"\b(?:health|hungry|food|alive)\b", "health|food|hungry|hunger"),
        (r"\bwhere\b", "(?:am|are) (?:at|in|on|near)"),
        (r"\b(?:doing|up to|(?:you|ya|u) (?:still )?\w+ing)\b", "doing"),
        (r"\bis it (?:still |already )?(?:night|day|dark)", "night|day"),
        (r"\b(?:winning|losing|score)\b", "winning|losing|ahead|behind|score|even"),
    )
]
SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
STATE, LAST, SAID = 240, 120, 120  # characters; the last of what she says as it is
FRESH, OLD = 10.0, 120.0  # seconds since a game told how it stands: it is so now; it is not worth telling


def facts(
    game: str, state: str, age: float, last: str, asked: str, actions: Iterable[Shape] = ()
) -> list[str]:
    """What to tell her before she answers `asked`: the game's newest state, which it told `age` seconds ago,
    and what happened last. What is so now and asked for is a Fact: she begins with it. She must not tell what
    was as what is, nor what she has as what a viewer has."""
    # Tens of seconds: a line that waits is prefilled again, before any decision, whenever its facts change.
    often = OFTEN.search(asked)
    if not (often or ASKS.search(asked)):
        return []
    sought = [answer for question, answer in TOPICS if question.search(asked)]
    sentences = SENTENCES.split(first_person(state)) if age <= OLD else []
    found = [each for each in sentences if any(answer.search(each) for answer in sought)]
    if found and age <= FRESH:
        said = beginning(line(" ".join(found), STATE).replace("have: ", "have "), SAID)
        known = f"In {game} now: {line(' '.join(sentences), STATE)}"
        plain = often is None or _of_the_game(often[1], game, actions)
        return [Fact(known, said) if plain else known]
    told = line(" ".join(found or sentences), STATE)
    when = "" if not told else " now" if age <= FRESH else f" {round(age, -1):.0f} seconds ago"
    said = " ".join(filter(None, [told, f"Last: {line(first_person(last), LAST)}" if last else ""]))
    return [f"In {game}{when}: {said}"] if said else []


def _of_the_game(text: str, game: str, actions: Iterable[Shape]) -> bool:
    """Whether every word is one of the game's, or says nothing."""
    known = {word for shape in actions for words in vocabulary(shape) for word in words}
    known |= NOISE | {*_words(game)}
    return all(known & {word, word.removesuffix("s"), word.removesuffix("es")} for word in _words(text))


def _words(text: str) -> list[str]:
    return WORD.findall(text.casefold())
