"""EventSub's messages: text -> what to do about the session, and deeds. Pure; every field may be missing.

Protocol: https://dev.twitch.tv/docs/eventsub/websocket-reference/ and .../eventsub-subscription-types/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glue.chat_events import Deed
from glue.events import ChatLine
from glue.senses.cheers import words
from glue.senses.clean import clean, name
from glue.senses.fields import part
from glue.senses.irc import Garbled
from glue.senses.twitch_chat import author_id, deed, gave, line_id, raided, subscribed

# Whom the chat names in the place of somebody unnamed.
ANONYMOUS = {Deed.BITS: "ananonymouscheerer", Deed.GIFT: "ananonymousgifter"}

# What is asked for: the kind, its version, and which ids it is about ("me" is the token's owner).
KINDS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("channel.subscribe", "1", {"broadcaster_user_id": "channel"}),
    ("channel.subscription.message", "1", {"broadcaster_user_id": "channel"}),
    ("channel.subscription.gift", "1", {"broadcaster_user_id": "channel"}),
    ("channel.cheer", "1", {"broadcaster_user_id": "channel"}),
    ("channel.raid", "1", {"to_broadcaster_user_id": "channel"}),
    ("channel.follow", "2", {"broadcaster_user_id": "channel", "moderator_user_id": "me"}),
    ("channel.channel_points_custom_reward_redemption.add", "1", {"broadcaster_user_id": "channel"}),
)


@dataclass(frozen=True, slots=True)
class News:
    """One message: its kind, its id, and whatever it carries; `status` is its subscription's."""

    kind: str
    id: str
    session: Mapping[str, Any]
    topic: str
    event: Mapping[str, Any]
    status: str = ""


def parse(frame: str | bytes) -> News:
    """Read a frame. Raises Garbled."""
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise Garbled("not JSON") from error
    about = part(message, "metadata")
    kind, id = about.get("message_type"), about.get("message_id")
    if not isinstance(kind, str) or not isinstance(id, str):
        raise Garbled("no message_type and message_id")
    load = part(message, "payload")
    asked = part(load, "subscription")
    topic, status = about.get("subscription_type") or asked.get("type"), asked.get("status")
    return News(kind, id, part(load, "session"), str(topic or ""), part(load, "event"), str(status or ""))


def count(value: object) -> int:
    """A number in an event; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else 0


def read(news: News) -> tuple[ChatLine, str] | None:
    """What somebody did, and their login; None for what nobody is thanked for."""
    event = news.event
    told = _told(news.topic, event)
    if told is None:
        return None
    kind, what, said = told
    user = _user(news.topic)
    unnamed = event.get("is_anonymous") is True
    login = ANONYMOUS.get(kind, "") if unnamed else str(event.get(f"{user}login") or "")
    author = "somebody unnamed" if unnamed else name(str(event.get(f"{user}name") or login))
    whose = "" if unnamed else author_id(event.get(f"{user}id"))
    return deed(line_id(news.id), author, kind, what, said, whose), login


def user_id(news: News) -> str:
    """Whose deed it is, as the chat's user-id; "" for somebody unnamed."""
    return str(news.event.get(f"{_user(news.topic)}id") or "")


def reward_id(news: News) -> str:
    """What channel points were spent on, as the chat's custom-reward-id."""
    return str(part(news.event, "reward").get("id") or "")


def _user(topic: str) -> str:
    """How the fields that say who did it begin."""
    return "from_broadcaster_user_" if topic == "channel.raid" else "user_"


def _told(topic: str, event: Mapping[str, Any]) -> tuple[Deed, str, str] | None:
    match topic:
        case "channel.subscribe" if event.get("is_gift") is not True:
            return Deed.SUB, "subscribed", ""
        case "channel.subscription.message":
            said = str(part(event, "message").get("text") or "")
            return Deed.SUB, subscribed(count(event.get("cumulative_months"))), said
        case "channel.subscription.gift":
            return Deed.GIFT, gave(count(event.get("total"))), ""
        case "channel.cheer":
            bits = count(event.get("bits"))
            return Deed.BITS, f"cheered {bits} bits", words(str(event.get("message") or ""), bits)
        case "channel.raid":
            return Deed.RAID, raided(count(event.get("viewers"))), ""
        case "channel.follow":
            return Deed.FOLLOW, "followed the channel", ""
        case "channel.channel_points_custom_reward_redemption.add":
            reward = clean(str(part(event, "reward").get("title") or "a reward"), 80).text
            return Deed.POINTS, f"spent channel points on '{reward}'", str(event.get("user_input") or "")
    return None
