"""What YouTube's pages become, by the shapes of its documents; any field may be missing or hostile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.chat_events import Deed, LinesRemoved
from glue.errors import ConfigError, PortError, Refused, Unreachable
from glue.events import ChatLine, LineArrived, Source
from glue.senses.clean import clean
from glue.senses.youtube import LIST_COST, SLOWEST_S, Budget, Unasked, refused, video_id
from glue.senses.youtube_chat import Chat

LATER = "2099-01-01T12:00:00.123456+00:00"


def item(kind: str, id: str = "m1", at: str = LATER, **details: object) -> dict[str, Any]:
    snippet = {"type": kind, "liveChatId": "c", "authorChannelId": "UCmika", "publishedAt": at}
    author = {"channelId": "UCmika", "displayName": "@mika", "isChatSponsor": False}
    return {
        "kind": "youtube#liveChatMessage",
        "id": id,
        "snippet": snippet | details,
        "authorDetails": author,
    }


def text(said: str, id: str = "m1", at: str = LATER) -> dict[str, Any]:
    return item("textMessageEvent", id, at, textMessageDetails={"messageText": said})


def page(*items: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "youtube#liveChatMessageListResponse", "items": list(items)}


def lines(chat: Chat, *items: dict[str, Any]) -> list[ChatLine]:
    return [event.line for event in chat.read(page(*items), 1.0) if isinstance(event, LineArrived)]


def test_a_line_once() -> None:
    chat = Chat(0.0)
    assert lines(chat, text("hi Spark")) == [
        ChatLine("youtube-m1", "@mika", "hi Spark", Source.YOUTUBE, author_id="UCmika")
    ]
    assert lines(chat, text("hi Spark")) == []


@pytest.mark.parametrize("mark", ["isChatSponsor", "isChatModerator", "isChatOwner"])
def test_members_and_moderators_are_supporters(mark: str) -> None:
    told = text("hi Spark")
    told["authorDetails"][mark] = True
    assert lines(Chat(0.0), told)[0].supporter
    told["authorDetails"][mark] = "true?"
    assert not lines(Chat(0.0), told)[0].supporter


def test_what_was_written_before_the_show_is_history() -> None:
    chat = Chat(1795430000.0)  # 2026-11-22
    told = lines(chat, text("old", "m1", "2026-11-01T12:00:00Z"), text("new", "m2"), text("when?", "m3", "x"))
    assert [line.text for line in told] == ["new", "when?"]


@pytest.mark.parametrize(
    ("told", "deed", "words"),
    [
        (
            item("superChatEvent", superChatDetails={"amountDisplayString": "€5.00", "userComment": "hi"}),
            Deed.SUPER_CHAT,
            "gave €5.00, saying: hi",
        ),
        (
            item("superStickerEvent", superStickerDetails={"amountDisplayString": "$2.00"}),
            Deed.SUPER_CHAT,
            "sent a sticker for $2.00",
        ),
        (item("newSponsorEvent", newSponsorDetails={"isUpgrade": False}), Deed.MEMBER, "became a member"),
        (item("newSponsorEvent", newSponsorDetails={"isUpgrade": True}), Deed.MEMBER, "moved up as a member"),
        (
            item(
                "memberMilestoneChatEvent", memberMilestoneChatDetails={"memberMonth": 7, "userComment": "yo"}
            ),
            Deed.MEMBER,
            "has been a member for 7 months, saying: yo",
        ),
        (
            item("membershipGiftingEvent", membershipGiftingDetails={"giftMembershipsCount": "5"}),
            Deed.GIFT,
            "gave 5 memberships to others",
        ),
    ],
)
def test_deeds(told: dict[str, Any], deed: Deed, words: str) -> None:
    (line,) = lines(Chat(0.0), told)
    assert (line.deed, line.text, line.supporter) == (deed, words, True)
    assert line.viewer == "youtube:UCmika"


@pytest.mark.parametrize(
    "kind", ["tombstone", "chatEndedEvent", "giftMembershipReceivedEvent", "pollEvent", "?"]
)
def test_what_is_neither(kind: str) -> None:
    assert Chat(0.0).read(page(item(kind)), 1.0) == []


def test_deleted_and_banned() -> None:
    chat = Chat(0.0)
    lines(chat, text("a", "m1"), text("b", "m2"))
    deleted = item("messageDeletedEvent", "d", messageDeletedDetails={"deletedMessageId": "m1"})
    banned = item(
        "userBannedEvent",
        "b",
        userBannedDetails={"bannedUserDetails": {"channelId": "UCmika"}, "banType": "permanent"},
    )
    first, second = chat.read(page(deleted, banned), 2.0)
    assert first == LinesRemoved(2.0, ("youtube-m1",))
    assert second == LinesRemoved(2.0, ("youtube-m1", "youtube-m2"), "youtube:UCmika")
    early = item("messageDeletedEvent", "d2", messageDeletedDetails={"deletedMessageId": "m9"})
    assert chat.read(page(early, text("never seen", "m9")), 3.0) == [LinesRemoved(3.0, ("youtube-m9",))]


KEYS = ["type", "snippet", "authorDetails", "displayName", "textMessageDetails", "messageText", "items", "id"]
KINDS = st.sampled_from(["textMessageEvent", "superChatEvent", "messageDeletedEvent", "userBannedEvent"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=10,
)


@given(st.fixed_dictionaries({"items": st.lists(JSON, max_size=4)}), st.lists(JSON, max_size=4))
def test_any_page_is_read(strange: dict[str, Any], snippets: list[Any]) -> None:
    chat = Chat(0.0)
    items = [{"id": str(n), "snippet": snippet} for n, snippet in enumerate(snippets)]
    for event in [*chat.read(strange, 1.0), *chat.read({"items": items}, 1.0)]:
        if isinstance(event, LineArrived):
            assert clean(event.line.text).text == event.line.text


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (403, "quotaExceeded", Refused),
        (403, "rateLimitExceeded", Unreachable),
        (403, "liveChatEnded", Refused),
        (404, "liveChatNotFound", Refused),
        (400, "badRequest", Unasked),
        (503, "backendError", Unreachable),
        (418, "", Refused),
    ],
)
def test_refusals(status: int, reason: str, kind: type[PortError]) -> None:
    answer = {"error": {"code": status, "errors": [{"reason": reason, "domain": "youtube"}]}}
    assert type(refused(status, answer)) is kind
    assert isinstance(refused(500, "nonsense"), Unreachable)


def test_the_quota_lasts_for_the_show() -> None:
    budget = Budget(9000, 4 * 3600)
    assert budget.pause(2000) == pytest.approx(8.0, abs=0.1)
    assert budget.pause(20_000) == 20 and budget.pause("soon") >= 5
    assert budget.pause(10**400) == budget.pause(float("inf")) == SLOWEST_S
    assert budget.pause(float("nan")) >= 5
    budget.spend(9000 - LIST_COST)
    assert budget.pause(2000) == SLOWEST_S
    budget.spend(LIST_COST)
    with pytest.raises(Refused, match="quota"):
        budget.spend(LIST_COST)


@pytest.mark.parametrize(
    "given",
    ["dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=1", "https://youtu.be/dQw4w9WgXcQ",
     "https://www.youtube.com/live/dQw4w9WgXcQ?feature=share"],
)  # fmt: skip
def test_a_video_by_id_or_address(given: str) -> None:
    assert video_id(given) == "dQw4w9WgXcQ"


@pytest.mark.parametrize("given", ["", "short", "../../etc", "https://example.org/"])
def test_what_is_no_video(given: str) -> None:
    with pytest.raises(ConfigError, match=r"chat\.video"):
        video_id(given)
