"""What the engines' pages share: who may come in, and the headers on every answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

HERE = r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?"
HOST = re.compile(HERE, re.IGNORECASE)
FRAMED = "frame-ancestors http://127.0.0.1:* http://localhost:* 'self'"  # the console shows them


def elsewhere(request: HTTPConnection) -> str:
    """Why a request that was not sent to this machine by its own name is turned away, or ""."""
    if HOST.fullmatch(request.headers.get("host", "")):
        return ""  # any other is a name that DNS points here (rebinding)
    return "this is only served on 127.0.0.1 or localhost (through ssh -L from another PC)"


def programs_only(request: HTTPConnection) -> str:
    """Why a request may not pass, or "": a browser names the page that asks."""
    return elsewhere(request) or ("no page may use this" if "origin" in request.headers else "")


class Guard:
    """ASGI middleware: turns away what `refuses(request)` has a reason for; `policy` says what pages load."""

    def __init__(self, app: ASGIApp, refuses: Callable[[HTTPConnection], str], policy: str) -> None:
        self._app, self._refuses = app, refuses
        self._headers: Mapping[str, str] = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = self._refuses(HTTPConnection(scope))
        refusal = PlainTextResponse(f"{why}\n", 403)
        if scope["type"] == "websocket":
            if why:
                await WebSocket(scope, receive, send).send_denial_response(refusal)
            else:
                await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await (refusal if why else self._app)(scope, receive, with_headers)
