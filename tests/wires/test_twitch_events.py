"""EventSub: deeds once, whatever wire tells them; sessions that move; tokens that lack something."""

from __future__ import annotations

import pytest

from glue.chat_events import Deed
from tests.waiting import eventually
from tests.wires.twitch_peer import Peer
from tests.wires.twitch_show import supervised, twitch

pytestmark = pytest.mark.anyio
EVENTS = "twitch events"
MIKA = {"user_id": "1002", "user_login": "mika", "user_name": "Mika"}


def ready(peer: Peer, kinds: int = 7) -> bool:
    return bool(peer.inside) and [len(s.kinds) for s in peer.events.sessions.values()] == [kinds]


async def test_what_only_eventsub_tells(peer: Peer) -> None:
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        await peer.events.tell("channel.follow", MIKA, times=3)
        reward = {"reward": {"title": "Hydrate"}, "user_input": "drink!"}
        await peer.events.tell("channel.channel_points_custom_reward_redemption.add", MIKA | reward)
        await eventually(lambda: len(heard.lines) == 2)
    assert [line.deed for line in heard.lines] == [Deed.FOLLOW, Deed.POINTS]
    assert not heard.down(EVENTS)


async def test_what_both_wires_tell_is_heard_once(peer: Peer) -> None:
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        peer.notice("sub", "mika")
        peer.say("Cheer100 go", "mika", bits="100")
        await eventually(lambda: len(heard.lines) == 2)
        await peer.events.tell("channel.subscribe", MIKA | {"is_gift": False})
        await peer.events.tell("channel.cheer", MIKA | {"bits": 100, "message": "Cheer100 go"})
        raider = {"from_broadcaster_user_login": "bo", "from_broadcaster_user_name": "Bo", "viewers": 500}
        await peer.events.tell("channel.raid", raider)
        await eventually(lambda: len(heard.lines) == 3)
        peer.notice("raid", "bo", viewerCount="500")
        peer.say("the end")
        await eventually(lambda: heard.texts[-1] == "the end")
    assert [line.deed for line in heard.lines] == [Deed.SUB, Deed.BITS, Deed.RAID, None]


POINTS = "channel.channel_points_custom_reward_redemption.add"
DRINK = {"reward": {"id": "r1", "title": "Hydrate"}, "user_input": "drink!"}
UNNAMED = {"is_anonymous": True, "user_id": None, "user_login": None, "user_name": None}


@pytest.mark.parametrize("first", ["irc", "eventsub"])
async def test_points_and_the_unnamed_are_heard_once_whoever_tells_first(peer: Peer, first: str) -> None:
    async def irc() -> None:
        peer.say("drink!", "mika", custom_reward_id="r1")
        peer.say("Cheer100 go", "ananonymouscheerer", bits="100")
        peer.notice("submysterygift", "ananonymousgifter", mass_gift_count="5", origin_id="o")

    async def eventsub() -> None:
        await peer.events.tell(POINTS, MIKA | DRINK)
        await peer.events.tell("channel.cheer", UNNAMED | {"bits": 100, "message": "Cheer100 go"})
        await peer.events.tell("channel.subscription.gift", UNNAMED | {"total": 5})

    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        for tells in (irc, eventsub) if first == "irc" else (eventsub, irc):
            await tells()
            await eventually(lambda: len(heard.lines) >= 3)
        await peer.events.tell("channel.follow", MIKA)
        peer.say("the end")
        await eventually(lambda: len(heard.lines) >= 5)
    deeds = [line.deed for line in heard.lines]
    assert deeds[:3] == [Deed.POINTS, Deed.BITS, Deed.GIFT] and set(deeds[3:]) == {Deed.FOLLOW, None}


@pytest.mark.parametrize("moderation", ["delete", "ban", "clear"])
async def test_what_eventsub_told_first_is_removed_with_its_twin(peer: Peer, moderation: str) -> None:
    cheer = MIKA | {"user_id": "u-mika", "bits": 100, "message": "Cheer100 bad words"}
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        await peer.events.tell("channel.cheer", cheer)
        await eventually(lambda: heard.lines)
        id = peer.say("Cheer100 bad words", "mika", bits="100")
        match moderation:
            case "delete":
                peer.delete(id)
            case "ban":
                peer.ban("mika")
            case _:
                peer.frame(":tmi.twitch.tv CLEARCHAT #spark\r\n")
        await eventually(lambda: heard.removed)
    assert len(heard.lines) == 1
    assert set(heard.removed) == {f"twitch-{id}", heard.lines[0].id}


