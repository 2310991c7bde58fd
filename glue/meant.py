"""For whom a line is meant, by where it comes from and how it begins. Pure."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from glue.events import ChatLine, Fate, Source

# Where anybody may write; the operator, a voice in the room and news of the show come from elsewhere.
PUBLIC = frozenset({Source.TWITCH, Source.YOUTUBE, Source.REHEARSAL, Source.PLAYER})
CHATS = frozenset({Source.TWITCH, Source.YOUTUBE})  # where bots are commanded, and viewers answer one another
COMMAND = re.compile(r"!(\w+)")
WORD = re.compile(r"\w")
MENTION = re.compile(r"@(?=\S)")
LONG = 4  # letters of a name that an account's may begin with: @SparkVT


def can_wait(line: ChatLine) -> bool:
    """Whether `line` is chat that the operator may keep out for a while: whoever paid is thanked."""
    return line.source in PUBLIC and not (line.deed is not None and line.deed.paid)


@dataclass(frozen=True, slots=True)
class Meant:
    """`aliases`: what she is called beside her name; `accounts()`: under which names she stands in chat;
    `wished(line)`: whether a game that hears chat could do what it says."""

    aliases: Sequence[str] = ()
    accounts: Callable[[], Collection[str]] = tuple
    wished: Callable[[ChatLine], bool] = lambda line: False

    def refusal(self, line: ChatLine, names: Iterable[str]) -> Fate | None:
        """IGNORED for what a bot is commanded, and for what is said to another than those with `names`."""
        if line.source not in CHATS or line.deed:
            return None
        text = line.text.casefold().lstrip()
        hers = [name.casefold().lstrip("@") for name in (*names, *self.aliases, *self.accounts())]
        if command := COMMAND.match(text):
            return None if command[1] in hers or self.wished(line) else Fate.IGNORED
        others = False
        while mention := MENTION.match(text):
            text = text[mention.end() :]
            if any(_begins(text, name) for name in hers):
                return None
            others, text = True, text.partition(" ")[2].lstrip()
        return Fate.IGNORED if others else None

    def called(self, text: str) -> list[str]:
        """What else than her name calls her in `text`: an alias anywhere, an account's name behind an @."""
        accounts = self.accounts() if "@" in text else ()
        folded = text.casefold()
        return [*self.aliases, *(name for name in accounts if f"@{name.casefold().lstrip('@')}" in folded)]


def _begins(text: str, name: str) -> bool:
    """Whether `text` begins with `name`, which may go on if it is long enough not to be another's."""
    goes_on = WORD.match(text, len(name)) is not None
    return bool(name) and text.startswith(name) and (len(name) >= LONG or not goes_on)
