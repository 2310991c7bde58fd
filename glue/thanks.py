"""Supporters who wait together are thanked together: many lines with deeds -> one. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from glue.chat_events import Deed
from glue.events import ChatLine

NAMED = 4  # people; the others are counted
DID = {  # the dearest first: it is what a batch counts as, and who did it is named
    Deed.RAID: "raided the stream with their viewers",
    Deed.SUPER_CHAT: "sent super chats",
    Deed.GIFT: "gave subscriptions away",
    Deed.SUB: "subscribed",
    Deed.MEMBER: "became members",
    Deed.BITS: "cheered with bits",
    Deed.POINTS: "spent channel points",
    Deed.FOLLOW: "followed the channel",
}
WORTH = list(DID)


def together(lines: Sequence[ChatLine]) -> ChatLine:
    """One line for all of `lines`, which have deeds; the dearest one's id, source and deed stand for it."""
    if len(lines) == 1:
        return lines[0]
    lines = sorted(lines, key=lambda line: WORTH.index(line.deed) if line.deed else len(WORTH))
    names = list(dict.fromkeys(line.author for line in lines))
    named, rest = names[:NAMED], len(names) - NAMED
    if rest > 0:
        named.append(f"{rest} other{'s' if rest > 1 else ''}")
    deeds = dict.fromkeys(DID[line.deed] for line in lines if line.deed)
    return replace(lines[0], author=_listed(named), text=_listed(list(deeds)), joined=tuple(lines))


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
