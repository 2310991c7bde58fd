"""The Twitch adapter against a Twitch-like server: chat, removals, new connections, bad days."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

import pytest

from glue.chat_events import Deed, LinesRemoved
from glue.errors import ConfigError
from glue.events import ChatLine, Ending, Fate, LineClosed, Source, TurnEnded, TurnStarted
from glue.senses.twitch import Twitch
from tests.waiting import eventually
from tests.wires.twitch_peer import Peer
from tests.wires.twitch_show import supervised, twitch

pytestmark = pytest.mark.anyio
SECRET = "sesame123"


async def test_chat_is_read_without_a_key(peer: Peer) -> None:
    async with supervised(twitch(peer)) as heard:
        await eventually(lambda: peer.inside)
        id = peer.say("hi Spark", "mika")
        peer.notice("sub", "bo")
        await eventually(lambda: len(heard.lines) == 2)
    first, second = heard.lines
    assert (first.id, first.author, first.text) == (f"twitch-{id}", "Mika", "hi Spark")
    assert (second.author, second.deed) == ("Bo", Deed.SUB)
    assert peer.nicks[0].startswith("justinfan") and not peer.passes and not heard.down()


async def test_removed_lines_are_named(peer: Peer) -> None:
    async with supervised(twitch(peer)) as heard:
        await eventually(lambda: peer.inside)
        ids = [peer.say("one", "mika"), peer.say("two", "troll"), peer.say("three", "troll")]
        peer.delete(ids[0])
        peer.ban("troll")
        await eventually(lambda: len(heard.removed) == 3)
    assert heard.removed == [f"twitch-{id}" for id in ids]


@pytest.mark.parametrize("connections", [1, 2])
async def test_many_lines_and_three_forced_reconnects(peer: Peer, connections: int) -> None:
    """A line each hundredth of a second; python -m tests.wires.twitch_long for ten minutes."""
    async with supervised(twitch(peer, connections=connections)) as heard:
        await eventually(lambda: len(peer.inside) == connections)
        moves: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as tg:
            for number in range(100):
                if number in (20, 50, 80):
                    await asyncio.gather(*moves)
                    moves.append(tg.create_task(peer.reconnect()))
                peer.say(f"line {number}", f"viewer{number % 30}")
                await asyncio.sleep(0.01)
        await eventually(lambda: len(heard.lines) >= 100)
    assert Counter(heard.texts) == {f"line {number}": 1 for number in range(100)}
    assert peer.joins == 4 * connections and not heard.down()


async def test_a_new_line_that_fails_at_first_costs_nothing(peer: Peer) -> None:
    async with supervised(twitch(peer)) as heard, asyncio.TaskGroup() as tg:
        await eventually(lambda: peer.inside)
        peer.refusing = True
        tg.create_task(peer.reconnect())
        await eventually(lambda: peer.refused >= 2)
        peer.say("on the old line")
        await eventually(lambda: heard.texts == ["on the old line"])
        peer.refusing = False
        await eventually(lambda: peer.joins == 2)
        peer.say("on the new one")
        await eventually(lambda: len(heard.lines) == 2)
    assert not heard.down()


async def test_what_is_still_under_way_on_the_old_line_is_heard(peer: Peer) -> None:
    async with supervised(twitch(peer)) as heard:
        await eventually(lambda: peer.inside)
        async with asyncio.TaskGroup() as tg:
            tg.create_task(peer.reconnect(lag=0.3))
            for number in range(60):
                peer.say(f"line {number}")
                await asyncio.sleep(0.01)
            await eventually(lambda: len(heard.lines) >= 60)
    assert Counter(heard.texts) == {f"line {number}": 1 for number in range(60)}


async def test_two_connections_survive_one_that_breaks(peer: Peer) -> None:
    async with supervised(twitch(peer, connections=2)) as heard:
        await eventually(lambda: len(peer.inside) == 2)
        for number in range(60):
            if number % 20 == 10:
                await eventually(lambda: len(peer.inside) == 2)
                peer.drop(1)
            peer.say(f"line {number}")
        await eventually(lambda: len(heard.lines) >= 60)
    assert Counter(heard.texts) == {f"line {number}": 1 for number in range(60)}


async def test_it_comes_back_after_a_while_without_network(peer: Peer) -> None:
    async with supervised(twitch(peer)) as heard:
        await eventually(lambda: peer.inside)
        peer.say("before")
        await eventually(lambda: heard.lines)
        peer.refusing = True
        peer.drop()
        await eventually(lambda: heard.down())
        await eventually(lambda: peer.refused >= 3)
        peer.refusing = False
        await eventually(lambda: heard.back() == 1)
        peer.say("after")
        await eventually(lambda: heard.texts == ["before", "after"])
    assert len(heard.down()) == 1


async def test_a_wrong_channel_is_one_clear_line(peer: Peer) -> None:
    async with supervised(twitch(peer, channel="nobody", timeout_s=3.0)) as heard:
        await eventually(lambda: heard.down())
    assert "#nobody" in heard.down()[0] and "chat.channel" in heard.down()[0]


@pytest.mark.parametrize("channel", ["", "two words", "../x", "a" * 26, "spärk"])
def test_what_is_no_channel_is_refused_at_once(channel: str) -> None:
    with pytest.raises(ConfigError, match=r"chat\.channel"):
        Twitch(channel)


async def test_garbage_is_let_pass(peer: Peer) -> None:
    async with supervised(twitch(peer)) as heard:
        await eventually(lambda: peer.inside)
        for frame in (
            "",
            "\r\n\r\n",
            "@",
            "@a :b",
            ":x",
            "\x00\x01",
            b"\xff\xfe PRIVMSG",
            "[" * 50_000,
            "@" + "a=b;" * 9000,
        ):
            peer.frame(frame)
        peer.frame("@id=1 :a!a@a PRIVMSG #spark :one\r\nnonsense!\r\n@id=2 :b!b@b PRIVMSG #spark :two\r\n")
        await eventually(lambda: heard.texts == ["one", "two"])
    assert not heard.down()


async def test_a_huge_frame_costs_the_connection_and_nothing_else(peer: Peer) -> None:
    async with supervised(twitch(peer)) as heard:
        await eventually(lambda: peer.inside)
        peer.frame("x" * (2 << 20))
        await eventually(lambda: heard.back() == 1)
        peer.say("still here?")
        await eventually(lambda: heard.lines)


async def test_a_silent_server_is_asked_and_then_left(peer: Peer) -> None:
    async with supervised(twitch(peer, silence_s=0.2)) as heard:
        await eventually(lambda: peer.pings >= 2)
        assert not heard.down()
    async with supervised(twitch(peer, silence_s=0.2, timeout_s=0.4)) as heard:
        await eventually(lambda: peer.joins == 2 or heard.down())
        peer.deaf = True
        await eventually(lambda: heard.down())


async def test_a_server_that_never_answers_is_given_up(peer: Peer) -> None:
    peer.deaf = True
    async with supervised(twitch(peer, timeout_s=0.3)) as heard:
        await eventually(lambda: heard.down())


async def test_pings_are_answered(peer: Peer) -> None:
    async with supervised(twitch(peer)):
        await eventually(lambda: peer.inside)
        peer.frame("PING :tmi.twitch.tv\r\n")
        await eventually(lambda: peer.pongs == ["tmi.twitch.tv"])


async def test_what_was_heard_of_an_answer_is_written(peer: Peer) -> None:
    async with supervised(adapter := twitch(peer, token="good", write=True)) as heard:
        await eventually(lambda: peer.inside and peer.events.sessions)
        id = peer.say("hi Spark")
        await eventually(lambda: heard.lines)
        adapter.show(TurnStarted(1.0, "main", "t1", heard.lines[0], waited=False))
        adapter.show(TurnEnded(2.0, "main", "t1", Ending.CUT, "Hello. Bye.", "Hello."))
        adapter.show(TurnStarted(3.0, "main", "t2", ChatLine("x", "a", "b", Source.CONSOLE), waited=False))
        adapter.show(TurnEnded(4.0, "main", "t2", Ending.FINISHED, "Not here.", "Not here."))
        await eventually(lambda: peer.events.written)
    (sent,) = peer.events.written
    assert (sent["message"], sent["reply_parent_message_id"]) == ("Hello.", id)


async def test_an_answer_to_a_removed_line_is_not_written(peer: Peer) -> None:
    """Removed while she answers it, while the answer waits to be written, and among others thanked."""
    deed = ChatLine("twitch-a", "ann", "raided", Source.TWITCH, deed=Deed.RAID)
    async with supervised(adapter := twitch(peer, token="good", write=True)) as heard:
        await eventually(lambda: peer.inside and peer.events.sessions)
        said = [peer.say(f"bad {n}") for n in range(3)]
        lines = [ChatLine(f"twitch-{id}", "mika", "bad", Source.TWITCH) for id in said]
        for number, line in enumerate([*lines[:2], deed, lines[2]]):
            turn = f"t{number}"
            adapter.show(TurnStarted(1.0, "main", turn, line, waited=False))
            if line is lines[0]:
                adapter.show(LinesRemoved(1.5, (line.id,)))
            adapter.show(TurnEnded(2.0, "main", turn, Ending.CUT, "No.", f"Heard {turn}."))
            fates = {line.id: Fate.ANSWERED, **({"twitch-b": Fate.REMOVED} if line is deed else {})}
            for id, fate in fates.items():
                adapter.show(LineClosed(2.0, id, fate, turn))
        adapter.show(LinesRemoved(3.0, (lines[1].id,)))
        await eventually(lambda: peer.events.written)
    assert not heard.down("twitch writing")
    assert [sent["message"] for sent in peer.events.written] == ["Heard t3."]


async def test_what_she_wrote_with_the_channels_own_token_is_no_viewers_line(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a reply, which Twitch begins with a name, nor another line; what the streamer writes is one."""
    monkeypatch.setattr("glue.senses.twitch_writing.APART_S", 0.05)
    async with supervised(adapter := twitch(peer, token="good", write=True, connections=2)) as heard:
        await eventually(lambda: len(peer.inside) == 2 and peer.events.sessions)
        peer.say("hi Spark")
        await eventually(lambda: heard.lines)
        sub = ChatLine("twitch-x", "bo", "subscribed", Source.TWITCH, deed=Deed.SUB)
        for number, line in enumerate((heard.lines[0], sub)):
            adapter.show(TurnStarted(1.0, "main", f"t{number}", line, waited=False))
            adapter.show(TurnEnded(2.0, "main", f"t{number}", Ending.FINISHED, "Hello.", f"Hello {number}."))
        await eventually(lambda: len(peer.events.written) == 2)
        peer.say("that was my bot", "spark")
        await eventually(lambda: "that was my bot" in heard.texts)
    assert peer.events.login == "spark"
    assert heard.texts == ["hi Spark", "that was my bot"]


@pytest.mark.parametrize(
    ("write", "login", "names"),
    [(False, "mika", ("spark",)), (True, "mika", ("spark", "mika")), (True, "spark", ("spark", "spark"))],
)
async def test_viewers_speak_to_the_channel_and_to_the_account_that_writes(
    peer: Peer, write: bool, login: str, names: tuple[str, ...]
) -> None:
    peer.events.login = login
    async with supervised(adapter := twitch(peer, token="good", write=write)):
        assert adapter.accounts() == ("spark",)
        await eventually(lambda: peer.events.sessions)
        await eventually(lambda: adapter.accounts() == names)


async def test_the_token_is_never_told(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with supervised(twitch(peer, token=SECRET)) as heard:
        await eventually(lambda: heard.down("twitch events"))
        peer.say("hi")
        await eventually(lambda: heard.lines)
    ours = [record for record in caplog.records if not record.name.startswith(("httpcore", "uvicorn"))]
    assert SECRET not in str(heard.events) + "".join(f"{r.getMessage()} {vars(r)}" for r in ours)
    assert "TWITCH_TOKEN" in heard.down("twitch events")[0]
