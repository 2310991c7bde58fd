"""Twitch's HTTP side: whose token it is, who a channel is, what EventSub should tell, a line into the chat.

Protocol: https://dev.twitch.tv/docs/api/reference/. The token travels in headers only and is never logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from glue.errors import Refused, TooSlow, Unreachable
from glue.senses.socket import client

EXPIRED = "TWITCH_TOKEN is wrong or has expired; cure: a new user token, or an empty one to read only"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose token it is."""

    client_id: str
    user_id: str
    login: str
    scopes: frozenset[str]


class TwitchApi:
    """`helix` and `auth` are base addresses. Everything raises Unreachable, TooSlow or Refused; the
    constructor ConfigError, for a proxy that cannot be used."""

    def __init__(self, part: str, helix: str, auth: str, token: str, timeout: float) -> None:
        self._part, self._helix, self._auth = part, helix.rstrip("/"), auth.rstrip("/")
        self._token, self._timeout = token, timeout
        self._client = client(timeout)  # once: its certificates take 50 ms of the show

    async def close(self) -> None:
        """No more questions."""
        await self._client.aclose()

    async def owner(self) -> Owner:
        """Whose token it is; Twitch wants it asked at the start and every hour."""
        status, data = await self._ask(
            "GET", f"{self._auth}/validate", {"Authorization": f"OAuth {self._token}"}
        )
        if status != 200:
            raise Refused(self._part, EXPIRED)
        scopes = data.get("scopes")
        return Owner(
            str(data.get("client_id", "")),
            str(data.get("user_id", "")),
            str(data.get("login", "")).lower(),
            frozenset(map(str, scopes)) if isinstance(scopes, list) else frozenset(),
        )

    async def user_id(self, owner: Owner, login: str) -> str:
        """A channel's id."""
        status, data = await self._helix_ask(owner, "GET", f"/users?login={login}")
        found = data.get("data")
        if status != 200 or not isinstance(found, list):
            raise self._refused("to say who a channel is", status)
        if not found or not isinstance(found[0], dict):
            raise Refused(self._part, f"there is no channel '{login}'; cure: chat.channel=NAME")
        return str(found[0].get("id", ""))

    async def subscribe(
        self, owner: Owner, session: str, kind: str, version: str, about: Mapping[str, str]
    ) -> bool:
        """Ask for events of a kind; False where the token may not have them."""
        body = {
            "type": kind,
            "version": version,
            "condition": dict(about),
            "transport": {"method": "websocket", "session_id": session},
        }
        status, _ = await self._helix_ask(owner, "POST", "/eventsub/subscriptions", body)
        if status in (202, 409):  # 409: it has it already
            return True
        if status in (400, 403):
            return False
        raise self._refused(f"'{kind}'", status)

    async def write(self, owner: Owner, channel_id: str, text: str, answers: str) -> str | None:
        """A line into the chat, as an answer to message `answers`; its id, None where Twitch held it back."""
        body = {"broadcaster_id": channel_id, "sender_id": owner.user_id, "message": text}
        if answers:
            body["reply_parent_message_id"] = answers
        status, data = await self._helix_ask(owner, "POST", "/chat/messages", body)
        if status != 200:
            raise self._refused("a line of hers", status)
        told = data.get("data")
        sent = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
        return next((str(each.get("message_id", "")) for each in sent if each.get("is_sent") is True), None)

    async def _helix_ask(
        self, owner: Owner, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}", "Client-Id": owner.client_id}
        return await self._ask(method, self._helix + path, headers, body)

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, object] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        try:
            answer = await self._client.request(method, url, headers=dict(headers), json=body)
        except httpx.TimeoutException as error:
            raise TooSlow(self._part, f"Twitch did not answer within {self._timeout:.0f} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unreachable(self._part, f"Twitch cannot be reached ({type(error).__name__})") from None
        if answer.status_code == 401:
            raise Refused(self._part, EXPIRED)
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Unreachable(self._part, f"Twitch answered with {answer.status_code}")
        return answer.status_code, _object(answer)

    def _refused(self, what: str, status: int) -> Refused:
        return Refused(self._part, f"Twitch refused {what} ({status})")


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        data = answer.json()
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
