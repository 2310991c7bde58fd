"""WORLD -> EVENTS: a YouTube video's live chat as a sense, by the official API, within the day's quota.

Protocol: https://developers.google.com/youtube/v3/live/docs/liveChatMessages/list. The key travels in a
header, so that no address with it is ever logged.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx

from glue.closing import closing
from glue.errors import ConfigError, Refused, TooSlow, Unreachable
from glue.events import Event
from glue.senses.fields import part
from glue.senses.inlet import Inlet
from glue.senses.socket import Works, client
from glue.senses.youtube_chat import Chat

PART = "youtube"
VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")
LARGEST_PAGE = 2000
LOOK_COST, LIST_COST = 1, 5  # units of quota for a call
SLOWEST_S = 60.0
SKEW_S = 10.0  # between this machine's clock and YouTube's
REFUSED_S = 300.0  # what was refused is not asked again before this: each try costs quota
FULL = {"quotaExceeded", "dailyLimitExceeded"}
HASTY = {"rateLimitExceeded", "userRateLimitExceeded"}
GONE = {"liveChatEnded", "liveChatNotFound", "liveChatDisabled"}


class Unasked(Refused):
    """YouTube does not take the question as it is: the key, or the page that is asked for."""


class YouTube:
    """The Sense port on a video's chat. `runs()` is supervised."""

    def __init__(
        self,
        video: str,
        key: str = "",
        quota: int = 9000,
        hours: float = 4.0,
        api: str = "https://www.googleapis.com/youtube/v3",
        timeout_s: float = 10.0,
    ) -> None:
        """conf/chat/youtube.yaml says what each is for. Raises ConfigError."""
        self.precheck(video, key, quota, hours, timeout_s)
        self._video = video_id(video)
        self._key, self._api, self._timeout = key, api.rstrip("/"), timeout_s
        self._budget = Budget(quota, hours * 3600)
        self._chat = Chat(time.time() - SKEW_S)
        self._page = ""
        self._refused: tuple[float, Refused] | None = None
        self._client = client(timeout_s)  # once: its certificates take 50 ms of the show
        self._inlet = Inlet()

    @staticmethod
    def precheck(video: str, key: str, quota: int, hours: float, timeout_s: float) -> None:
        """Before an engine is loaded for it. Raises ConfigError."""
        video_id(video)
        if not key:
            raise ConfigError("chat.youtube.key: is missing; cure: YOUTUBE_API_KEY in the environment")
        if quota < 100 or hours <= 0 or timeout_s <= 0:
            raise ConfigError("chat.youtube: quota must be 100 or more; hours and timeout_s positive")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inlet.close()
        with anyio.move_on_after(0.2, shield=True):
            await self._client.aclose()

    def runs(self) -> dict[str, Callable[[Works], Awaitable[None]]]:
        """What has to run beside the show, by the name of the part."""
        return {PART: self._run}

    async def events(self) -> AsyncIterator[Event]:
        """The Sense port."""
        async with closing(self._inlet.events()) as events:
            async for event in events:
                yield event

    async def _run(self, works: Works) -> None:
        """Poll for ever. Raises Unreachable, TooSlow or Refused when that ends."""
        if self._refused and time.monotonic() < self._refused[0]:
            raise self._refused[1]
        try:
            await self._poll(works)
        except Refused as error:
            self._refused = (time.monotonic() + REFUSED_S, error)
            raise

    async def _poll(self, works: Works) -> None:
        chat_id = await self._find()
        while True:
            query = {"liveChatId": chat_id, "part": "id,snippet,authorDetails"}
            query["maxResults"] = str(LARGEST_PAGE)
            if self._page:
                query["pageToken"] = self._page
            began = anyio.current_time()
            try:
                page = await self._ask("/liveChat/messages", query, LIST_COST)
            except Unasked:
                if not self._page:
                    raise
                self._page = ""  # it was for too long ago; what comes twice now, the ledger knows
                continue
            works()
            for event in self._chat.read(page, anyio.current_time()):
                await self._inlet.put(event)
            self._page = str(page.get("nextPageToken") or "")
            if page.get("offlineAt"):
                raise Refused(PART, "the stream has ended")
            await anyio.sleep_until(began + self._budget.pause(page.get("pollingIntervalMillis")))

    async def _find(self) -> str:
        page = await self._ask("/videos", {"part": "liveStreamingDetails", "id": self._video}, LOOK_COST)
        items = page.get("items")
        if not isinstance(items, list) or not items:
            raise Refused(PART, f"there is no video '{self._video}'; cure: chat.video=ID")
        chat_id = part(items[0], "liveStreamingDetails").get("activeLiveChatId")
        if not chat_id:
            raise Refused(PART, f"video '{self._video}' has no live chat now; cure: start the stream first")
        return str(chat_id)

    async def _ask(self, path: str, query: Mapping[str, str], cost: int) -> Mapping[str, Any]:
        self._budget.spend(cost)
        try:
            headers = {"X-Goog-Api-Key": self._key}
            answer = await self._client.get(self._api + path, params=dict(query), headers=headers)
            data = answer.json()
        except httpx.TimeoutException as error:
            raise TooSlow(PART, f"YouTube did not answer within {self._timeout:.0f} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(PART, f"YouTube cannot be reached ({type(error).__name__})") from error
        except (ValueError, RecursionError) as error:
            raise Unreachable(PART, "YouTube's answer was not JSON") from error
        if answer.status_code != 200:
            raise refused(answer.status_code, data)
        return data if isinstance(data, dict) else {}


def refused(status: int, data: object) -> Refused | Unreachable:
    """What an answer that is none means."""
    errors = part(data, "error").get("errors")
    reasons = (
        [str(e.get("reason")) for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    )
    reason = reasons[0] if reasons else ""
    if reason in HASTY or status == 429 or status >= 500:
        return Unreachable(PART, f"YouTube answered with {status}")
    if reason in FULL:
        return Refused(PART, "the day's quota is used up; it is new at midnight in California")
    if reason in GONE:
        return Refused(PART, "this live chat has ended or is switched off")
    if status in (400, 401, 403):
        kind = Unasked if status == 400 else Refused
        return kind(PART, "YOUTUBE_API_KEY is wrong, or not allowed to use the YouTube Data API v3")
    return Refused(PART, f"YouTube answered with {status}")


class Budget:
    """Spreads `quota` units over `seconds`: the more is spent, the longer the pauses."""

    def __init__(self, quota: int, seconds: float) -> None:
        self._left, self._until = quota, time.monotonic() + seconds

    def spend(self, units: int) -> None:
        """A call was made. Raises Refused where nothing is left of the quota."""
        if self._left < units:
            raise Refused(PART, "chat.youtube.quota is used up; cure: a larger one, if your project has it")
        self._left -= units

    def pause(self, asked_ms: object) -> float:
        """Seconds between two polls: what YouTube asks for, or what the quota allows, if that is longer."""
        most_ms = 1000 * SLOWEST_S  # before it is divided: JSON has numbers that no float holds
        asked = min(asked_ms, most_ms) / 1000 if isinstance(asked_ms, int | float) and asked_ms > 0 else 5.0
        polls = self._left // LIST_COST
        left = max(3600.0, self._until - time.monotonic())  # a show that lasts longer goes on
        return min(max(asked, left / polls if polls else SLOWEST_S), SLOWEST_S)


def video_id(text: str) -> str:
    """The id in "dQw4w9WgXcQ" or in a video's address. Raises ConfigError."""
    address = urlsplit(text.strip())
    parts = [*parse_qs(address.query).get("v", []), address.path.rstrip("/").rpartition("/")[2]]
    for found in parts:
        if VIDEO.fullmatch(found):
            return found
    raise ConfigError("chat.video: must be a YouTube video's id or address")
