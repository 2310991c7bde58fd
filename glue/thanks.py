"""Supporters who wait together are thanked together: many lines with deeds -> one. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from glue.chat_events import Deed
from glue.events import ChatLine

NAMED = 4  # people; the others are counted
DID = {
    Deed.SUB: "subscribed",
    Deed.GIFT: "gave subscriptions away",
    Deed.BITS: "cheered with bits",
    Deed.RAID: "raided the stream with their viewers",
    Deed.SUPER_CHAT: "sent super chats",
    Deed.MEMBER: "became members",
    Deed.FOLLOW: "followed the channel",
    Deed.POINTS: "spent channel points",
}


def together(lines: Sequence[ChatLine]) -> ChatLine:
    """One line for all of `lines`, which have deeds; the first one's id, source and deed stand for it."""
    first, *others = lines
    if not others:
        return first
    names = list(dict.fromkeys(line.author for line in lines))
    named, rest = names[:NAMED], len(names) - NAMED
    if rest > 0:
        named.append(f"{rest} other{'s' if rest > 1 else ''}")
    deeds = dict.fromkeys(DID[line.deed] for line in lines if line.deed)
    return replace(first, author=_listed(named), text=_listed(list(deeds)), joined=tuple(lines))


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
