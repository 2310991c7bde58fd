"""The YouTube adapter against a server that answers as its documents say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import create_server
from typing import Any

import anyio
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from glue.errors import ConfigError
from glue.senses.youtube import YouTube
from tests.test_youtube_chat import item, text
from tests.waiting import eventually
from tests.wires.twitch_show import supervised

pytestmark = pytest.mark.anyio
KEY, VIDEO = "AIzaSecretSecret", "dQw4w9WgXcQ"


@dataclass
class Tube:
    """`pages` are answered one after the other; after the last one, empty ones. `fails` once goes first."""

    url: str = ""
    pages: list[list[dict[str, Any]]] = field(default_factory=list)
    fails: list[tuple[int, str]] = field(default_factory=list)
    live: bool = True
    tokens: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def _refusal(self, request: Request) -> Response | None:
        self.addresses.append(str(request.url))
        if request.headers.get("x-goog-api-key") != KEY:
            return self._error(400, "badRequest")
        return self._error(*self.fails.pop(0)) if self.fails else None

    def _error(self, status: int, reason: str) -> Response:
        error = {"code": status, "message": "no", "errors": [{"reason": reason}]}
        return JSONResponse({"error": error}, status) if reason else Response("<html>", status)

    async def videos(self, request: Request) -> Response:
        details = {"activeLiveChatId": "chat1"} if self.live else {}
        found = (
            [{"id": VIDEO, "liveStreamingDetails": details}] if request.query_params["id"] == VIDEO else []
        )
        return self._refusal(request) or JSONResponse({"items": found})

    async def messages(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        assert request.query_params["liveChatId"] == "chat1"
        self.tokens.append(request.query_params.get("pageToken", ""))
        items = self.pages.pop(0) if self.pages else []
        answer = {"nextPageToken": f"p{len(self.tokens)}", "pollingIntervalMillis": 20, "items": items}
        return JSONResponse(answer | {"pageInfo": {"totalResults": len(items), "resultsPerPage": len(items)}})


@pytest.fixture
async def tube() -> AsyncIterator[Tube]:
    async with serving(Tube()) as tube:
        yield tube


@asynccontextmanager
async def serving(tube: Tube) -> AsyncIterator[Tube]:
    listener = create_server(("127.0.0.1", 0))
    tube.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    routes = [Route("/videos", tube.videos), Route("/liveChat/messages", tube.messages)]
    web = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off"))
    async with anyio.create_task_group() as tg:
        tg.start_soon(web._serve, [listener])
        try:
            yield tube
        finally:
            web.should_exit = web.force_exit = True


def youtube(tube: Tube, **options: Any) -> YouTube:
    there: dict[str, Any] = {"video": VIDEO, "key": KEY, "quota": 10**7, "hours": 0.1, "api": tube.url}
    return YouTube(**(there | options))


async def test_pages_are_read_in_order_and_once(tube: Tube) -> None:
    gift = item("superChatEvent", "s1", superChatDetails={"amountDisplayString": "$5.00"})
    tube.pages = [[text("one", "m1")], [text("two", "m2"), text("one", "m1")], [gift]]
    async with supervised(youtube(tube)) as heard:
        await eventually(lambda: len(heard.lines) == 3)
    assert heard.texts == ["one", "two", "gave $5.00"]
    assert tube.tokens[:3] == ["", "p1", "p2"]


async def test_an_outage_is_got_over_without_a_lost_or_doubled_line(tube: Tube) -> None:
    tube.pages = [[text("one", "m1")]]
    async with supervised(youtube(tube)) as heard:
        await eventually(lambda: heard.lines)
        tube.fails = [(503, "backendError"), (403, "rateLimitExceeded"), (500, "")]
        tube.pages = [[text("two", "m2")]]
        await eventually(lambda: heard.back("youtube") == 1)
        await eventually(lambda: heard.texts == ["one", "two"])
    assert "" not in tube.tokens[1:], "it goes on where it was"


async def test_a_page_that_youtube_no_longer_knows_is_left(tube: Tube) -> None:
    tube.pages = [[text("one", "m1")]]
    async with supervised(youtube(tube)) as heard:
        await eventually(lambda: heard.lines)
        tube.fails = [(400, "pageTokenInvalid")]
        tube.pages = [[text("one", "m1"), text("two", "m2")]]
        await eventually(lambda: heard.texts == ["one", "two"])
        tube.fails = [(400, "badRequest")] * 2  # without a page it is the key
        await eventually(lambda: heard.down("youtube"))
    assert "YOUTUBE_API_KEY" in heard.down("youtube")[0]
    assert tube.tokens.count("") == 2, "at the start, and once more"


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ((403, "quotaExceeded"), "quota"),
        ((403, "liveChatEnded"), "ended"),
        ((403, "forbidden"), "YOUTUBE_API_KEY"),
    ],
)
async def test_a_refusal_is_one_clear_line_and_not_asked_again(
    tube: Tube, fails: tuple[int, str], said: str
) -> None:
    tube.fails = [fails]
    async with supervised(youtube(tube)) as heard:
        await eventually(lambda: heard.down("youtube"))
        await asyncio.sleep(0.3)  # the supervisor tries again after a twentieth of one
    assert said in heard.down("youtube")[0]
    assert len(tube.addresses) == 1


async def test_no_such_video_and_no_chat(tube: Tube) -> None:
    async with supervised(youtube(tube, video="AAAAAAAAAAA")) as heard:
        await eventually(lambda: heard.down("youtube"))
    assert "there is no video" in heard.down("youtube")[0]
    tube.live = False
    async with supervised(youtube(tube)) as heard:
        await eventually(lambda: heard.down("youtube"))
    assert "start the stream first" in heard.down("youtube")[0]


async def test_the_key_is_never_told(tube: Tube, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tube.fails = [(403, "quotaExceeded")]
    async with supervised(youtube(tube)) as heard:
        await eventually(lambda: heard.down("youtube"))
    told = (
        str(heard.events)
        + "".join(f"{r.getMessage()} {vars(r)}" for r in caplog.records)
        + str(tube.addresses)
    )
    assert KEY not in told


def test_without_a_key_the_start_is_refused() -> None:
    with pytest.raises(ConfigError, match="YOUTUBE_API_KEY"):
        YouTube(VIDEO)
