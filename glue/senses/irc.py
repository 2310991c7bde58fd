"""IRC with message tags: text -> messages and back. No I/O.

Grammar: https://ircv3.net/specs/extensions/message-tags and RFC 1459, section 2.3.1; Twitch's use of it:
https://dev.twitch.tv/docs/chat/irc/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

ESCAPES = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
COMMAND = re.compile(r"[A-Za-z]+|[0-9]{3}")
MOST_PARAMS = 15


class Garbled(ValueError):
    """A line that is not a message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line. `nick` is who sent it, or the server's name; tag values are unescaped."""

    command: str
    params: tuple[str, ...] = ()
    nick: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The last parameter: what was said."""
        return self.params[-1] if self.params else ""


def lines(frame: str | bytes) -> Iterator[str]:
    """The lines of a WebSocket message: several may come in one. Split at CR and LF and nowhere else."""
    text = frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame
    return (line for line in text.replace("\r", "\n").split("\n") if line)


def parse(line: str) -> Message:
    """Read one line. Raises Garbled."""
    tags, rest = _headed("@", line)
    prefix, rest = _headed(":", rest)
    middle, colon, trailing = f" {rest}".partition(" :")
    words = [word for word in middle.split(" ") if word]
    if not words or not COMMAND.fullmatch(words[0]):
        raise Garbled("no command")
    if len(words) > MOST_PARAMS:
        raise Garbled("too many parameters")
    params = (*words[1:], trailing) if colon else tuple(words[1:])
    return Message(words[0].upper(), params, prefix.partition("!")[0], dict(_tags(tags)))


def _headed(mark: str, line: str) -> tuple[str, str]:
    """What stands behind `mark` up to the first space, and the rest."""
    if not line.startswith(mark):
        return "", line
    head, _, rest = line[1:].partition(" ")
    return head, rest.lstrip(" ")


def _tags(text: str) -> Iterator[tuple[str, str]]:
    for item in filter(None, text.split(";")):
        key, _, value = item.partition("=")
        yield key, ESCAPED.sub(lambda found: ESCAPES.get(found[1], found[1]), value)
