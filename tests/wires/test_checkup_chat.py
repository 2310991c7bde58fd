"""The doctor on chat, against the Twitch-like and the YouTube-like server; no secret is told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from copy import deepcopy
from functools import cache

import pytest
from anyio.to_thread import run_sync
from omegaconf import DictConfig

from engines.checkup import chat
from engines.checkup.finding import Finding
from glue.senses.twitch_news import KINDS
from tests import bad_server
from tests.test_conf import composed
from tests.wires.test_youtube import KEY, VIDEO, Tube, serving
from tests.wires.twitch_peer import Peer
from tests.wires.twitch_peer_events import SCOPES

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tube() -> AsyncIterator[Tube]:
    async with serving(Tube()) as tube:
        yield tube


@cache
def config(kind: str) -> DictConfig:
    """As it is on the disk."""
    return composed(f"chat={kind}", f"chat.{'channel=spark' if kind == 'twitch' else f'video={VIDEO}'}")


async def found(kind: str, asked: Mapping[str, object], **words: object) -> Finding:
    """What the doctor says of the one chat, with `asked` of chat.* and `words` of its adapter."""
    cfg = deepcopy(config(kind))
    cfg.chat.update(asked)
    cfg.chat[kind].update(words)
    (finding,) = await run_sync(lambda: list(chat.chat(cfg)))
    return finding


async def twitch(peer: Peer, channel: str = "spark", **words: object) -> Finding:
    there = {"helix": f"{peer.events.http}/helix", "auth": f"{peer.events.http}/oauth2", "token": "good"}
    return await found("twitch", {"channel": channel}, **there | words)


async def youtube(url: str, key: str = KEY, video: str = VIDEO) -> Finding:
    return await found("youtube", {"video": video}, key=key, api=url)


async def test_a_token_says_whose_it_is_and_how_long_it_lasts(peer: Peer) -> None:
    told = await twitch(peer, channel="Spark")
    assert (told.verdict, told.seen) == ("ok", "reads spark; TWITCH_TOKEN is spark's, 58 days left")
    assert peer.events.asked == ["/oauth2/validate", "/helix/users"]


async def test_without_a_token_nobody_is_asked(peer: Peer) -> None:
    told = await twitch(peer, token="")
    assert told.verdict == "ok" and "no follows, no points" in told.seen and not peer.events.asked


async def test_a_wrong_token_and_a_channel_that_is_none_are_bad(peer: Peer) -> None:
    wrong = await twitch(peer, token="stolen")
    assert wrong.verdict == "bad" and "expired" in wrong.seen and "stolen" not in str(wrong)
    for odd in ("two\nlines", "schön"):
        wrong = await twitch(peer, token=odd)
        assert wrong.verdict == "bad" and not {"two", "schön"} & set(str(wrong).split())
    nobody = await twitch(peer, channel="sparkk")
    assert (nobody.verdict, nobody.cure) == ("bad", "chat.channel=NAME") and "'sparkk'" in nobody.seen


async def test_each_scope_that_is_missing_says_what_it_costs(peer: Peer) -> None:
    peer.events.scopes = ["bits:read", "channel:read:subscriptions"]
    told = await twitch(peer)
    assert told.verdict == "warn" and "moderator:read:followers (follows are not" in told.seen
    assert "channel:read:redemptions (" in told.seen and "write" not in told.seen and "bits" not in told.seen
    told = await twitch(peer, write=True)
    assert told.verdict == "bad" and "user:write:chat (she cannot write" in told.seen
    peer.events.login = "mika"  # a bot's account
    told = await twitch(peer)
    assert "redemptions" not in told.seen and "spark's own for channel points" in told.seen


def test_the_scopes_are_those_of_what_the_show_listens_to() -> None:
    wanted = {SCOPES[kind] for kind, _, _ in KINDS} - {""}
    assert wanted == {*chat.OWN, *chat.FOLLOWS}


async def test_a_server_that_is_ill_or_away_is_only_a_warning(peer: Peer) -> None:
    peer.events.ailing = True
    told = await twitch(peer)
    assert told.verdict == "warn" and "503" in told.seen and told.cure
    with bad_server.closed() as port:
        told = await twitch(peer, auth=f"http://127.0.0.1:{port}")
    assert told.verdict == "warn" and "cannot be reached" in told.seen and "good" not in str(told)


@pytest.mark.parametrize("way", [way for way in bad_server.WAYS if way != "good"])
async def test_a_bad_server_is_one_clear_line_in_a_bounded_time(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "WITHIN", 0.5)
    for kind in ("twitch", "youtube"):
        config(kind)  # composed before the clock runs
    began = time.monotonic()
    with bad_server.serving(way) as port:
        url = f"http://127.0.0.1:{port}"
        tubes = await youtube(url)
        streams = await found("twitch", {}, auth=url, helix=url, token="good")
    assert time.monotonic() - began < 15, "it waited for the server's own end"
    for told in (tubes, streams):
        assert told.verdict in ("warn", "bad") and told.cure and "\n" not in told.seen
        assert "Traceback" not in told.seen and KEY not in str(told) and len(told.seen) < 200


async def test_the_key_and_the_video_are_looked_up_for_one_unit(tube: Tube) -> None:
    for video in (VIDEO, f"https://youtu.be/{VIDEO}", f"https://www.youtube.com/watch?v={VIDEO}"):
        told = await youtube(tube.url, video=video)
        assert (told.verdict, told.seen) == ("ok", f"video '{VIDEO}' has a live chat, and the key reads it")
    assert len(tube.addresses) == 3 and not any(KEY in address for address in tube.addresses)
    tube.live = False
    told = await youtube(tube.url)
    assert told.verdict == "warn" and told.cure == "start the stream first"
    assert (await youtube(tube.url, video="aaaaaaaaaaa")).cure == "chat.video=ID"


async def test_a_bad_key_and_a_quota_that_is_used_up(tube: Tube) -> None:
    wrong = await youtube(tube.url, key="AIzaOther")
    assert wrong.verdict == "bad" and "not allowed" in wrong.seen and "AIzaOther" not in str(wrong)
    assert (await youtube(tube.url, key="")).cure == "YOUTUBE_API_KEY in the environment"
    tube.fails = [(403, "quotaExceeded")]
    told = await youtube(tube.url)
    assert told.verdict == "warn" and "quota" in told.seen


async def test_a_proxy_that_cannot_be_used_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    for told in (await youtube("http://127.0.0.1:9"), await found("twitch", {"channel": "spark"}, token="x")):
        assert told.verdict == "bad" and "proxy" in told.seen and "HTTPS_PROXY=" in told.cure
