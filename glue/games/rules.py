"""How she plays: the config's games.adapter.rules."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True)
class Rules:
    """How she plays. Times in seconds."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    result_within: float = 20.0  # an action that is not judged by then has failed
    grace: float = 3.0  # a force waits so long for its actions to be registered
    retries: int = 8  # of a force whose action failed; after the third one chance chooses
    initiative: float = 10.0  # between two thoughts of doing something unasked; 0: she never does
    comment: float = 12.0  # between two things in the game that she may speak about, if somebody writes
    claims: float = 5.0  # between two times that a game's hurry cuts her short
    reasons: bool = True  # she is asked why, after each decision, where nothing else is to be done
    hears: bool = False  # what she answers in chat is known in the game, and may move her to act
    notes: int = 2400  # characters of what happened, before the oldest are summed up
