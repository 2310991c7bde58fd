"""WORLD -> EVENTS: a page of YouTube's live chat as lines, deeds and removals. Pure; fields may be missing.

Shapes: https://developers.google.com/youtube/v3/live/docs/liveChatMessages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from glue.chat_events import SAYING, Deed, LinesRemoved
from glue.events import ChatLine, Event, LineArrived, Source
from glue.senses.clean import clean, name
from glue.senses.fields import part
from glue.senses.ledger import Ledger

LONGEST_ID = 120
LONGEST_AUTHOR = 64
SUPPORTS = ("isChatSponsor", "isChatModerator", "isChatOwner")  # of an author: who pays, or is trusted


@dataclass(slots=True)
class Chat:
    """One video's chat. `since` (UNIX seconds): lines from before are history, which nobody answers."""

    since: float
    ledger: Ledger = field(default_factory=Ledger)

    def read(self, page: Mapping[str, Any], at: float) -> list[Event]:
        """The events of one answer."""
        items = page.get("items")
        return [e for item in items if (e := self._event(item, at))] if isinstance(items, list) else []

    def _event(self, item: object, at: float) -> Event | None:
        snippet, author = part(item, "snippet"), part(item, "authorDetails")
        id = item.get("id") if isinstance(item, dict) else None
        kind = snippet.get("type")
        if kind == "messageDeletedEvent":
            deleted = part(snippet, "messageDeletedDetails").get("deletedMessageId")
            return self._removed(at, (line_id(deleted),))
        if kind == "userBannedEvent":
            banned = part(part(snippet, "userBannedDetails"), "bannedUserDetails").get("channelId")
            viewer = f"{Source.YOUTUBE}:{author_id(str(banned))}"
            return self._removed(at, self.ledger.of(str(banned)), viewer) if banned else None
        channel = str(author.get("channelId") or snippet.get("authorChannelId") or "")
        if not isinstance(id, str) or not self.ledger.first(line_id(id), channel):
            return None
        supporter = any(author.get(mark) is True for mark in SUPPORTS)
        line = read(line_id(id), name(str(author.get("displayName") or "")), snippet, channel, supporter)
        if line is None or not line.text or written(snippet) < self.since:
            return None
        return LineArrived(at, line)

    def _removed(self, at: float, ids: tuple[str, ...], viewer: str = "") -> Event | None:
        for id in ids:
            self.ledger.first(id)  # where the removal overtook its line
        return LinesRemoved(at, ids, viewer) if ids or viewer else None


def read(
    id: str, author: str, snippet: Mapping[str, Any], channel: str = "", supporter: bool = False
) -> ChatLine | None:
    """A line, or what somebody did; None for what is neither. `channel`: the author's."""
    whose = author_id(channel)
    if snippet.get("type") == "textMessageEvent":
        said = part(snippet, "textMessageDetails").get("messageText") or snippet.get("displayMessage") or ""
        return ChatLine(id, author, clean(str(said)).text, Source.YOUTUBE, supporter, author_id=whose)
    if (told := next(_told(snippet), None)) is None:
        return None
    deed, what, said = told
    words = clean(str(said or "")).text
    text = clean(f"{what}{SAYING}{words}" if words else what).text
    return ChatLine(id, author, text, Source.YOUTUBE, supporter=True, deed=deed, author_id=whose)


def author_id(channel: str) -> str:
    """Who that is, whatever they are called."""
    return clean(channel, LONGEST_AUTHOR).text


def _told(snippet: Mapping[str, Any]) -> Iterator[tuple[Deed, str, object]]:
    """What a snippet tells that somebody did, in words, and theirs."""
    match snippet.get("type"):
        case "superChatEvent":
            about = part(snippet, "superChatDetails")
            yield Deed.SUPER_CHAT, f"gave {amount(about)}", about.get("userComment")
        case "superStickerEvent":
            yield Deed.SUPER_CHAT, f"sent a sticker for {amount(part(snippet, 'superStickerDetails'))}", ""
        case "newSponsorEvent":
            upgraded = part(snippet, "newSponsorDetails").get("isUpgrade") is True
            yield Deed.MEMBER, "moved up as a member" if upgraded else "became a member", ""
        case "memberMilestoneChatEvent":
            about = part(snippet, "memberMilestoneChatDetails")
            months = count(about.get("memberMonth"))
            yield Deed.MEMBER, f"has been a member for {months} months", about.get("userComment")
        case "membershipGiftingEvent":
            gifts = count(part(snippet, "membershipGiftingDetails").get("giftMembershipsCount"))
            what = f"gave {gifts} memberships to others" if gifts > 1 else "gave a membership away"
            yield Deed.GIFT, what, ""


def amount(about: Mapping[str, Any]) -> str:
    """The money as YouTube writes it."""
    return clean(str(about.get("amountDisplayString") or "some money"), 30).text


def count(value: object) -> int:
    """A number; the API gives some as text. 0 for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def line_id(raw: object) -> str:
    """An id for the journal and the pages."""
    return f"youtube-{clean(str(raw), LONGEST_ID).text}"


def written(snippet: Mapping[str, Any]) -> float:
    """When it was written, UNIX seconds; endlessly late where that cannot be read."""
    try:
        return datetime.fromisoformat(str(snippet.get("publishedAt"))).timestamp()
    except (ValueError, OverflowError):
        return float("inf")
