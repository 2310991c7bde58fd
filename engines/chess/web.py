"""The HTTP side: the board's page, the socket that feeds it and takes votes, and who may come in.

Frames of `/feed`, JSON: out, a picture of the table after every change (table.py); in, `{"viewer", "text",
"line"}`, a viewer's line, and `{"removed": [line, ...]}`. Only who has the token gets at either.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from engines.chess.table import Table
from engines.chess.votes import Ballot
from engines.page import FRAMED, Guard, elsewhere

FILES = Path(__file__).parent / "page"
OPEN = re.compile(r"/(health|[a-z]+\.(js|css|svg))")  # nothing of the game is in them
LONGEST = 200  # characters of what a vote's frame says
APART_S = 0.1  # between two pictures
POLICY = f"default-src 'self'; {FRAMED}"


def application(table: Table, ballot: Ballot, token: str) -> ASGIApp:
    """The routes, behind the guard."""

    async def feed(websocket: WebSocket) -> None:
        await _serve(table, ballot, websocket)

    async def health(request: Request) -> Response:
        return PlainTextResponse("chess\n")

    routes = [
        WebSocketRoute("/feed", feed),
        Route("/health", health),
        Mount("/", StaticFiles(directory=FILES, html=True)),
    ]
    return Guard(Starlette(routes=routes), refusals(token), POLICY)


def refusals(token: str) -> Callable[[HTTPConnection], str]:
    """What says why a request may not pass, or ""."""

    def refuses(request: HTTPConnection) -> str:
        origin = request.headers.get("origin")
        if why := elsewhere(request):
            return why
        if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            return "another page may not use this one"
        said = request.query_params.get("token", "").encode("utf-8", "replace")
        if not OPEN.fullmatch(request.scope["path"]) and not secrets.compare_digest(said, token.encode()):
            return "the address lacks its ?token=...; use the one that the show prints when it starts"
        return ""

    return refuses


async def _serve(table: Table, ballot: Ballot, websocket: WebSocket) -> None:
    """One page, or the show that brings chat's votes."""
    news = asyncio.Event()
    await websocket.accept()
    table.watching.add(news)
    news.set()
    try:
        async with anyio.create_task_group() as tg:
            tg.start_soon(_take, ballot, websocket, tg.cancel_scope)
            while True:
                await news.wait()
                news.clear()
                await websocket.send_text(json.dumps(table.picture()))
                await asyncio.sleep(APART_S)
    except* WebSocketDisconnect:
        pass
    finally:
        table.watching.discard(news)


async def _take(ballot: Ballot, websocket: WebSocket, scope: anyio.CancelScope) -> None:
    """Votes; what is none is let pass."""
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        take(ballot, message.get("text") or "")
    scope.cancel()


def take(ballot: Ballot, frame: str) -> None:
    """A frame that came in."""
    try:
        said = json.loads(frame)
    except (ValueError, RecursionError):
        return
    match said:
        case {"viewer": str(viewer), "text": str(text), "line": str(line)}:
            ballot.vote(viewer[:LONGEST], text[:LONGEST], line[:LONGEST])
        case {"removed": list(lines)}:
            ballot.withdraw({line for line in lines if isinstance(line, str)})
