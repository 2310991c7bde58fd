"""The doctor on chat: whether Twitch and YouTube take the config's names, token and key."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
from omegaconf import DictConfig, OmegaConf

from engines.checkup.finding import Finding, Verdict
from engines.checkup.wires import LONGEST
from engines.download import PROXY

WITHIN = 3.0  # seconds for each of the two, whatever it does
SOON_H = 12.0  # hours in which a token expires: perhaps during the show
LATER = "see that this machine reaches the internet; the show goes on trying"
NEW = "a new user token, or an empty one to read only"
OWN = {  # scopes that only the channel's own account can give, and what is missed without them
    "channel:read:redemptions": "channel points are not thanked by their name",
    "channel:read:subscriptions": "subscriptions are known from the chat's lines alone",
    "bits:read": "cheers are known from the chat's lines alone",
}
FOLLOWS = {"moderator:read:followers": "follows are not thanked"}
WRITES = {"user:write:chat": "she cannot write into the chat"}
FULL = {"quotaExceeded", "dailyLimitExceeded"}
Answer = tuple[int, Mapping[str, Any]]


def chat(cfg: DictConfig) -> Iterator[Finding]:
    """What the config's chats would be answered now. Nothing is written there."""
    there = OmegaConf.to_container(cfg.chat, resolve=True)
    assert isinstance(there, dict)
    for name, look in (("twitch", twitch), ("youtube", youtube)):
        if name in there:
            yield anyio.run(_bounded, f"chat.{name}", look, there[name])


async def _bounded(
    what: str, look: Callable[[Mapping[str, Any]], Awaitable[Finding]], section: Mapping[str, Any]
) -> Finding:
    try:
        with anyio.fail_after(WITHIN):
            return await look(section)
    except TimeoutError:
        return Finding(what, "warn", f"no answer within {WITHIN:g} s", LATER)
    except (httpx.LocalProtocolError, UnicodeEncodeError):  # they would tell it
        return Finding(what, "bad", "its token or key has characters that none has", "copy it once more")
    except (ImportError, ValueError):  # SOCKS wants a package; or a scheme that nobody knows
        seen, _, cure = PROXY.partition("; cure: ")
        return Finding(what, "bad", seen, cure)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding(what, "warn", f"it cannot be reached ({type(error).__name__})", LATER)


async def twitch(section: Mapping[str, Any]) -> Finding:
    """The token, where there is one, and with it the channel. Raises httpx's errors."""
    what, channel = "chat.twitch", str(section["channel"]).strip().lstrip("#@").lower()
    if not (token := str(section["token"] or "")):
        seen = f"reads {channel}, which is not looked up without TWITCH_TOKEN; no follows, no points"
        return Finding(what, "ok", seen)
    async with httpx.AsyncClient(timeout=None) as client:
        url = f"{str(section['auth']).rstrip('/')}/validate"
        status, owner = await _get(client, url, {"Authorization": f"OAuth {token}"})
        if status == 401:
            return Finding(what, "bad", "TWITCH_TOKEN is wrong or has expired", NEW)
        headers = {"Authorization": f"Bearer {token}", "Client-Id": str(owner.get("client_id", ""))}
        url = f"{str(section['helix']).rstrip('/')}/users"
        answered, found = await _get(client, url, headers, login=channel) if status == 200 else (status, {})
    if answered != 200 or not isinstance(found.get("data"), list):
        return Finding(what, "warn", f"Twitch answered with {answered}, and not as it should", LATER)
    if not found["data"]:
        return Finding(what, "bad", f"there is no channel '{channel}'", "chat.channel=NAME")
    return _token(what, channel, owner, bool(section["write"]))


def _token(what: str, channel: str, owner: Mapping[str, Any], write: bool) -> Finding:
    """What a token that Twitch takes is good for."""
    login, scopes, seconds = (owner.get(key) for key in ("login", "scopes", "expires_in"))
    scopes = scopes if isinstance(scopes, list) else []
    costs = FOLLOWS | (OWN if login == channel else {}) | (WRITES if write else {})
    lacking = [f"{scope} ({cost})" for scope, cost in costs.items() if scope not in scopes]
    hours = seconds / 3600 if isinstance(seconds, int) and seconds < 1e9 else 0.0
    left = f"{hours / 24:.0f} days" if hours > 48 else f"{hours:.1f} hours"
    seen = f"reads {channel}; TWITCH_TOKEN is {login}'s, " + (f"{left} left" if hours else "for ever")
    if login != channel:
        seen += f"; it has to be {channel}'s own for channel points"
    if lacking:
        verdict: Verdict = "bad" if write and "user:write:chat" not in scopes else "warn"
        cure = "a token with these scopes: conf/chat/twitch.yaml"
        return Finding(what, verdict, f"{seen}; it lacks {', '.join(lacking)}", cure)
    return Finding(what, "warn", seen, NEW) if 0 < hours < SOON_H else Finding(what, "ok", seen)


async def youtube(section: Mapping[str, Any]) -> Finding:
    """The key and the video, for one unit of quota. Raises httpx's errors."""
    what, video = "chat.youtube", _video(str(section["video"]))
    if not (key := str(section["key"] or "")):
        return Finding(what, "bad", "there is no key", "YOUTUBE_API_KEY in the environment")
    async with httpx.AsyncClient(timeout=None) as client:
        url, asked = f"{str(section['api']).rstrip('/')}/videos", {"part": "liveStreamingDetails"}
        status, found = await _get(client, url, {"X-Goog-Api-Key": key}, **asked, id=video)
    if status in (400, 401, 403):
        if FULL & {str(each.get("reason")) for each in _listed(_part(found, "error"), "errors")}:
            return Finding(what, "warn", "the day's quota is used up", "wait for midnight in California")
        seen = "YOUTUBE_API_KEY is wrong, or not allowed to use the YouTube Data API v3"
        return Finding(what, "bad", seen, "a key of a project that has it, from console.cloud.google.com")
    if status != 200:
        return Finding(what, "warn", f"YouTube answered with {status}", LATER)
    if not (items := _listed(found, "items")):
        return Finding(what, "bad", f"there is no video '{video}'", "chat.video=ID")
    if not _part(items[0], "liveStreamingDetails").get("activeLiveChatId"):
        return Finding(what, "warn", f"video '{video}' has no live chat now", "start the stream first")
    return Finding(what, "ok", f"video '{video}' has a live chat, and the key reads it")


def _video(text: str) -> str:
    """Its id, also where the config has its address."""
    address = urlsplit(text.strip())
    return next(iter(parse_qs(address.query).get("v", [])), address.path.rstrip("/").rpartition("/")[2])


async def _get(client: httpx.AsyncClient, url: str, headers: Mapping[str, str], **asked: str) -> Answer:
    """Status and what came, {} where that is no object."""
    content = b""
    async with client.stream("GET", url, headers=dict(headers), params=asked) as answer:
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > LONGEST:
                break
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = {}
    return answer.status_code, data if isinstance(data, dict) else {}


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _listed(data: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = data.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