async def test_a_session_moves_without_a_lost_or_doubled_deed(peer: Peer) -> None:
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        for number in range(30):
            if number in (5, 15, 25):
                await peer.events.reconnect()
            if number in (10, 20):  # the deeds between came while it moved
                await peer.events.moved()
            await peer.events.tell(
                "channel.follow", MIKA | {"user_login": f"v{number}", "user_name": f"v{number}"}
            )
        await eventually(lambda: len(heard.lines) >= 30)
        subscribed = peer.events.asked.count("/helix/eventsub/subscriptions")
    assert [line.author for line in heard.lines] == [f"v{number}" for number in range(30)]
    assert subscribed == 7 and not heard.down(EVENTS)


async def test_keep_alives_are_missed(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glue.senses.twitch_events.GRACE_S", 0.3)
    peer.events.keepalive = 1
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        peer.events.silent = True
        await eventually(lambda: heard.down(EVENTS))
        peer.events.silent = False
        await eventually(lambda: heard.back(EVENTS))
    assert not heard.down()


async def test_a_wrong_token_leaves_the_chat_readable(peer: Peer) -> None:
    async with supervised(twitch(peer, token="bad")) as heard:
        await eventually(lambda: heard.down(EVENTS) and peer.inside)
        peer.say("hi")
        await eventually(lambda: heard.lines)
    assert "TWITCH_TOKEN" in heard.down(EVENTS)[0]
    assert len(peer.events.asked) == 1, "a wrong token is not tried over and over"


async def test_a_channel_that_is_not_there(peer: Peer) -> None:
    async with supervised(twitch(peer, token="good", channel="nobody")) as heard:
        await eventually(lambda: heard.down(EVENTS))
    assert heard.down(EVENTS) == ["there is no channel 'nobody'; cure: chat.channel=NAME"]


async def test_what_the_token_may_have_is_heard(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    peer.events.scopes = ["moderator:read:followers"]
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer, 2))
        await eventually(lambda: "lacks scopes" in caplog.text)
        await peer.events.tell("channel.follow", MIKA)
        await eventually(lambda: heard.lines)


async def test_garbage_and_giants(peer: Peer) -> None:
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        (session,) = peer.events.sessions.values()
        for frame in (
            "",
            "{",
            "[]",
            "null",
            '{"metadata": 1}',
            b"\xff\x00",
            "[" * 100_000,
            '{"metadata": {}}',
        ):
            await session.connection.send(frame)
        await peer.events.tell("channel.follow", {"user_name": ["x"], "user_login": None})
        await peer.events.tell("channel.follow", MIKA)
        await eventually(lambda: len(heard.lines) == 2)
        assert not heard.down(EVENTS)
        await session.connection.send("x" * (3 << 20))
        await eventually(lambda: heard.back(EVENTS) and ready(peer))
        await peer.events.tell("channel.follow", MIKA)
        await eventually(lambda: len(heard.lines) == 3)


async def test_a_token_that_expires_in_the_show_is_noticed(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glue.senses.twitch_events.HOUR_S", 0.2)
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        peer.events.token = "another"
        await eventually(lambda: heard.down(EVENTS))
        peer.say("and chat?")
        await eventually(lambda: heard.lines)
    assert "has expired" in heard.down(EVENTS)[0]


async def test_a_check_of_the_token_that_twitch_cannot_answer_ends_no_session(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glue.senses.twitch_events.HOUR_S", 0.05)
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        (session,) = peer.events.sessions
        peer.events.ailing, asked = True, len(peer.events.asked)
        await eventually(lambda: len(peer.events.asked) > asked + 2)
        peer.events.ailing = False
        await peer.events.tell("channel.follow", MIKA)
        await eventually(lambda: heard.lines)
        assert list(peer.events.sessions) == [session] and not heard.down(EVENTS)


@pytest.mark.parametrize(
    ("status", "told"),
    [("authorization_revoked", ["TWITCH_TOKEN was revoked"]), ("version_removed", [])],
)
async def test_what_is_revoked_is_told_where_nothing_more_comes(
    peer: Peer, caplog: pytest.LogCaptureFixture, status: str, told: list[str]
) -> None:
    async with supervised(twitch(peer, token="good")) as heard:
        await eventually(lambda: ready(peer))
        await peer.events.revoke("channel.cheer", status)
        await eventually(lambda: heard.down(EVENTS) or "stopped telling" in caplog.text)
    assert [why.partition(",")[0] for why in heard.down(EVENTS)] == told
