"""The console's HTTP side: routes, headers, static files, and uvicorn inside a loop that is not its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from socket import socket
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio
import uvicorn
from anyio import to_thread
from starlette.applications import Starlette
from starlette.datastructures import Address
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from glue.stage.console_guard import Guard

EXPORT = "spark-memory.jsonl"  # as the browser calls it
FILES = Path(__file__).parent / "page"
LARGE = {"memory"}  # looks that search a hundred thousand things: not on the loop, which feeds the voice
LARGEST_IMPORT = 64 * 1024 * 1024  # bytes: two hundred thousand memories
LARGEST_MESSAGE = 256 * 1024  # bytes; ten thousand emoji in JSON's escapes are half of it

Serve = Callable[[WebSocket], Awaitable[None]]
Look = Callable[[dict[str, str]], Any]  # an address's parameters -> plain values


class Carrier(Protocol):
    """What the buttons Export and Import do."""

    def export(self) -> Iterator[bytes] | None:
        """All that she remembers; None where there is no memory."""
        ...

    async def take(self, data: bytes) -> tuple[bool, str]:
        """Whether an export was taken in, and what to tell of it."""
        ...


def application(
    guard: Guard,
    avatar_url: str,
    sockets: Mapping[str, Serve],
    look: Callable[[str], Look | None],
    carrier: Callable[[], Carrier | None] = lambda: None,
) -> ASGIApp:
    """The routes, behind the guard. `look` finds what answers `/look/NAME`; `carrier()` what does what
    `/memory.jsonl` is for."""

    def html(name: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            response = FileResponse(FILES / name, headers={"Cache-Control": "no-store"})
            if "token" in request.query_params:
                response.headers["Set-Cookie"] = guard.cookie_header()
            return response

        return answer

    def websocket(serve: Serve) -> Callable[[WebSocket], Awaitable[None]]:
        async def answer(websocket: WebSocket) -> None:
            await websocket.accept()
            await serve(websocket)

        return answer

    async def answer(request: Request) -> Response:
        name, words = request.path_params["name"], dict(request.query_params)
        asked = look(name)
        if asked is None:
            found = None  # a browser would complain of a 404
        elif name in LARGE:
            found = await to_thread.run_sync(asked, words)
        else:
            found = asked(words)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    routes = [
        Route("/", html("console.html")),
        Route("/stage", html("stage.html")),
        Mount("/page", StaticFiles(directory=FILES)),
        Route("/look/{name}", answer),
        Route("/memory.jsonl", _memory(carrier), methods=["GET", "POST"]),
        *(WebSocketRoute(f"/{name}", websocket(serve)) for name, serve in sockets.items()),
    ]
    return Gatekeeper(Starlette(routes=routes), guard, avatar_url)


def _memory(carrier: Callable[[], Carrier | None]) -> Callable[[Request], Awaitable[Response]]:
    """Her memory: GET fetches it, POST brings one in."""

    async def answer(request: Request) -> Response:
        porter = carrier()
        if porter is None:
            return PlainTextResponse("the show has not begun\n", 503)
        if request.method == "POST":
            data = await _bounded(request, LARGEST_IMPORT)
            if data is None:
                return PlainTextResponse(f"more than {LARGEST_IMPORT >> 20} MB are no memory of hers\n", 413)
            done, told = await porter.take(data)
            return JSONResponse({"done": done, "told": told})  # a browser would complain of a 400
        lines = porter.export()
        if lines is None:
            return PlainTextResponse("she has no memory in this show: memory=milvus\n", 404)
        headers = {"Content-Disposition": f'attachment; filename="{EXPORT}"', "Cache-Control": "no-store"}
        return StreamingResponse(lines, media_type="application/jsonl", headers=headers)

    return answer


async def _bounded(request: Request, most: int) -> bytes | None:
    """A request's body; None of one that is longer."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            return None
    return bytes(data)


class Gatekeeper:
    """ASGI middleware: turns away what the guard refuses, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, guard: Guard, avatar_url: str) -> None:
        self._app = app
        self._guard = guard
        address = urlsplit(avatar_url)
        self._frames = f"{address.scheme}://{address.netloc}" if address.netloc else "'none'"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            websocket = WebSocket(scope, receive, send)
            if self._guard.refuses(websocket):
                await websocket.close()  # answered 403; with a text uvicorn would complain on the terminal
                return
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        why = self._guard.refuses(request)
        app = PlainTextResponse(why + "\n", 403) if why else self._app

        async def send_with_headers(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers(request)]  # type: ignore[misc]
            await send(message)

        await app(scope, receive, send_with_headers)  # type: ignore[arg-type]  # ASGI's Message is a mapping

    def _headers(self, request: Request) -> Iterator[tuple[bytes, bytes]]:
        host = request.headers.get("host", "")
        policy = (
            f"default-src 'self'; connect-src 'self' ws://{host} wss://{host}; frame-src {self._frames}; "
            "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        yield b"content-security-policy", policy.encode("latin-1", "replace")
        yield b"x-content-type-options", b"nosniff"
        yield b"referrer-policy", b"no-referrer"
        yield b"cross-origin-resource-policy", b"same-origin"


class Server(uvicorn.Server):
    """uvicorn without its signal handlers and access log, which ends at once, whatever is still open."""

    def __init__(self, app: ASGIApp, patience: float) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                http="h11",
                ws="websockets-sansio",
                ws_max_size=LARGEST_MESSAGE,
                ws_ping_interval=patience,
                ws_ping_timeout=patience,
                ws_per_message_deflate=False,  # it would cost every caption more than it saves on loopback
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C belongs to the show."""
        yield

    @asynccontextmanager
    async def serving(self, listener: socket) -> AsyncIterator[None]:
        """Answer on `listener` for as long as the context lasts."""
        try:
            async with anyio.create_task_group() as tg:
                tg.start_soon(self.serve, [listener])
                try:
                    yield
                finally:
                    self.should_exit = True
                    for connection in list(self.server_state.connections):
                        connection.transport.abort()
        finally:
            listener.close()  # where the show was cancelled, uvicorn did not come to it

    def drop(self, client: Address | None) -> None:
        """Cut a connection without waiting until it has read what it was sent."""
        for connection in list(self.server_state.connections):
            if client is not None and connection.transport.get_extra_info("peername")[:2] == tuple(client):
                connection.transport.abort()
