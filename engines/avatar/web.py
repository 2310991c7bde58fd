"""The HTTP side: the page's files, both WebSockets, who may come in, and the security headers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from engines.avatar import feed, plugin
from engines.avatar.puppet import Puppet

FILES = Path(__file__).parent / "page"
HERE = r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?"
HOST, ORIGIN = re.compile(HERE, re.I), re.compile("http://" + HERE, re.I)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; "
        "frame-ancestors http://127.0.0.1:* http://localhost:* 'self'"
    ),
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def application(puppet: Puppet, page: str = "") -> ASGIApp:
    """The routes, behind the guard."""
    routes = [
        WebSocketRoute("/feed", partial(_websocket, feed.serve, puppet)),
        WebSocketRoute("/{path:path}", partial(_websocket, plugin.serve, puppet)),
        Route("/health", _health),
        Mount("/page", StaticFiles(directory=page or FILES, html=True)),
        Mount("/", StaticFiles(directory=page or FILES, html=True)),
    ]
    return Guard(Starlette(routes=routes))


async def _websocket(
    serve: Callable[[Puppet, WebSocket], Awaitable[None]], puppet: Puppet, websocket: WebSocket
) -> None:
    await serve(puppet, websocket)


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok\n")


def refuses(request: HTTPConnection) -> str:
    """One line with the reason, or "" for a welcome request."""
    if not HOST.fullmatch(request.headers.get("host", "")):  # a name that DNS points here (rebinding)
        return "this is only served on 127.0.0.1 or localhost"
    origin = request.headers.get("origin")
    if request.scope["type"] == "websocket" and origin is not None and not ORIGIN.fullmatch(origin):
        return "a page from elsewhere may not use this"
    return ""


class Guard:
    """ASGI middleware: turns away what is not from this machine; puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = refuses(HTTPConnection(scope))
        if scope["type"] == "websocket":
            if why:
                await WebSocket(scope, receive, send).send_denial_response(PlainTextResponse(why + "\n", 403))
            else:
                await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = PlainTextResponse(why + "\n", 403) if why else self._app
        await app(scope, receive, with_headers)
