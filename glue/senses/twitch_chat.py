"""WORLD -> EVENTS: what Twitch's IRC says, as lines, deeds and removals. Pure; hostile words are data.

Tags: https://dev.twitch.tv/docs/chat/irc/ (PRIVMSG, USERNOTICE, CLEARCHAT, CLEARMSG).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from glue.chat_events import SAYING, Deed, LinesRemoved
from glue.events import ChatLine, Event, LineArrived, Source
from glue.senses.cheers import words
from glue.senses.clean import clean, name
from glue.senses.irc import Message
from glue.senses.ledger import Ledger

LONGEST_ID = 80
ACTION = "\x01ACTION "
REWARD = "custom-reward-id"  # the tag of a line that was written to redeem channel points
BADGES = frozenset({"broadcaster", "moderator", "vip", "subscriber", "founder"})
SUBS = {"sub", "resub", "giftpaidupgrade", "anongiftpaidupgrade", "primepaidupgrade"}


@dataclass(slots=True)
class Chat:
    """One channel's chat. `ignored`: logins whose lines are not read (bots, herself), lower case."""

    ledger: Ledger
    ignored: set[str]
    _numbers: count[int]

    def read(self, message: Message, at: float) -> Event | None:
        """The event in a message; None for what is none, or came before."""
        match message.command:
            case "PRIVMSG" if message.nick.lower() not in self.ignored:
                return self._arrived(message, at, self._line(message))
            case "USERNOTICE":
                return self._noticed(message, at)
            case "CLEARMSG":
                return self._removed(at, (line_id(message.tags.get("target-msg-id", "")),))
            case "CLEARCHAT":
                id = message.tags.get("target-user-id", "")
                user = id or (message.text if len(message.params) > 1 else "")
                gone = self.ledger.of(user) if user else self.ledger.everybody()
                return self._removed(at, gone, id and f"{Source.TWITCH}:{author_id(id)}")
        return None

    def _line(self, message: Message) -> ChatLine:
        said = message.text.removeprefix(ACTION)
        author, text, id = who(message), clean(said).text, author_id(message.tags.get("user-id", ""))
        bits = number(message.tags.get("bits", ""))
        if bits:
            return deed(self._id(message), author, Deed.BITS, f"cheered {bits} bits", words(said, bits), id)
        if message.tags.get(REWARD):  # what it is called EventSub alone tells
            return deed(self._id(message), author, Deed.POINTS, "spent channel points", said, id)
        return ChatLine(self._id(message), author, text, Source.TWITCH, supports(message), author_id=id)

    def _noticed(self, message: Message, at: float) -> Event | None:
        origin = message.tags.get("msg-param-origin-id", "")
        gift = f"gift {origin}"
        if message.tags.get("msg-id") == "submysterygift":
            self.ledger.first(gift)
        elif origin and gift in self.ledger:
            return None  # one of many, told of already
        told = told_by(message)
        if told is None:
            return None
        kind, what = told
        said = message.text if len(message.params) > 1 else ""
        id = author_id(message.tags.get("user-id", ""))
        return self._arrived(message, at, deed(self._id(message), who(message), kind, what, said, id))

    def _arrived(self, message: Message, at: float, line: ChatLine) -> Event | None:
        author = message.tags.get("user-id") or message.nick
        if not self.ledger.first(line.id, author) or not line.text:
            return None
        login = message.tags.get("login") or message.nick
        if line.deed:
            deed = key(line.deed, login, message.tags.get(REWARD, ""))
            if self.ledger.told("irc", deed, line.id, at):
                return None
        return LineArrived(at, line)

    def _removed(self, at: float, ids: tuple[str, ...], viewer: str = "") -> Event | None:
        ids = self.ledger.with_twins(ids)
        for id in ids:
            self.ledger.first(id)  # where the removal overtook its line
        return LinesRemoved(at, ids, viewer) if ids or viewer else None

    def _id(self, message: Message) -> str:
        return line_id(message.tags.get("id") or f"{next(self._numbers)}")


def key(kind: Deed, login: str, reward: str = "") -> tuple[str, ...]:
    """What is the same for one deed on every wire that tells of it; `reward`: which one points bought."""
    return kind.value, login.lower(), reward


def line_id(raw: str) -> str:
    """An id for the journal and the pages."""
    return f"twitch-{clean(raw, LONGEST_ID).text}"


def who(message: Message) -> str:
    """The name that chat shows."""
    return name(message.tags.get("display-name") or message.tags.get("login") or message.nick)


def supports(message: Message) -> bool:
    """Whether chat knows who wrote it for a supporter, or for somebody whom the channel trusts."""
    badges = {badge.partition("/")[0] for badge in message.tags.get("badges", "").split(",")}
    marks = (message.tags.get(mark) for mark in ("subscriber", "mod", "vip"))
    return not BADGES.isdisjoint(badges) or "1" in marks


def number(raw: str) -> int:
    """A count in a tag; 0 for anything else."""
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0


def author_id(raw: object) -> str:
    """A user's id, the same on every wire; "" where there is none."""
    return clean(str(raw or ""), LONGEST_ID).text


def deed(id: str, author: str, kind: Deed, what: str, said: str = "", author_id: str = "") -> ChatLine:
    """A line that tells what `author` did, with their own words behind it."""
    theirs = clean(said).text
    text = clean(f"{what}{SAYING}{theirs}" if theirs else what).text
    return ChatLine(id, author, text, Source.TWITCH, kind.paid, kind, author_id)


def told_by(message: Message) -> tuple[Deed, str] | None:
    """A USERNOTICE's deed in words. One gift among many tells nothing: its giver is told of by itself."""
    tags = message.tags
    kind = tags.get("msg-id", "")
    if kind in SUBS:
        return Deed.SUB, subscribed(number(tags.get("msg-param-cumulative-months", "")))
    if kind == "submysterygift":
        return Deed.GIFT, gave(number(tags.get("msg-param-mass-gift-count", "")))
    if kind == "subgift" and not tags.get("msg-param-community-gift-id"):
        return Deed.GIFT, f"gave {name(tags.get('msg-param-recipient-display-name', ''))} a subscription"
    if kind == "raid":
        return Deed.RAID, raided(number(tags.get("msg-param-viewerCount", "")))
    return None


def subscribed(months: int) -> str:
    """In words."""
    return f"subscribed, {months} months now" if months > 1 else "subscribed"


def gave(count: int) -> str:
    """In words."""
    return f"gave {count} subscriptions to others" if count > 1 else "gave a subscription away"


def raided(viewers: int) -> str:
    """In words."""
    return f"raided the stream with {viewers} viewers" if viewers else "raided the stream"
