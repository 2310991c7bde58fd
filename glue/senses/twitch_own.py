"""WORLD -> EVENTS: which lines of the chat she wrote herself. Pure.

With the channel's own token the streamer and she write under one name, so that the name tells nothing.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from glue.senses.clean import clean
from glue.senses.irc import Message

KEPT = 20  # lines of hers; written 1.6 s apart, the oldest came back long ago
ANSWERS = re.compile(r"@\S+ ")  # how Twitch begins a line that was written as a reply


@dataclass(slots=True)
class Own:
    """Neither is forgotten when it was found: a second connection brings the same line again."""

    login: str = ""  # lower case; under which name she writes
    _texts: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    _ids: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))

    def writes(self, text: str) -> None:
        """She is about to: the line may come back before Twitch has answered."""
        self._texts.append(clean(text).text)

    def wrote(self, id: str) -> None:
        """What Twitch calls it; its words may come back changed."""
        self._ids.append(id)

    def has(self, message: Message) -> bool:
        """Whether `message` is one of hers."""
        if message.command != "PRIVMSG" or not self.login or message.nick.lower() != self.login:
            return False
        said = message.text, ANSWERS.sub("", message.text, count=1)
        same = any(clean(text).text in self._texts for text in said)
        return same or message.tags.get("id") in self._ids
