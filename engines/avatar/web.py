"""The HTTP side: the page's files, both WebSockets, who may come in, and the security headers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from engines.avatar import feed, plugin
from engines.avatar.puppet import Puppet
from engines.page import FRAMED, HERE, Guard, elsewhere

FILES = Path(__file__).parent / "page"
ORIGIN = re.compile("http://" + HERE, re.IGNORECASE)
POLICY = (
    "default-src 'self'; img-src 'self' data:; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; "
    f"{FRAMED}"
)


def application(puppet: Puppet, page: str = "") -> ASGIApp:
    """The routes, behind the guard."""
    routes = [
        WebSocketRoute("/feed", partial(_websocket, feed.serve, puppet)),
        WebSocketRoute("/{path:path}", partial(_websocket, plugin.serve, puppet)),
        Route("/health", _health),
        Mount("/page", StaticFiles(directory=page or FILES, html=True)),
        Mount("/", StaticFiles(directory=page or FILES, html=True)),
    ]
    return Guard(Starlette(routes=routes), refuses, POLICY)


async def _websocket(
    serve: Callable[[Puppet, WebSocket], Awaitable[None]], puppet: Puppet, websocket: WebSocket
) -> None:
    await serve(puppet, websocket)


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok\n")


def refuses(request: HTTPConnection) -> str:
    """One line with the reason, or "" for a welcome request."""
    origin = request.headers.get("origin")
    if why := elsewhere(request):
        return why
    if request.scope["type"] == "websocket" and origin is not None and not ORIGIN.fullmatch(origin):
        return "a page from elsewhere may not use this"
    return ""
